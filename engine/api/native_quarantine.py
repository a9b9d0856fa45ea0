"""The quarantine in the native API: what was refused and is kept all the same, to be looked at, tried again, let go."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticSerializationError, to_json

from engine.access import Scope
from engine.api import personal, spellings
from engine.api.described import Described
from engine.api.dialect import Answer, Call, Refused, Route, not_found, scopes
from engine.api.native_paging import PAGING, limit
from engine.api.spellings import Kind
from engine.errors import ConfigError
from engine.receipt import Outcome, Receipt, Rejection
from engine.runtime.engine import Engine
from engine.runtime.quarantine import Quarantined
from engine.strict_json import shown

RETRIED: Final = 1_000
"""Items that may be tried again at once."""


class QuarantinedShown(BaseModel):
    """An item as it came, and why it was refused when it was last tried."""

    id: str
    received_at: str
    source: str = Field(description="The door it came through.")
    code: str
    reason: str
    field: str | None
    item: Any = Field(
        description="As JSON text where it holds half characters, or too many levels for an answer; null without the "
        "scope person:read."
    )


class QuarantineShown(BaseModel):
    items: list[QuarantinedShown]
    after: str | None = Field(description="What to ask the next page with; null where there is none.")
    total: int


class Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(min_length=1, max_length=RETRIED)


class StoredNow(BaseModel):
    """The item is stored, or was before, and has left the quarantine."""

    id: str
    status: Literal["accepted", "duplicate"]
    event: str = Field(description="The id of what is stored.")


class StillRefused(BaseModel):
    """The item stays, with the reason of today."""

    id: str
    status: Literal["rejected"]
    code: str
    reason: str
    field: str | None


class NotThere(BaseModel):
    """There is no such item."""

    id: str
    status: Literal["not_found"]


class Retried(BaseModel):
    """What became of each item, in the order of the ids."""

    outcomes: list[StoredNow | StillRefused | NotThere]


async def list_quarantine(call: Call) -> Answer:
    """What was refused and is kept, newest first."""
    try:
        found = await call.read(_page, call.engine, limit(call), call.query.get("after") or None)
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="after") from None
    return Answer(200, {**found, "items": await personal.shown(call, found["items"], (), {"item": None})})


async def retry_quarantine(call: Call) -> Answer:
    """Try items again, as of when they came: what is good by now is stored."""
    asked = [(text, _id(text)) for text in _ids(await call.object())]
    told = await call.read(call.engine.reingest, [id for _, id in asked if id is not None])
    call.counted(Receipt(tuple(told.values())))
    return Answer(200, {"outcomes": [_plain(text, told.get(id or "")) for text, id in asked]})


async def discard_quarantined(call: Call) -> Answer:
    """Let an item go, for good."""
    id = _id(call.path["id"])
    if id is None or not await call.read(call.engine.discard, [id]):
        raise not_found("item")
    return Answer(204)


def _page(engine: Engine, limit: int, after: str | None) -> dict[str, Any]:
    found = engine.quarantined(limit, after)
    return {"items": [_item(one) for one in found.items], "after": found.after, "total": found.total}


def _item(one: Quarantined) -> dict[str, Any]:
    plain = one.plain()
    try:
        to_json(plain)
    except PydanticSerializationError:
        return {**plain, "item": one.row.body}
    return plain


def _ids(body: dict[str, Any]) -> list[str]:
    ids = body.get("ids")
    if set(body) != {"ids"} or not isinstance(ids, list) or not 1 <= len(ids) <= RETRIED:
        raise Refused(422, "invalid", f"the body has 'ids', a list of 1 to {RETRIED}, and nothing else", field="ids")
    if not all(isinstance(one, str) for one in ids):
        raise Refused(422, "invalid", "'ids' are texts", field="ids")
    return ids


def _id(text: str) -> str | None:
    """What the engine calls an item, from any spelling."""
    public_id = spellings.read(text, Kind.QUARANTINED)
    return None if public_id is None else spellings.quarantined(public_id)


def _plain(id: str, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"id": shown(id), "status": "not_found"}
    told = {"id": id, "status": outcome.status}
    if isinstance(outcome, Rejection):
        return {**told, "code": outcome.code, "reason": outcome.reason, "field": outcome.field}
    return {**told, "event": outcome.id}


ROUTES: Final = (
    Route(
        "GET", "/v1/quarantine", list_quarantine, scopes(Scope.QUARANTINE_READ),
        described=Described("Look at what was refused", QuarantineShown, query=PAGING),
    ),
    Route(
        "POST", "/v1/quarantine/retry", retry_quarantine, scopes(Scope.QUARANTINE_RETRY),
        described=Described("Try again what was refused", Retried, body=Retry, refusals=(422,)),
    ),
    Route(
        "DELETE", "/v1/quarantine/{id}", discard_quarantined, scopes(Scope.QUARANTINE_DELETE),
        described=Described("Let go what was refused", None, status=204),
    ),
)  # fmt: skip
