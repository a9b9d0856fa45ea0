"""The matrix's rows of the native dialect."""

from __future__ import annotations

from engine.api import spellings
from engine.files import Reading
from engine.runtime import importing
from tests.api.conftest import Api
from tests.api.matrix import SECRET, row

RULES = f'Rule: {SECRET}\nTrigger: signed_up\nCondition: NOT logged_in within 1 hour\nAction: send_email "x"\n'
EVENT = {"event": "signed_up", "user_id": SECRET}
ADDRESS = f"{SECRET}@example.com"


def person(api: Api) -> dict[str, str]:
    """Somebody, on whom a rule has acted."""
    api.load(RULES)
    api.engine.ingest(EVENT)
    api.move("2 hours")
    return {"id": SECRET}


def delivery(api: Api) -> dict[str, str]:
    """An action that left."""
    person(api)
    return {"key": api.engine.deliveries().items[0].key}


def bounced(api: Api) -> dict[str, str]:
    """An address that takes no mail any more."""
    api.engine.identify(SECRET, {"email": ADDRESS})
    report = {"event": "email_bounced", "user_id": SECRET, "caused_by": delivery(api)["key"]}
    api.engine.ingest({**report, "properties": {"hard": True}})
    return {}


def paused(api: Api) -> dict[str, str]:
    """A rule that is paused."""
    api.load(RULES)
    api.engine.pause(SECRET)
    return {}


def erasable(api: Api) -> dict[str, str]:
    """Somebody who is there however often they were erased before: by then they are a new person."""
    api.move("100 hours")
    api.engine.ingest(EVENT)
    return {"id": SECRET}


def key(api: Api) -> dict[str, str]:
    api.make_key(name=SECRET)
    *_, made = api.app.state.service.keyring.of_workspace(api.engine.workspace)
    return {"id": spellings.key(made.public_id)}


def event_type(api: Api) -> dict[str, str]:
    """A type, made once for an api."""
    made = next((one for one in api.engine.types.list().types if one.name == SECRET), None)
    return {"id": (made or api.engine.types.create(SECRET)).id}


def upload(api: Api) -> dict[str, str]:
    row = importing.begin(api.engine, "jsonl", Reading(), historical=False)
    return {"id": spellings.upload(row.public_id)}


def quarantined(api: Api) -> dict[str, str]:
    api.engine.submit([{"event": SECRET}], source="segment", quarantine=True).result()
    return {"id": api.engine.quarantined().items[0].id}


ROWS = [
    row("POST", "/v1/events", "event:create", body=EVENT),
    row("POST", "/v1/events/batch", "event:create", body={"events": [EVENT]}),
    row("GET", "/v1/events", "event:list", prepare=person),
    row("GET", "/v1/events/counts", "event:list", prepare=person),
    row("GET", "/v1/people/{id}", "person:read", prepare=person, foreign=404),
    row("GET", "/v1/people/{id}/export", "person:read", prepare=person, foreign=404),
    row("DELETE", "/v1/people/{id}", "person:erase", prepare=erasable, foreign=404),
    row("GET", "/v1/rules", "rule:read", prepare=person),
    row("GET", "/v1/rules/{id}", "rule:read", prepare=person, foreign=404),
    row("GET", "/v1/journeys", "journey:read", prepare=person),
    row("GET", "/v1/deliveries", "delivery:read", prepare=person),
    row("POST", "/v1/deliveries/redrive", "delivery:redrive", body={"rule": SECRET}, prepare=person, foreign=404),
    row("GET", "/v1/deliveries/{key}", "delivery:read", "person:read", prepare=delivery, foreign=404),
    row("GET", "/v1/addresses", "delivery:read", prepare=bounced),
    row(
        "POST", "/v1/addresses/forget", "delivery:redrive", body={"address": ADDRESS}, prepare=bounced, good=204,
        foreign=404,
    ),
    row("GET", "/v1/pauses", "pause:read", prepare=paused),
    row("POST", "/v1/pauses", "pause:create", body={"rule": SECRET}, prepare=person, foreign=404),
    row("POST", "/v1/pauses/end", "pause:end", body={"rule": SECRET}, prepare=person, foreign=404),
    row("GET", "/v1/keys", "key:list", prepare=key),
    row("POST", "/v1/keys", "key:create", body={"scopes": ["key:create"]}, good=201),
    row("DELETE", "/v1/keys/{id}", "key:revoke", prepare=key, good=204, foreign=404),
    row("GET", "/v1/event-types", "event_type:list", prepare=event_type),
    row("POST", "/v1/event-types", "event_type:create", body={"name": SECRET}, good=201),
    row("GET", "/v1/event-types/{id}", "event_type:read", prepare=event_type, foreign=404),
    row("PATCH", "/v1/event-types/{id}", "event_type:update", body={"name": SECRET}, prepare=event_type, foreign=404),
    row("DELETE", "/v1/event-types/{id}", "event_type:delete", prepare=event_type, good=204, foreign=404),
    row("POST", "/v1/imports", "import:create", body=EVENT, good=201),
    row(
        "PATCH", "/v1/imports/{id}", "import:create", body=EVENT, headers={"Upload-Offset": "0"}, prepare=upload,
        foreign=404,
    ),
    row("GET", "/v1/imports/{id}", "import:read", prepare=upload, foreign=404),
    row("GET", "/v1/quarantine", "quarantine:read", prepare=quarantined),
    row("POST", "/v1/quarantine/retry", "quarantine:retry", body={"ids": [SECRET]}, prepare=quarantined),
    row("DELETE", "/v1/quarantine/{id}", "quarantine:delete", prepare=quarantined, good=204, foreign=404),
]  # fmt: skip
