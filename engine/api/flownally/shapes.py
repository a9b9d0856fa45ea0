"""How FlowNally writes things down, and how the bodies of its requests are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from engine.api import spellings
from engine.api.dialect import Answer, Call, Refused
from engine.clock import iso
from engine.errors import RefusedError
from engine.runtime.records import DoorEvent
from engine.runtime.types import EventType
from engine.strict_json import checked_text, kind, shown

PAGE: Final = 50
"""Entries of a page that does not say how many."""

LONGEST_PAGE: Final = 500
"""Entries of a page at most; who asks for more gets this many."""

_MORE: Final = {"event_id": "eventId"}
"""What a refusal shows beside its text, where FlowNally's spelling differs."""


def event_type(found: EventType, workspace: bytes) -> dict[str, Any]:
    """An event type. A description or schema that it does not have is left out."""
    optional = {"description": found.description, "payloadSchema": found.schema}
    return {
        "id": found.id,
        "tenantId": spellings.tenant(workspace),
        "name": found.name,
        **{name: value for name, value in optional.items() if value is not None},
        "createdAt": iso(found.created_at),
        "updatedAt": iso(found.updated_at),
    }


def event(found: DoorEvent, workspace: bytes) -> dict[str, Any]:
    """An event. A key that it did not come with is left out."""
    key = {} if found.key is None else {"idempotencyKey": found.key}
    return {
        "id": spellings.event(found.id),
        "tenantId": spellings.tenant(workspace),
        "contactId": found.person.contact or spellings.contact(found.person.id),
        "eventTypeId": spellings.event_type(found.type_id),
        "eventTypeName": found.name,
        "payload": found.properties,
        **key,
        "createdAt": iso(found.received_at),
    }


def page(name: str, entries: Sequence[dict[str, Any]], after: str | None, total: int) -> Answer:
    """A page of a list; the last one's token is empty."""
    return Answer(200, {name: list(entries), "nextPageToken": after or "", "totalSize": total})


def page_size(call: Call) -> int:
    """How many entries are asked for. Raises Refused (400)."""
    return call.whole("pageSize", PAGE, least=1, most=LONGEST_PAGE)


def page_token(call: Call) -> str | None:
    """Behind which entry the page begins; None for the first."""
    return call.query.get("pageToken") or None


async def body_of(call: Call, *names: str) -> dict[str, Any]:
    """The request's body, an object with nothing but these fields. Raises Refused (400, 422)."""
    body = await call.object()
    unknown = next((one for one in body if one not in names), None)
    if unknown is not None:
        reason = f"'{shown(unknown)}' is not a field; fields are {', '.join(names)}"
        raise Refused(422, "unknown_field", reason, field=shown(unknown))
    return body


def required(body: Mapping[str, Any], name: str) -> str:
    """A text that a body has to have. Raises Refused (422)."""
    text = optional(body, name)
    if not text:
        raise Refused(422, "missing_field", f"{name} is required", field=name)
    return text


def optional(body: Mapping[str, Any], name: str) -> str | None:
    """A text that a body may have; null is as good as absent. Raises Refused (422)."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Refused(422, "wrong_type", f"{name} is {kind(value)}; it is text", field=name)
    try:
        return checked_text(value, (name,))
    except RefusedError as error:
        raise Refused(422, error.code, error.reason, field=name) from None


@contextmanager
def in_words(names: Mapping[str, str]) -> Iterator[None]:
    """Refusals from within, in FlowNally's words for the engine's: ``properties.total`` becomes ``payload.total``."""
    try:
        yield
    except Refused as refused:
        raise _spelt(refused, names) from None


def _spelt(refused: Refused, names: Mapping[str, str]) -> Refused:
    own = refused.field or ""
    head = next((one for one in names if own == one or own.startswith((f"{one}.", f"{one}["))), None)
    if head is None:
        return refused
    begins = refused.message.startswith(head)
    message = names[head] + refused.message.removeprefix(head) if begins else refused.message
    field = names[head] + own.removeprefix(head)
    return Refused(refused.status, refused.code, message, field=field, more=refused.more)


def refuse(refused: Refused, request_id: str) -> Answer:
    """A ProblemDetails (RFC 9457), with ``code`` and ``requestId``, and ``field`` where one is to blame."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "code": refused.code,
        "detail": refused.message,
        "requestId": request_id,
        **({"field": refused.field} if refused.field is not None else {}),
        **{_MORE.get(name, name): value for name, value in refused.more.items()},
    }
    return Answer(refused.status, problem)
