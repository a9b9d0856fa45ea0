"""Flameup's Events API."""

from __future__ import annotations

from typing import Any, Final

from engine.access import Scope
from engine.api import spellings
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, not_found, scopes
from engine.api.fields import Fields
from engine.clock import iso
from engine.errors import RefusedError
from engine.receipt import Rejection
from engine.runtime.records import DoorEvent
from engine.timestamps import parse_timestamp

BATCH: Final = 100
"""Events a batch may hold."""

PAGE: Final = 50
"""Events shown when the request does not say how many."""

LONGEST_PAGE: Final = 500
"""Events shown at most; who asks for more gets this many."""

FIELDS: Final = Fields(
    {"external_id": "user_id", "event": "event", "parameters": "properties", "timestamp": "timestamp"}
)

_TYPES: Final = {"malformed": "validation_error"}


# ------------------------------------------------------------------------------------------------ events in


async def track(call: Call) -> Answer:
    """One event."""
    outcome = (await call.ingest([FIELDS.item(await call.object())])).outcomes[0]
    if isinstance(outcome, Rejection):
        raise Refused(422, "validation_error", FIELDS.reason(outcome))
    return Answer(200, {"success": True, "event_id": spellings.event_hex(outcome.public_id)})


async def track_batch(call: Call) -> Answer:
    """Up to 100 events, of any number of people; what is wrong with one is told beside the ids of the others."""
    given = (await call.object()).get("events")
    if not isinstance(given, list) or not 1 <= len(given) <= BATCH:
        raise Refused(400, "validation_error", f"events must be a list of 1 to {BATCH} events")
    receipt = await call.ingest([FIELDS.item(one) for one in given])
    ids = [spellings.event_hex(one.public_id) for one in receipt.outcomes if not isinstance(one, Rejection)]
    errors = FIELDS.errors(receipt.rejected)
    counts = {"accepted": len(ids), "rejected": len(errors)}
    return Answer(200, {"success": True, **counts, "event_ids": ids, "errors": errors})


# ------------------------------------------------------------------------------------------------ events of a person


async def person_events(call: Call) -> Answer:
    """A person's events, the latest first."""
    person = await call.read(call.engine.find, call.path["person_id"], kinds=("user",))
    if person is None:
        raise not_found("person")
    found = await call.read(
        call.engine.happenings,
        person,
        name=call.query.get("event") or None,
        since=_moment(call, "since"),
        until=_moment(call, "until"),
        limit=call.whole("limit", PAGE, least=1, most=LONGEST_PAGE),
        offset=call.whole("offset", 0),
    )
    workspace = spellings.workspace(call.workspace.public_id)
    return Answer(200, {"events": [_shown(one, workspace) for one in found.events], "total": found.total})


def _moment(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if not text:
        return None
    try:
        return parse_timestamp(text)
    except RefusedError as error:
        raise Refused(400, "malformed", f"{name}: {error.reason}", field=name) from None


def _shown(one: DoorEvent, workspace: str) -> dict[str, Any]:
    return {
        "id": spellings.event_hex(one.id),
        "workspace_id": workspace,
        "person_id": spellings.person(one.person.id),
        "event": one.name,
        "parameters": one.properties,
        "timestamp": iso(one.at),
        "created_at": iso(one.received_at),
    }


def refuse(refused: Refused, request_id: str) -> Answer:
    """``{"success", "error": {"type", "message"}, "request_id"}``."""
    error = {"type": _TYPES.get(refused.code, refused.code), "message": refused.message}
    return Answer(refused.status, {"success": False, "error": error, "request_id": request_id})


DIALECT: Final = Dialect(
    "flameup",
    (
        Route("POST", "/api/v1/track", track, scopes(Scope.EVENT_CREATE)),
        Route("POST", "/api/v1/track/batch", track_batch, scopes(Scope.EVENT_CREATE), events=BATCH),
        Route(
            "GET", "/api/v1/people/{person_id}/events", person_events, scopes(Scope.EVENT_LIST, Scope.EVENT_READ)
        ),
    ),
    refuse,
)  # fmt: skip
