"""A person's data taken out of the store: as a copy, and for good."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from engine.api import spellings
from tests.api.conftest import Api

PEOPLE = "/native/v1/people"
RULES = 'Rule: cart\nTrigger: cart_updated\nCondition: NOT bought within 24 hours\nAction: send_email "cart"\n'
CONTACT = "con_01HV8Y5R5RFMS0TFK6PKF9H2S8"


@pytest.fixture
def ann(api: Api) -> str:
    """Somebody who is known by three ids and waits in a journey; her public id as a contact."""
    api.load(RULES)
    api.engine.ingest(
        [
            {"type": "identify", "user_id": "ann", "anonymous_id": "visitor", "traits": {"plan": "free"}},
            {"type": "identify", "user_id": "ann", "contact_id": CONTACT},
            {"event": "cart_updated", "user_id": "ann", "properties": {"sku": "A-1"}, "message_id": "m-1"},
            {"event": "cart_updated", "user_id": "bob"},
        ]
    )
    found = api.engine.find("ann")
    assert found is not None
    return spellings.contact(found.id)


def test_all_that_is_stored_of_a_person_can_be_had_by_any_of_their_ids(api: Api, ann: str) -> None:
    export = api.get(f"{PEOPLE}/ann/export")
    assert export.status_code == 200
    for known in ("ann", "visitor", CONTACT, "free", "cart_updated", "A-1", "m-1", "cart"):
        assert json.dumps(known) in export.text
    assert "bob" not in export.text
    for id in ("visitor", CONTACT, ann, ann.lower()):
        assert api.get(f"{PEOPLE}/{id}/export").json() == export.json()


@pytest.mark.parametrize("id", ["018ed1f5-a183-4ecb-83e0-f9aabbccddee", "01HV8Y5R5RFMS0TFK6PKF9H2S8", "a/b", "ü"])
def test_a_person_is_found_whatever_their_own_id_looks_like(api: Api, id: str) -> None:
    api.engine.ingest({"event": "signed_up", "user_id": id})
    found = api.engine.find(id)
    assert found is not None
    for one in (quote(id, safe=""), spellings.contact(found.id), spellings.person(found.id)):
        assert api.get(f"{PEOPLE}/{one}").json()["identifiers"] == [{"kind": "user", "value": id}]
        assert len(api.get(f"/native/v1/events?person={one}").json()["events"]) == 1
        assert api.get(f"{PEOPLE}/{one}/export").json()["id"] == spellings.contact(found.id)
    assert api.ask("DELETE", f"{PEOPLE}/{quote(id, safe='')}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("id", ["nobody", "con_01HV8Y5R5RFMS0TFK6PKF9H2S9", "%00", "x" * 2000])
def test_of_nobody_there_is_nothing(api: Api, ann: str, method: str, id: str) -> None:
    answer = api.ask(method, f"{PEOPLE}/{id}{'/export' if method == 'GET' else ''}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("id", ["ann", "visitor", CONTACT, "{ann}"])
def test_a_person_is_erased_by_any_of_their_ids(api: Api, ann: str, id: str) -> None:
    event = api.get("/flownally/v1/contacts/ann/events").json()["events"][0]["id"]
    answer = api.ask("DELETE", f"{PEOPLE}/{id.format(ann=ann)}")
    assert answer.status_code == 200, answer.text
    assert sum(answer.json()["erased"].values()) > 0
    for one in ("ann", "visitor", CONTACT, ann):
        assert api.get(f"{PEOPLE}/{one}").status_code == 404
        assert api.get(f"{PEOPLE}/{one}/export").status_code == 404
        assert api.get(f"/flownally/v1/contacts/{one}/events").status_code == 404
    assert api.get(f"/flownally/v1/events/{event}").status_code == 404
    assert [one["person"] for one in api.get("/native/v1/events").json()["events"]] == ["bob"]
    api.move("25 hours")
    assert [one.person for one in api.actions] == ["bob"]


def test_what_comes_late_for_somebody_erased_is_refused_at_every_door(api: Api, ann: str) -> None:
    api.ask("DELETE", f"{PEOPLE}/ann")
    late = api.post("/native/v1/events", {"event": "cart_updated", "user_id": "ann"})
    assert (late.status_code, late.json()["error"]["code"]) == (422, "erased")
    late = api.post(f"/flownally/v1/contacts/{CONTACT}/events", {"name": "cart_updated"})
    assert (late.status_code, late.json()["code"]) == (422, "erased")
    assert api.get(f"{PEOPLE}/ann").status_code == 404


def test_a_key_is_free_again_when_its_event_is_gone(api: Api) -> None:
    body = {"name": "order.paid", "idempotencyKey": "order-4827-paid"}
    assert api.post("/flownally/v1/contacts/ann/events", body).status_code == 201
    assert api.post("/flownally/v1/contacts/bob/events", body).status_code == 409
    api.ask("DELETE", f"{PEOPLE}/ann")
    assert api.post("/flownally/v1/contacts/bob/events", body).status_code == 201
