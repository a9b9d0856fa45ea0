"""Personal data over HTTP: a key that lacks person:read is shown no person, by whatever else it may read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine.access import Scope
from tests.api.conftest import Api

WHO = "ann-personal-1"
ADDRESS = "ann.personal@example.com"
RULES = 'Rule: hello\nTrigger: signed_up\nAction: send_email "x" to person.email\n'
PSEUDONYM = re.compile(r"~[0-9a-f]{12}")

LISTS: dict[str, tuple[Scope, ...]] = {
    "/v1/deliveries": (Scope.DELIVERY_READ,),
    "/v1/events": (Scope.EVENT_LIST,),
    "/v1/events/counts": (Scope.EVENT_LIST,),
    "/v1/journeys": (Scope.JOURNEY_READ,),
    "/v1/addresses": (Scope.DELIVERY_READ,),
    "/v1/quarantine": (Scope.QUARANTINE_READ,),
    "/v1/rules": (Scope.RULE_READ,),
    "/v1/pauses": (Scope.PAUSE_READ,),
    "/v1/event-types": (Scope.EVENT_TYPE_LIST,),
}


@pytest.fixture
def told(make_api: Callable[..., Api]) -> Api:
    """Somebody of whom everything there is to list tells."""
    api = make_api(RULES)
    api.engine.identify(WHO, {"email": ADDRESS})
    api.engine.ingest({"event": "signed_up", "user_id": WHO, "properties": {"mail": ADDRESS}})
    api.move("1 minute")
    key = api.engine.deliveries().items[0].key

    def went(connection: Any) -> None:
        connection.exec_driver_sql(
            "UPDATE outbox SET recipient = ?, error = ?", (ADDRESS, f"550 <{ADDRESS}>: no {WHO}")
        )

    api.engine.writer.run(went)
    report = {"event": "email_bounced", "user_id": WHO, "caused_by": key}
    api.engine.ingest({**report, "properties": {"hard": True, "reason": f"no <{ADDRESS}>"}})
    bad = {"event": "", "user_id": WHO, "properties": {"mail": ADDRESS}}
    api.engine.submit([bad], source="segment", quarantine=True).result()
    return api


def test_without_the_scope_nobody_is_shown_by_any_list(told: Api) -> None:
    for path, scopes in LISTS.items():
        answer = told.get(path, key=told.make_key(*scopes))
        assert answer.status_code == 200, answer.text
        assert WHO not in answer.text, path
        assert ADDRESS not in answer.text, path
        whole = told.get(path, key=told.make_key(*scopes, Scope.PERSON_READ, Scope.EVENT_READ))
        assert [type(one) for one in whole.json().values()] == [type(one) for one in answer.json().values()]


def test_with_it_they_are(told: Api) -> None:
    read = (Scope.PERSON_READ, Scope.EVENT_READ)
    (delivery,) = told.get("/v1/deliveries", key=told.make_key(Scope.DELIVERY_READ, *read)).json()["deliveries"]
    assert (delivery["person"], delivery["recipient"]) == (WHO, ADDRESS)
    (address,) = told.get("/v1/addresses", key=told.make_key(Scope.DELIVERY_READ, *read)).json()["addresses"]
    assert address["address"] == ADDRESS
    (item,) = told.get("/v1/quarantine", key=told.make_key(Scope.QUARANTINE_READ, *read)).json()["items"]
    assert item["item"]["user_id"] == WHO
    events = told.get("/v1/events", key=told.make_key(Scope.EVENT_LIST, *read)).json()["events"]
    assert {one["person"] for one in events} == {WHO}


def test_one_person_has_one_pseudonym_in_a_workspace_and_another_elsewhere(told: Api) -> None:
    key = told.make_key(Scope.DELIVERY_READ, Scope.JOURNEY_READ, Scope.EVENT_LIST)
    (delivery,) = told.get("/v1/deliveries", key=key).json()["deliveries"]
    (journey,) = told.get("/v1/journeys", key=key).json()["journeys"]
    events = told.get("/v1/events", key=key).json()["events"]
    assert {delivery["person"], journey["person"]} == {one["person"] for one in events}
    assert PSEUDONYM.fullmatch(delivery["person"])
    assert PSEUDONYM.fullmatch(delivery["recipient"])
    assert delivery["error"] == f"550 <{delivery['recipient']}>: no {delivery['person']}"
    told.other.ingest({"event": "signed_up", "user_id": WHO})
    other = told.make_key(Scope.EVENT_LIST, engine=told.other)
    assert told.get("/v1/events", key=other).json()["events"][0]["person"] != delivery["person"]


def test_what_an_event_holds_needs_event_read_or_person_read(told: Api) -> None:
    for scopes, seen in (((), False), ((Scope.EVENT_READ,), True)):
        events = told.get("/v1/events", key=told.make_key(Scope.EVENT_LIST, *scopes)).json()["events"]
        assert any(one["properties"] for one in events) is seen
        assert all(PSEUDONYM.fullmatch(one["person"]) for one in events)


@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/events", "/v1/journeys"])
def test_nor_may_such_a_key_ask_for_somebody(told: Api, path: str) -> None:
    answer = told.get(f"{path}?person={WHO}", key=told.make_key(*LISTS[path]))
    assert (answer.status_code, answer.json()["error"]["field"]) == (403, "person")
    assert "person:read" in answer.json()["error"]["message"]
    assert told.get(f"{path}?person={WHO}", key=told.make_key(*LISTS[path], Scope.PERSON_READ)).status_code == 200


def test_lines_of_an_upload_are_told_without_people(told: Api) -> None:
    lines = f'{{"event":"x","user_id":"a","timestamp":"{ADDRESS}"}}\n'.encode()
    headers = {"Content-Type": "application/x-ndjson", "Upload-Complete": "?1"}
    id = told.post("/v1/imports", lines, headers=headers).json()["id"]
    assert ADDRESS not in told.get(f"/v1/imports/{id}", key=told.make_key(Scope.IMPORT_READ)).text


def test_a_schema_that_breaks_something_shows_nobody_s_properties(told: Api) -> None:
    types = told.engine.types.list().types
    id = next(one.id for one in types if one.name == "signed_up")
    body = {"schema": {"type": "object", "properties": {"mail": {"type": "integer"}}}}
    for scopes, seen in (((), False), ((Scope.PERSON_READ,), True)):
        answer = told.ask("PATCH", f"/v1/event-types/{id}", body, key=told.make_key(Scope.EVENT_TYPE_UPDATE, *scopes))
        assert answer.status_code == 409
        assert (ADDRESS in answer.text) is seen
