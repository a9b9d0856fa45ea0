"""Odd input gets one verdict: what :meth:`Engine.ingest` says of it every door says, as far as it can be said there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engine.api import flameup, flokit
from engine.receipt import Rejection
from tests.api.conftest import Api
from tests.corpus.odd_inputs import FINE, NOW, ODD, ODD_JSON, Odd, event

EVENT = {"event", "user_id", "anonymous_id", "timestamp", "properties"}
OWN = {
    "name_missing": "missing_field",
    "name_not_text": "wrong_type",
    "no_person": "missing_field",
    "id_not_text": "wrong_type",
}
"""FlowNally's document names fields of its own: these codes say that one of them is missing or no text."""

NAMELESS = ("name_missing", "name_not_text")
"""What a CloudEvent without a type is told in words of its own."""

Verdict = str | None
"""Why an item is refused, in a door's words; None when it is taken."""


@dataclass(frozen=True)
class Door:
    """One route for events. ``names`` are its words for the engine's fields: what else an item has, it cannot say."""

    path: str
    names: Mapping[str, str]
    body: Callable[[dict[str, Any]], Any]
    told: Callable[[Api, Any], Verdict]
    """What it answered, or keeps, of one event."""
    expected: Callable[[Rejection], str] = lambda verdict: verdict.code
    dated: bool = False
    takes_any_properties: bool = False
    """A CloudEvent's data may be anything; what is no object is put into one."""
    least: int = 60
    """So many items of the corpus can be said."""

    def said(self, item: Any) -> dict[str, Any] | None:
        """An item in the door's words; None where it has none for it."""
        if not (isinstance(item, dict) and _is_json(item)):
            return None
        if self.takes_any_properties and not isinstance(item.get("properties", {}), dict | None):
            return None
        if "timestamp" not in self.names and item.get("timestamp") == event()["timestamp"]:
            item = {name: value for name, value in item.items() if name != "timestamp"}
        return {self.names[name]: value for name, value in item.items()} if item.keys() <= self.names.keys() else None


def _is_json(item: object) -> bool:
    try:
        return bool(json.loads(json.dumps(item)) == item)
    except (TypeError, ValueError, RecursionError):
        return False


def _outcome(_api: Api, answer: Any) -> Verdict:
    (one,) = answer.json()["outcomes"]
    return one.get("code")


def _cloud_outcome(api: Api, answer: Any) -> Verdict:
    code = _outcome(api, answer)
    return "no type" if code in (*NAMELESS, "not_a_cloud_event") else code


def _error(_api: Api, answer: Any) -> Verdict:
    found = answer.json()
    assert (answer.status_code, found["accepted"] + found["rejected"]) == (200, 1)
    return found["errors"][0]["reason"] if found["errors"] else None


def _problem(_api: Api, answer: Any) -> Verdict:
    assert answer.status_code in (201, 422), answer.text
    return None if answer.status_code == 201 else OWN.get(answer.json()["code"], answer.json()["code"])


def _kept(api: Api, answer: Any) -> Verdict:
    assert (answer.status_code, answer.content) == (200, b'{"success":true}')
    page = api.engine.quarantined()
    api.engine.discard([one.id for one in page.items])
    return page.items[0].plain()["code"] if page.items else None


def _events(event: Any) -> dict[str, Any]:
    return {"events": [event]}


DOORS = {
    "native": Door(
        "/native/v1/events/batch",
        {one: one for one in (*EVENT, "type", "contact_id", "message_id", "caused_by", "traits")},
        _events,
        _outcome,
        least=90,
    ),
    "cloudevents": Door(
        "/native/v1/events",
        {
            "event": "type", "user_id": "subject", "anonymous_id": "anonymousid", "timestamp": "time",
            "properties": "data",
        },
        lambda event: [{"specversion": "1.0", "id": "1", "source": "/odd", **event}],
        _cloud_outcome,
        lambda verdict: "no type" if verdict.code in NAMELESS else verdict.code,
        takes_any_properties=True,
    ),
    "flokit": Door(
        "/flokit/v1/batch/events", {one: one for one in EVENT}, _events, _error, flokit.FIELDS.reason, dated=True
    ),
    "flameup": Door(
        "/flameup/api/v1/track/batch",
        {own: given for given, own in flameup.FIELDS.names.items()},
        _events,
        _error,
        flameup.FIELDS.reason,
    ),
    "flownally": Door(
        "/flownally/v1/events",
        {"event": "eventTypeName", "user_id": "contactId", "properties": "payload"},
        lambda event: event,
        _problem,
        lambda verdict: OWN.get(verdict.code, verdict.code),
        least=30,
    ),
    "segment": Door(
        "/segment/v1/batch",
        {
            "event": "event", "user_id": "userId", "anonymous_id": "anonymousId", "timestamp": "timestamp",
            "properties": "properties", "message_id": "messageId",
        },
        lambda event: {"batch": [{"type": "track", **event}]},
        _kept,
    ),
}  # fmt: skip
EVERY_DOOR = pytest.mark.parametrize("name", DOORS)


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """At the corpus's moment; the quarantine keeps whatever is refused."""
    made = make_api(quarantine={"item_bytes": 10_000_000})
    made.clock.set(NOW)
    return made


@EVERY_DOOR
def test_what_is_refused_anywhere_is_refused_everywhere(api: Api, name: str) -> None:
    door, said = DOORS[name], 0
    for odd in ODD:
        given = door.said(odd.item)
        if given is None or (door.dated and "timestamp" not in odd.item):
            continue
        said += 1
        (verdict,) = api.engine.ingest([odd.item], dated=door.dated).outcomes
        assert isinstance(verdict, Rejection)
        assert told(api, door, given) == door.expected(verdict), odd.name
    assert said >= door.least
    assert api.engine.events().events == ()


@EVERY_DOOR
def test_what_is_taken_anywhere_is_taken_everywhere(api: Api, name: str) -> None:
    door, taken = DOORS[name], 0
    for fine in FINE:
        given = door.said(fine.item)
        if given is None or (door.dated and "timestamp" not in fine.item):
            continue
        taken += 1
        assert told(api, door, given) is None, fine.name
    assert taken >= 10


def told(api: Api, door: Door, event: dict[str, Any]) -> Verdict:
    kind = "application/cloudevents-batch+json" if "subject" in door.names.values() else "application/json"
    return door.told(api, api.post(door.path, door.body(event), headers={"Content-Type": kind}))


@EVERY_DOOR
@pytest.mark.parametrize("odd", ODD_JSON, ids=lambda odd: odd.name)
def test_text_that_is_no_json_is_nobody_s_event(api: Api, name: str, odd: Odd) -> None:
    door = DOORS[name]
    answer = api.post(door.path, odd.item.encode())
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.json()
    assert api.engine.events().events == ()
