"""FlowNally's events: recorded against contacts, and shown."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from engine.api import spellings
from engine.api.dialect import Answer, Call, Refused, not_found
from engine.api.event_types import asked, type_id
from engine.api.flownally import shapes
from engine.api.spellings import Kind
from engine.errors import ConfigError
from engine.receipt import Rejection
from engine.runtime.contacts import PersonRef
from engine.runtime.once import Once

NAMESPACE: Final = "flownally"
"""Idempotency keys of both routes that record events are one set."""

_CONTACT: Final = "con_"

_WORDS: Final = {
    "properties": "payload",
    "user_id": "contactId",
    "anonymous_id": "contactId",
    "contact_id": "contactId",
}
"""FlowNally's words for the engine's."""


async def create_event(call: Call) -> Answer:
    """Record an event against the contact that the body names."""
    body = await shapes.body_of(call, "contactId", "eventTypeName", "payload", "idempotencyKey")
    return await _record(call, shapes.required(body, "contactId"), "eventTypeName", body)


async def create_contact_event(call: Call) -> Answer:
    """Record an event against the contact that the path names."""
    body = await shapes.body_of(call, "name", "payload", "idempotencyKey")
    return await _record(call, call.path["contactId"], "name", body)


async def get_event(call: Call) -> Answer:
    """One, by its id."""
    id = spellings.read(call.path["id"], Kind.EVENT)
    if id is None:
        raise not_found("event")
    return Answer(200, await _shown(call, id))


async def list_events(call: Call) -> Answer:
    """All, newest arrival first."""
    return await _page(call, None)


async def list_contact_events(call: Call) -> Answer:
    """A contact's, newest arrival first."""
    person = await _person(call, call.path["contactId"])
    if person is None:
        raise not_found("contact")
    return await _page(call, person)


# ------------------------------------------------------------------------------------------------ inside


async def _record(call: Call, contact: str, name: str, body: dict[str, Any]) -> Answer:
    """Record what a body says; its field ``name`` holds the event's name."""
    item = {"event": shapes.required(body, name), "properties": body.get("payload"), **await _owner(call, contact)}
    receipt = await call.ingest([item], once=_once(call, body))
    outcome = receipt.outcomes[0]
    if isinstance(outcome, Rejection):
        with shapes.in_words({**_WORDS, "event": name}):
            raise Refused(422, outcome.code, outcome.reason, field=outcome.field)
    if receipt.repeated:
        reason = "an event with this idempotency key already exists"
        more = {"event_id": outcome.id}
        raise Refused(409, "idempotency_key_used", reason, field="idempotencyKey", more=more)
    return Answer(201, await _shown(call, outcome.public_id))


async def _owner(call: Call, contact: str) -> dict[str, str]:
    """By which field an event names its contact, known or not. Raises Refused (404) where the settings say so."""
    person = await _person(call, contact)
    if person is not None:
        return person.item()
    if call.engine.settings.api.contacts == "refuse":
        raise not_found("contact")
    return {"contact_id" if contact.startswith(_CONTACT) else "user_id": contact}


async def _person(call: Call, contact: str) -> PersonRef | None:
    """The person a ``contactId`` stands for: ``con_`` and theirs, a ``contact`` identifier, or a user id."""
    return await call.read(call.engine.find, contact, ("contact" if contact.startswith(_CONTACT) else "user",))


def _once(call: Call, body: dict[str, Any]) -> Once | None:
    """The key that a body has; it holds as long as its event. Raises Refused (422)."""
    key, longest = shapes.optional(body, "idempotencyKey"), call.engine.settings.limits.id_length
    if not key:
        return None
    if len(key) > longest:
        reason = f"idempotencyKey has {len(key)} characters; it has at most {longest}"
        raise Refused(422, "id_too_long", reason, field="idempotencyKey")
    return Once(NAMESPACE, key, None, hashlib.blake2b(call.raw, digest_size=16).digest())


async def _shown(call: Call, id: bytes) -> dict[str, Any]:
    found = await call.read(call.engine.event, id, NAMESPACE)
    if found is None:
        raise not_found("event")
    return shapes.event(found, call.workspace.public_id)


async def _page(call: Call, person: PersonRef | None) -> Answer:
    try:
        found = await call.read(
            call.engine.arrivals,
            person,
            await _type(call),
            shapes.page_size(call),
            shapes.page_token(call),
            NAMESPACE,
        )
    except ConfigError:
        raise Refused(400, "malformed", "pageToken is none that a page gave", field="pageToken") from None
    entries = [shapes.event(one, call.workspace.public_id) for one in found.events]
    return shapes.page("events", entries, found.after, found.total)


async def _type(call: Call) -> bytes | None:
    """The type whose events are asked for. Raises Refused (404) for one that is not there."""
    text = call.query.get("eventTypeId")
    return (await asked(call, call.engine.types.get, type_id(text))).public_id if text else None
