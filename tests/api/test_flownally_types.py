"""FlowNally's event types: made, shown, changed, removed, and what stands in the way of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine.schemas.predefined import PREDEFINED
from tests.api.conftest import Api

TYPES = "/flownally/v1/event-types"
UNKNOWN = "evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1"
PROBLEM = ["type", "title", "status", "code", "detail", "requestId"]


def make(api: Api, name: str = "order.paid", **more: Any) -> dict[str, Any]:
    answer = api.post(TYPES, {"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def problem(answer: Any) -> tuple[int, str, str | None]:
    """Its status, code and field; every one of them has the whole shape."""
    body = answer.json()
    assert list(body)[: len(PROBLEM)] == PROBLEM
    assert answer.headers["content-type"] == "application/json"
    assert (body["type"], body["status"]) == ("about:blank", answer.status_code)
    assert body["requestId"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"], body.get("field")


# ------------------------------------------------------------------------------------------------ making and reading


def test_what_a_type_does_not_have_is_left_out(api: Api) -> None:
    made = make(api)
    assert list(made) == ["id", "tenantId", "name", "createdAt", "updatedAt"]
    assert make(api, "other", description=None, payloadSchema=None).keys() == made.keys()


def test_a_type_is_read_by_any_spelling_of_its_id(api: Api) -> None:
    made = make(api, description="Paid.")
    ulid = made["id"].removeprefix("evt-type_")
    for spelling in (made["id"], made["id"].lower(), ulid, ulid.lower()):
        assert api.get(f"{TYPES}/{spelling}").json() == made


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("id", [UNKNOWN, "evt-type_", "x", "order.paid", "%2F", "a%00b"])
def test_ids_that_are_unknown_or_none_are_not_found(api: Api, method: str, id: str) -> None:
    make(api)
    answer = api.ask(method, f"{TYPES}/{id}", {} if method == "PATCH" else None)
    assert problem(answer) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "missing_field", "name")),
        ({"name": None}, (422, "missing_field", "name")),
        ({"name": ""}, (422, "missing_field", "name")),
        ({"name": " "}, (422, "name_missing", "name")),
        ({"name": 7}, (422, "wrong_type", "name")),
        ({"name": "x" * 201}, (422, "name_too_long", "name")),
        ({"name": "a\0b"}, (422, "nul", "name")),
        (b'{"name": "\\ud800"}', (422, "lone_surrogate", "name")),
        ({"name": "x", "description": 7}, (422, "wrong_type", "description")),
        ({"name": "x", "description": "x" * 1001}, (422, "description_too_long", "description")),
        ({"name": "x", "payloadSchema": "x"}, (422, "invalid_schema", "payloadSchema")),
        ({"name": "x", "payloadSchema": {"type": "txt"}}, (422, "invalid_schema", "payloadSchema")),
        ({"name": "x", "payloadschema": {}}, (422, "unknown_field", "payloadschema")),
        ([], (400, "malformed", None)),
        (b"{", (400, "malformed", None)),
        (b"", (400, "malformed", None)),
        ({"name": "signed_up"}, (409, "name_taken", None)),
    ],
)
def test_bodies_that_make_no_type(api: Api, body: Any, expected: tuple[int, str, str | None]) -> None:
    assert problem(api.post(TYPES, body)) == expected
    assert api.get(TYPES).json()["totalSize"] == len(PREDEFINED)


def test_a_name_is_taken_once(api: Api) -> None:
    make(api)
    assert problem(api.post(TYPES, {"name": "order.paid"})) == (409, "name_taken", None)
    assert api.post(TYPES, {"name": "order.paid"}, key=api.other_key).status_code == 201


def test_the_schema_that_is_shown_is_the_one_that_was_given(api: Api) -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["b", "a"], "title": "é", "x": 1}
    made = make(api, payloadSchema=schema)
    assert api.get(f"{TYPES}/{made['id']}").json()["payloadSchema"] == schema


# ------------------------------------------------------------------------------------------------ changing


def test_what_a_patch_does_not_name_stays(api: Api) -> None:
    made = make(api, description="Paid.", payloadSchema={"required": ["a"]})
    api.move("1 hour")
    path = f"{TYPES}/{made['id']}"
    renamed = {**made, "name": "order_paid", "updatedAt": "2026-01-01T01:00:00Z"}
    assert api.ask("PATCH", path, {"name": "order_paid"}).json() == renamed
    assert api.ask("PATCH", path, {"description": "Done."}).json() == {**renamed, "description": "Done."}
    bare = api.ask("PATCH", path, {"description": None, "payloadSchema": None}).json()
    assert bare == {name: value for name, value in renamed.items() if name not in ("description", "payloadSchema")}
    assert api.get(path).json() == bare


def test_a_patch_may_be_refused_for_each_of_its_fields(api: Api) -> None:
    made = make(api)
    path = f"{TYPES}/{made['id']}"
    for body, expected in [
        ({"name": None}, (422, "missing_field", "name")),
        ({"name": []}, (422, "wrong_type", "name")),
        ({"name": "signed_up"}, (409, "name_taken", None)),
        ({"description": {}}, (422, "description_not_text", "description")),
        ({"payloadSchema": []}, (422, "invalid_schema", "payloadSchema")),
        ({"id": "x"}, (422, "unknown_field", "id")),
        ([], (400, "malformed", None)),
    ]:
        assert problem(api.ask("PATCH", path, body)) == expected
    assert api.get(path).json() == made


def test_a_schema_that_a_stored_event_breaks_is_refused_and_the_event_named(api: Api) -> None:
    made = make(api)
    stored = api.engine.ingest({"event": "order.paid", "user_id": "ann", "properties": {"total": "much"}}).ids[0]
    schema = {"properties": {"total": {"type": "number"}}}
    answer = api.ask("PATCH", f"{TYPES}/{made['id']}", {"payloadSchema": schema})
    assert problem(answer) == (409, "incompatible_schema", None)
    assert (answer.json()["eventId"], answer.json()["example"]) == (stored, {"total": "much"})
    assert api.get(f"{TYPES}/{made['id']}").json() == made


def test_a_schema_that_no_stored_event_breaks_is_taken(api: Api) -> None:
    made = make(api, payloadSchema={"properties": {"total": {"type": "number"}}})
    schema = {"properties": {"total": {"type": "string"}}}
    answer = api.ask("PATCH", f"{TYPES}/{made['id']}", {"payloadSchema": schema})
    assert (answer.status_code, answer.json()["payloadSchema"]) == (200, schema)


def test_a_type_that_a_live_rule_names_keeps_its_name(make_api: Callable[..., Api]) -> None:
    api = make_api('Rule: thanks\nTrigger: order.paid\nAction: send_email "thanks"\n')
    made = make(api)
    answer = api.ask("PATCH", f"{TYPES}/{made['id']}", {"name": "order_paid"})
    assert problem(answer) == (409, "type_in_use", None)
    assert answer.json()["rules"] == ["thanks"]
    assert api.ask("PATCH", f"{TYPES}/{made['id']}", {"description": "Paid."}).status_code == 200


# ------------------------------------------------------------------------------------------------ removing


def test_only_custom_types_without_events_are_removed(api: Api) -> None:
    made = make(api)
    api.engine.ingest({"event": "order.paid", "user_id": "ann"})
    assert problem(api.ask("DELETE", f"{TYPES}/{made['id']}")) == (409, "type_in_use", None)
    signed_up = api.engine.types.get("signed_up").id
    assert problem(api.ask("DELETE", f"{TYPES}/{signed_up}")) == (409, "predefined", None)
    assert problem(api.ask("PATCH", f"{TYPES}/{signed_up}", {"name": "joined"})) == (409, "predefined", None)

    empty = make(api, "order.lost")
    answer = api.ask("DELETE", f"{TYPES}/{empty['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"{TYPES}/{empty['id']}").status_code == 404
    assert problem(api.ask("DELETE", f"{TYPES}/{empty['id']}")) == (404, "not_found", None)


# ------------------------------------------------------------------------------------------------ listing


def test_predefined_and_custom_types_are_listed_page_by_page(api: Api) -> None:
    api.move("1 second")
    make(api)
    api.engine.ingest({"event": "met by the way", "user_id": "ann"})
    names, token, pages = [], "", 0
    while token or not pages:
        page = api.get(f"{TYPES}?pageSize=3&pageToken={token}").json()
        assert list(page) == ["eventTypes", "nextPageToken", "totalSize"]
        assert page["totalSize"] == len(PREDEFINED) + 2
        names += [one["name"] for one in page["eventTypes"]]
        token, pages = page["nextPageToken"], pages + 1
    assert sorted(names) == sorted([*PREDEFINED, "order.paid", "met by the way"])
    assert (set(names[-2:]), pages) == ({"order.paid", "met by the way"}, 4)
    assert len(api.get(TYPES).json()["eventTypes"]) == len(names)


def test_types_made_meanwhile_come_behind_the_page(api: Api) -> None:
    first = api.get(f"{TYPES}?pageSize=8").json()
    assert first["nextPageToken"] == ""
    first = api.get(f"{TYPES}?pageSize=7").json()
    api.move("1 second")
    make(api)
    rest = api.get(f"{TYPES}?pageToken={first['nextPageToken']}").json()
    assert [one["name"] for one in rest["eventTypes"]][1:] == ["order.paid"]
    assert rest["totalSize"] == first["totalSize"] + 1


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=-1", "pageSize=x", "pageSize=1.5", "pageToken=x"])
def test_queries_that_make_no_page(api: Api, query: str) -> None:
    assert problem(api.get(f"{TYPES}?{query}")) == (400, "malformed", query.partition("=")[0])


def test_a_page_has_fifty_entries_unless_it_says_and_five_hundred_at_most(api: Api) -> None:
    for number in range(501 - len(PREDEFINED)):
        api.engine.types.create(f"type {number}")
    for query, size in [
        ("", 50),
        ("?pageSize=", 50),
        ("?pageSize=1", 1),
        ("?pageSize=500", 500),
        ("?pageSize=501", 500),
    ]:
        assert len(api.get(f"{TYPES}{query}").json()["eventTypes"]) == size


# ------------------------------------------------------------------------------------------------ who


def test_ids_and_tenants_have_their_forms(api: Api) -> None:
    made = make(api)
    assert re.fullmatch(r"evt-type_[0-7][0-9A-HJKMNP-TV-Z]{25}", made["id"])
    assert re.fullmatch(r"tn_[0-7][0-9A-HJKMNP-TV-Z]{25}", made["tenantId"])
    elsewhere = api.post(TYPES, {"name": "order.paid"}, key=api.other_key).json()
    assert elsewhere["tenantId"] != made["tenantId"]
