"""FloKit's Events API."""

from __future__ import annotations

import hashlib
from typing import Final

from engine.access import Scope
from engine.api import spellings
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, scopes
from engine.api.fields import Fields
from engine.clock import DAY
from engine.receipt import Rejection
from engine.runtime.once import Once

BATCH: Final = 1_000
"""Events a batch may hold."""

RATE: Final = "100/minute"
"""Batches a workspace may send, unless the settings say otherwise."""

LASTS: Final = DAY
"""How long an ``Idempotency-Key`` holds, microseconds from when it was used up."""

FIELDS: Final = Fields({one: one for one in ("event", "user_id", "anonymous_id", "timestamp", "properties")})

_CODES: Final = {"malformed": "validation_error"}


async def create_event(call: Call) -> Answer:
    """One event, kept under its ``Idempotency-Key``."""
    item = FIELDS.item(await call.object())
    receipt = await call.ingest([item], dated=True, once=_once(call, "flokit.events"))
    outcome = receipt.outcomes[0]
    if isinstance(outcome, Rejection):
        raise Refused(400, "validation_error", FIELDS.reason(outcome))
    return Answer(200, {"status": "ok", "event_id": spellings.event_lower(outcome.public_id)})


async def create_events(call: Call) -> Answer:
    """Up to 1,000 events; what is wrong with one is told beside the ids of the others."""
    given = (await call.object()).get("events")
    if not isinstance(given, list) or not 1 <= len(given) <= BATCH:
        raise Refused(400, "validation_error", f"events must be a list of 1 to {BATCH} events")
    items = [FIELDS.item(one) for one in given]
    receipt = await call.ingest(items, dated=True, once=_once(call, "flokit.batch", keeps_refusals=True))
    ids = [spellings.event_lower(one.public_id) for one in receipt.outcomes if not isinstance(one, Rejection)]
    errors = FIELDS.errors(receipt.rejected)
    counts = {"accepted": len(ids), "rejected": len(errors)}
    return Answer(200, {"status": "ok", **counts, "event_ids": ids, "errors": errors})


def _once(call: Call, namespace: str, *, keeps_refusals: bool = False) -> Once | None:
    """The ``Idempotency-Key``, if there is one: what comes under it within 24 hours gets the first answer."""
    key = call.headers.get("idempotency-key", "")
    longest = call.engine.settings.limits.id_length
    if len(key) > longest:
        raise Refused(400, "validation_error", f"Idempotency-Key has {len(key)} characters; it has at most {longest}")
    digest = hashlib.blake2b(call.raw, digest_size=16).digest()
    return Once(namespace, key, LASTS, digest, keeps_refusals) if key else None


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
