"""Event types in the native API: as the engine has them, and its refusals."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.native_types import TypeChanged, TypeShown, TypesShown
from engine.schemas.predefined import PREDEFINED
from tests.api.conftest import Api

TYPES = "/native/v1/event-types"


def refused(answer: Any) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["field"]


def test_a_type_is_made_shown_changed_and_removed(api: Api) -> None:
    made = api.post(TYPES, {"name": "UserSignedUp", "schema": {"required": ["plan"]}})
    assert made.status_code == 201
    id = made.json()["id"]
    assert made.json() == {
        "id": id,
        "name": "UserSignedUp",
        "description": None,
        "schema": {"required": ["plan"]},
        "predefined": False,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "suggested_name": "user_signed_up",
    }
    assert api.get(f"{TYPES}/{id}").json() == made.json() == api.engine.types.get(id).plain()
    changed = api.ask("PATCH", f"{TYPES}/{id}", {"name": "user_signed_up", "schema": None}).json()
    assert changed == {
        **made.json(), "name": "user_signed_up", "schema": None, "suggested_name": None, "warnings": []
    }  # fmt: skip
    assert api.ask("DELETE", f"{TYPES}/{id}").status_code == 204
    assert refused(api.get(f"{TYPES}/{id}")) == (404, "not_found", None)


def test_answers_are_as_they_are_described(api: Api) -> None:
    made = api.post(TYPES, {"name": "x", "schema": {}, "description": "y"}).json()
    TypeShown.model_validate(made, strict=True, extra="forbid")
    TypesShown.model_validate(api.get(f"{TYPES}?limit=1").json(), strict=True, extra="forbid")
    TypeChanged.model_validate(api.ask("PATCH", f"{TYPES}/{made['id']}", {}).json(), strict=True, extra="forbid")


def test_what_could_not_be_made_sure_of_is_a_warning(api: Api) -> None:
    made = api.post(TYPES, {"name": "x", "schema": {"properties": {"a": {"pattern": "^a"}}}}).json()
    changed = api.ask("PATCH", f"{TYPES}/{made['id']}", {"schema": {"properties": {"a": {"pattern": "^a+"}}}})
    assert changed.status_code == 200
    assert "pattern" in changed.json()["warnings"][0]


def test_types_come_page_by_page(api: Api) -> None:
    first = api.get(f"{TYPES}?limit=7").json()
    rest = api.get(f"{TYPES}?limit=7&after={first['after']}").json()
    assert [len(first["event_types"]), len(rest["event_types"])] == [7, len(PREDEFINED) - 7]
    assert (first["total"], rest["total"], rest["after"]) == (len(PREDEFINED), len(PREDEFINED), None)
    assert refused(api.get(f"{TYPES}?after=x")) == (400, "malformed", "after")
    assert refused(api.get(f"{TYPES}?limit=0")) == (400, "malformed", "limit")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "name_missing", "name")),
        ({"name": " "}, (422, "name_missing", "name")),
        ({"name": None}, (422, "name_not_text", "name")),
        ({"name": "x" * 201}, (422, "name_too_long", "name")),
        ({"name": "x", "description": 1}, (422, "description_not_text", "description")),
        ({"name": "x", "schema": True}, (422, "invalid_schema", "schema")),
        ({"name": "x", "payloadSchema": {}}, (422, "unknown_field", "payloadSchema")),
        ({"name": "signed_up"}, (409, "name_taken", None)),
        ([], (400, "malformed", None)),
    ],
)
def test_bodies_that_make_no_type(api: Api, body: Any, expected: tuple[int, str, str | None]) -> None:
    assert refused(api.post(TYPES, body)) == expected


def test_what_stands_in_the_way_is_shown(api: Api) -> None:
    api.load('Rule: thanks\nTrigger: paid\nAction: send_email "thanks"\n')
    stored = api.engine.ingest({"event": "paid", "user_id": "ann", "properties": {"total": "much"}}).ids[0]
    path = f"{TYPES}/{api.engine.types.get('paid').id}"
    answer = api.ask("PATCH", path, {"schema": {"properties": {"total": {"type": "number"}}}})
    assert refused(answer) == (409, "incompatible_schema", None)
    assert (answer.json()["error"]["event_id"], answer.json()["error"]["example"]) == (stored, {"total": "much"})
    answer = api.ask("PATCH", path, {"name": "order_paid"})
    assert (refused(answer), answer.json()["error"]["rules"]) == ((409, "type_in_use", None), ["thanks"])
    assert refused(api.ask("DELETE", path)) == (409, "type_in_use", None)
    predefined = f"{TYPES}/{api.engine.types.get('signed_up').id}"
    assert refused(api.ask("DELETE", predefined)) == (409, "predefined", None)
