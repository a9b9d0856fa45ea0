"""FloKit's Events API."""

from __future__ import annotations

from typing import Final

from engine.access import Scope
from engine.api import spellings
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, scopes
from engine.api.fields import Fields
from engine.receipt import Rejection

BATCH: Final = 1_000
"""Events a batch may hold."""

RATE: Final = "100/minute"
"""Batches a workspace may send, unless the settings say otherwise."""

FIELDS: Final = Fields({one: one for one in ("event", "user_id", "anonymous_id", "timestamp", "properties")})

_CODES: Final = {"malformed": "validation_error"}


async def create_event(call: Call) -> Answer:
    """One event, kept under its ``Idempotency-Key``."""
    receipt = await call.ingest([FIELDS.item(await call.object())], dated=True)
    outcome = receipt.outcomes[0]
    if isinstance(outcome, Rejection):
        raise Refused(400, "validation_error", FIELDS.reason(outcome))
    return Answer(200, {"status": "ok", "event_id": _spelt(outcome.id)})


async def create_events(call: Call) -> Answer:
    """Up to 1,000 events; what is wrong with one is told beside the ids of the others."""
    given = (await call.object()).get("events")
    if not isinstance(given, list) or not 1 <= len(given) <= BATCH:
        raise Refused(400, "validation_error", f"events must be a list of 1 to {BATCH} events")
    receipt = await call.ingest([FIELDS.item(one) for one in given], dated=True)
    ids = [_spelt(one.id) for one in receipt.outcomes if not isinstance(one, Rejection)]
    errors = FIELDS.errors(receipt.rejected)
    counts = {"accepted": len(ids), "rejected": len(errors)}
    return Answer(200, {"status": "ok", **counts, "event_ids": ids, "errors": errors})


def _spelt(id: str) -> str:
    return spellings.event_lower(spellings.of_receipt(id))


def refuse(refused: Refused, _request_id: str) -> Answer:
    """``{"error", "message"}``."""
    return Answer(refused.status, {"error": _CODES.get(refused.code, refused.code), "message": refused.message})


DIALECT: Final = Dialect(
    "flokit",
    (
        Route("POST", "/v1/events", create_event, scopes(Scope.EVENT_CREATE)),
        Route(
            "POST", "/v1/batch/events", create_events, scopes(Scope.EVENT_CREATE),
            events=BATCH, limit="flokit.batch", rate=RATE,
        ),
    ),
    refuse,
)  # fmt: skip
