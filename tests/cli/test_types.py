"""``lapse types``, and names beside the convention in ``check`` and ``doctor``."""

from __future__ import annotations

import json

import pytest

from engine.schemas.predefined import PREDEFINED

pytestmark = pytest.mark.usefixtures("new_store")

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["orderId"]}


@pytest.fixture(autouse=True)
def rules(place):
    (place / "rules").mkdir()


@pytest.fixture
def schema(place):
    (place / "order.json").write_text(json.dumps(SCHEMA))
    return place / "order.json"


def test_the_predefined_types_are_there_from_the_start(lapse):
    ran = lapse("types", "--format", "json")
    assert ran.code == 0
    assert {one["name"]: one["description"] for one in ran.json["types"]} == dict(PREDEFINED)
    assert all(one["predefined"] for one in ran.json["types"])


def test_a_type_is_made_from_a_file_shown_and_deleted(lapse, schema):
    made = lapse("types", "create", "order.paid", "--schema", schema, "--description", "Paid.")
    assert made.code == 0
    assert "'order.paid' is there: evt-type_" in made.out
    shown = lapse("types", "--format", "json").json["types"][-1]
    assert (shown["name"], shown["schema"], shown["description"]) == ("order.paid", SCHEMA, "Paid.")
    assert "orderId, total" in lapse("types").out
    assert lapse("types", "delete", "order.paid").code == 0
    assert "order.paid" not in lapse("types").out


def test_more_types_than_a_page_are_all_shown(lapse, monkeypatch):
    monkeypatch.setattr("engine.cli.types.PAGE", 3)
    assert len(lapse("types", "--format", "json").json["types"]) == 8


def test_lines_of_a_file_that_break_a_schema_are_refused(lapse, schema, place):
    lapse("types", "create", "order.paid", "--schema", schema)
    (place / "log.jsonl").write_text('{"event": "order.paid", "user_id": "u", "timestamp": "2026-01-01T00:00:00Z"}\n')
    ran = lapse("ingest", "log.jsonl")
    assert ran.code == 1
    assert "Missing required field: orderId" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "signed_up"), "there is an event type 'signed_up' already"),
        (("create", "a", "--schema", "none.json"), "'none.json' cannot be read"),
        (("create", "a", "--schema", "broken.json"), "not valid JSON"),
        (("create", "a", "--schema", "wrong.json"), "schema.type"),
        (("create", " "), "event is empty"),
        (("delete", "nobody"), "there is no such event type"),
        (("delete", "signed_up"), "is predefined and stays"),
        (("--workspace", "nobody"), "there is no workspace 'nobody'"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_told_in_a_sentence(lapse, place, words, told):
    (place / "broken.json").write_text("{")
    (place / "wrong.json").write_text('{"type": "strin"}')
    ran = lapse("types", *words)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_a_workspace_has_its_own(lapse):
    lapse("workspaces", "create", "acme")
    lapse("types", "create", "order.paid", "--workspace", "acme")
    assert "order.paid" in lapse("types", "--workspace", "acme").out
    assert "order.paid" not in lapse("types").out


RULES = """\
Rule: shop
Trigger: CartUpdated
Condition: NOT order.paid within 1 day AND NOT signed_up within 1 day
Action: track CartUpdated

Rule: fine
Trigger: cart_updated
"""


def test_check_warns_of_each_name_beside_the_convention_once(lapse, place):
    text = RULES.replace("order.paid", '"order.paid"')
    (place / "rules" / "shop.rules").write_text(text)
    found = [one for one in lapse("check", "--format", "json").json["findings"] if one["code"] == "event-name"]
    assert [(one["line"], one["severity"]) for one in found] == [(2, "warning")]
    assert found[0]["help"] == "if the event is yours to name, send and write 'cart_updated'"
    assert lapse("check").code == 0


def test_doctor_warns_of_names_beside_the_convention(lapse, monkeypatch):
    lapse("types", "create", "UserSignedUp")
    lapse("types", "create", "order.paid")
    ran = lapse("doctor")
    assert ran.code == 0
    assert "warning: the event 'UserSignedUp' is not named in snake_case, such as 'user_signed_up'" in ran.out
    assert len(lapse("doctor", "--format", "json").json["warnings"]) == 1
    lapse("types", "create", "UserLoggedIn")
    monkeypatch.setattr("engine.doctor.NAMES", 1)
    assert "warning: and 1 more; 'lapse types' shows them" in lapse("doctor").out
