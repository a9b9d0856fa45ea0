"""Pauses in the native API: of a rule, of a channel, of all that leaves."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.access import Scope
from engine.api.described import Described
from engine.api.dialect import Answer, Call, Refused, Route, scopes
from engine.errors import ConfigError
from engine.runtime.engine import Engine


class PauseShown(BaseModel):
    """Something that stands still."""

    kind: Literal["all", "channel", "rule"]
    name: str | None = Field(description="Of the channel or rule.")
    since: str
    reason: str


class PausesShown(BaseModel):
    pauses: list[PauseShown] = Field(description="The longest first.")


class PauseOf(BaseModel):
    """What stands still, or goes on: one of the three."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "maxProperties": 1})

    rule: str = Field("", description="A live rule, by its id.")
    channel: str = Field("", description="A channel, by its name in the settings.")
    all: Literal[True] = Field(True, description="All that leaves.")


class PauseChanged(BaseModel):
    changed: bool = Field(description="False where it was so already.")


async def list_pauses(call: Call) -> Answer:
    """What is paused, since when and why."""
    found = await call.read(call.engine.pauses)
    return Answer(200, {"pauses": [one.plain() for one in found]})


async def create_pause(call: Call) -> Answer:
    """Have a rule, a channel, or all that leaves stand still."""
    return await _changed(call, paused=True)


async def end_pause(call: Call) -> Answer:
    """Let it go on."""
    return await _changed(call, paused=False)


async def _changed(call: Call, *, paused: bool) -> Answer:
    ((field, name),) = _named(await call.object()).items()
    try:
        changed = await call.read(_pause if paused else _resume, call.engine, field, name)
    except ConfigError as error:
        raise Refused(404, "not_found", str(error), field=field) from None
    return Answer(200, {"changed": changed})


def _pause(engine: Engine, field: str, name: str | None) -> bool:
    return engine.pause(name) if field == "rule" and name is not None else engine.pause_delivery(name)


def _resume(engine: Engine, field: str, name: str | None) -> bool:
    return engine.resume(name) if field == "rule" and name is not None else engine.resume_delivery(name)


def _named(body: dict[str, Any]) -> dict[str, str | None]:
    """The one thing that is named. Raises Refused (422, ``invalid``)."""
    if len(body) != 1 or not set(body) <= set(PauseOf.model_fields):
        raise _wrong(next((one for one in sorted(body) if one not in PauseOf.model_fields), "rule"))
    ((field, name),) = body.items()
    if field == "all" and name is True:
        return {field: None}
    if field == "all" or not isinstance(name, str):
        raise _wrong(field)
    return {field: name}


def _wrong(field: str) -> Refused:
    told = "the body has one of 'rule' and 'channel', which are text, and 'all', which is true; and nothing else"
    return Refused(422, "invalid", told, field=field)


ROUTES: Final = (
    Route(
        "GET", "/v1/pauses", list_pauses, scopes(Scope.PAUSE_READ),
        described=Described("Look at what is paused", PausesShown),
    ),
    Route(
        "POST", "/v1/pauses", create_pause, scopes(Scope.PAUSE_CREATE),
        described=Described("Pause a rule, a channel, or all that leaves", PauseChanged, body=PauseOf, refusals=(422,)),
    ),
    Route(
        "POST", "/v1/pauses/end", end_pause, scopes(Scope.PAUSE_END),
        described=Described("Let what is paused go on", PauseChanged, body=PauseOf, refusals=(422,)),
    ),
)  # fmt: skip
