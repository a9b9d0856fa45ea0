"""``lapse quarantine``, ``lapse erase`` and ``lapse person --export``."""

from __future__ import annotations

import json

import pytest

from engine.runtime.engine import Engine

STORE = "sqlite:///lapse.db"


@pytest.fixture
def store(place):
    with Engine.open(STORE) as engine:
        engine.types.create("paid", schema={"type": "object", "required": ["amount"]})
        items = [
            {"event": "seen", "user_id": "ann", "anonymous_id": "visitor"},
            {"event": "paid", "user_id": "ann"},
            {"event": "paid"},
            {"event": "seen", "user_id": "bob"},
        ]
        engine.submit(items, source="segment", quarantine=True).result()
        yield engine


def test_what_is_in_quarantine_is_listed_with_why(lapse, store):
    ran = lapse("quarantine")
    assert ran.code == 0
    assert "Missing required field: amount" in " ".join(ran.out.split())
    assert "2 items in quarantine" in ran.out
    listed = lapse("quarantine", "--format", "json").json
    assert [one["code"] for one in listed["items"]] == ["no_person", "breaks_schema"]
    assert listed["items"][1]["item"] == {"event": "paid", "user_id": "ann"}
    first = lapse("quarantine", "--limit", "1", "--format", "json").json
    assert first["items"] == listed["items"][:1]
    ran = lapse("quarantine", "--limit", "1")
    assert f"--after {first['after']}" in ran.out
    rest = lapse("quarantine", "--after", first["after"], "--format", "json").json
    assert rest["items"] == listed["items"][1:]


def test_items_are_tried_again(lapse, store):
    store.types.update("paid", schema=None)
    ran = lapse("quarantine", "retry", "--all")
    assert ran.code == 1
    assert "1 item stored, 1 still refused" in ran.out
    (left,) = lapse("quarantine", "--format", "json").json["items"]
    assert f"{left['id']}: user_id" in ran.out
    assert lapse("quarantine", "retry", "qua_unknown").code == 0
    assert [one.event for one in store.events("ann").events] == ["paid", "seen"]


def test_items_are_dropped(lapse, store):
    ids = [one["id"] for one in lapse("quarantine", "--format", "json").json["items"]]
    assert "1 item dropped" in lapse("quarantine", "drop", ids[0]).out
    assert "1 item dropped" in lapse("quarantine", "drop", "--all").out
    assert "0 items in quarantine" in lapse("quarantine").out


@pytest.mark.parametrize("verb", ["retry", "drop"])
@pytest.mark.parametrize("words", [(), ("qua_x", "--all")])
def test_which_items_are_meant_has_to_be_said(lapse, store, verb, words):
    ran = lapse("quarantine", verb, *words)
    assert ran.code == 2
    assert "or say --all" in ran.err


def test_a_person_is_exported_and_erased(lapse, place, store):
    ran = lapse("person", "visitor", "--export", "ann.json")
    assert ran.code == 0
    assert "ann.json" in ran.out
    exported = json.loads((place / "ann.json").read_text())
    assert exported == store.export("ann")
    ran = lapse("erase", "visitor", "--yes")
    assert ran.code == 0
    assert "'visitor' is erased: 1 events, 2 identifiers, 1 quarantined" in ran.out
    assert store.find("ann") is None
    for verb in (("person", "ann"), ("person", "ann", "--export", "x.json"), ("erase", "ann", "--yes")):
        ran = lapse(*verb)
        assert ran.code == 1
        assert "nobody has the id 'ann'" in ran.err
    assert not (place / "x.json").exists()


@pytest.mark.parametrize("answer", ["y\n", "n\n", ""])
def test_erasing_asks_first(lapse, store, answer):
    ran = lapse("erase", "ann", stdin=answer)
    assert (ran.code == 0) == (answer == "y\n")
    assert (store.find("ann") is None) == (answer == "y\n")


def test_erasing_for_programs(lapse, store):
    assert lapse("erase", "ann", "--yes", "--format", "json").json["erased"]["events"] == 1


def test_a_question_is_no_part_of_the_document(process, store):
    ran = process("erase", "ann", "--format", "json", stdin=b"y\n")
    assert (ran.code, ran.json["erased"]["events"]) == (0, 1)
    assert "Erase all that is stored of 'ann', for good?" in ran.err


def test_an_export_that_cannot_be_written_is_told(lapse, store):
    ran = lapse("person", "ann", "--export", "absent/ann.json")
    assert ran.code == 2
    assert "'absent/ann.json' cannot be written" in ran.err


def test_a_workspace_can_be_named(lapse, store):
    assert lapse("workspaces", "create", "acme").code == 0
    assert "0 items" in lapse("quarantine", "--workspace", "acme").out
    assert lapse("person", "ann", "--workspace", "acme").code == 1
    assert lapse("erase", "ann", "--yes", "--workspace", "acme").code == 1
    ran = lapse("erase", "ann", "--workspace", "absent")
    assert ran.code == 2
    assert "there is no workspace 'absent'" in ran.err
