"""The native API: what the engine has, as it has it."""

from __future__ import annotations

from typing import Any, Final

from engine.access import Scope
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, scopes
from engine.receipt import Accepted, Duplicate, Outcome, Rejection

BATCH: Final = 1_000
"""Events a batch may hold."""


async def create_event(call: Call) -> Answer:
    receipt = await call.ingest([await call.object()])
    outcome = receipt.outcomes[0]
    if isinstance(outcome, Rejection):
        raise Refused(422, outcome.code, outcome.reason, field=outcome.field)
    return Answer(200, _plain(outcome))


async def create_events(call: Call) -> Answer:
    items = (await call.object()).get("events")
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH:
        raise Refused(400, "malformed", f"the body must be {{'events': [...]}} with 1 to {BATCH} events")
    receipt = await call.ingest(items)
    return Answer(
        200,
        {
            "accepted": len(receipt.ids),
            "duplicates": len(receipt.duplicates),
            "rejected": len(receipt.rejected),
            "outcomes": [_plain(one) for one in receipt.outcomes],
        },
    )


def _plain(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"index": outcome.index, "status": outcome.status}
    match outcome:
        case Accepted(id=id):
            return {**found, "id": id}
        case Duplicate(id=id, conflict=conflict):
            return {**found, "id": id, "conflict": conflict}
        case Rejection(code=code, reason=reason, field=field):
            return {**found, "code": code, "reason": reason, "field": field}


def refuse(refused: Refused, request_id: str) -> Answer:
    """``{"error": {"code", "message", "field"}, "request_id"}``."""
    error = {"code": refused.code, "message": refused.message, "field": refused.field}
    return Answer(refused.status, {"error": error, "request_id": request_id})


DIALECT: Final = Dialect(
    "native",
    (
        Route("POST", "/v1/events", create_event, scopes(Scope.EVENT_CREATE)),
        Route("POST", "/v1/events/batch", create_events, scopes(Scope.EVENT_CREATE), events=BATCH),
    ),
    refuse,
)
