"""Deliveries in the native API: what left, what did not and why; what was given up taken up again."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine.access import Scope
from engine.api.described import Described, Parameter
from engine.api.dialect import Answer, Call, Refused, Route, not_found, scopes
from engine.api.native_paging import PAGING, limit
from engine.api.native_queries import TEXT
from engine.api.personal import person_asked, shown
from engine.errors import ConfigError
from engine.runtime.deliveries import Asked, UnknownName, check_states
from engine.runtime.redriving import missing
from engine.store import listing, redriving

KEYS: Final = 1_000
"""Actions that may be named at once."""

State = Literal[
    "held", "pending", "sending", "sent", "failed", "dead", "parked", "cancelled", "suppressed", "skipped_late"
]


class DeliveryShown(BaseModel):
    """An action that left, is to leave, or was kept from it."""

    key: str = Field(description="The same at every attempt; it goes out with the action.")
    rule: str
    person: str = Field(description="A pseudonym without the scope person:read.")
    action: str
    template: str | None
    channel: str | None = Field(description="The channel that took it up; null before that.")
    recipient: str | None = Field(
        description="The address, where the channel has addresses; a pseudonym without the scope person:read."
    )
    state: State
    reason: str | None = Field(description="Why it is in this state.")
    attempts: int
    error: str | None = Field(description="What went wrong at the last attempt.")
    moment: str = Field(description="When its step was reached.")
    next_attempt_at: str | None
    left_at: str | None = Field(description="When it was first sent.")
    redriven_at: str | None = Field(description="When it was last taken up again by hand.")


class DeliveriesShown(BaseModel):
    deliveries: list[DeliveryShown]
    after: str | None = Field(description="What to ask the next page with; null where there is none.")


class SealedShown(BaseModel):
    """A look at what an action is sent as, the same bytes at every attempt."""

    bytes: int
    type: Literal["json", "email"]
    subject: str | None
    to: str | None
    content: Any = Field(description="The JSON; null of a mail.")


class WholeDeliveryShown(DeliveryShown):
    """All that is known of an action."""

    step: str
    purpose: str
    tags: list[str]
    caused_by: list[str] = Field(description="The rules that led to it.")
    created_at: str
    variables: dict[str, Any] = Field(description="As they were when it was decided.")
    sealed: SealedShown | None = Field(description="Null until its first attempt, and where nothing is made of it.")


_CHOICES: Final[list[JsonValue]] = [
    {"required": ["keys"], "properties": {"all": False}},
    {"required": ["rule"], "properties": {"all": False}},
    {"required": ["channel"], "properties": {"all": False}},
    {"required": ["all"], "properties": {"keys": False, "rule": False, "channel": False}},
]
"""What says which actions are taken up again."""


class Redrive(BaseModel):
    """Which actions are taken up again. What is left out does not narrow; at least one of the first four is there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"anyOf": _CHOICES})

    keys: list[str] = Field(default_factory=list, min_length=1, max_length=KEYS)
    rule: str = Field("", description="Those of a rule, by its id.")
    channel: str = Field("", description="Those that a channel took up.")
    all: Literal[True] = Field(True, description="All there are; beside nothing that narrows.")
    states: list[Literal["dead", "parked"]] = Field(["dead"], min_length=1, max_length=2)
    dry_run: bool = Field(False, description="Only count them.")


class Redriven(BaseModel):
    redriven: int = Field(description="How many were taken up again, or would be.")
    dry_run: bool
    missing: int = Field(description="How many of the `keys` are of nothing that could be taken up.")


async def list_deliveries(call: Call) -> Answer:
    """Actions that left, are to leave, or were kept from it, newest first."""
    asked = Asked(
        person=await person_asked(call),
        rule=call.query.get("rule"),
        states=_states(call.query.getlist("state")),
        channel=call.query.get("channel"),
        action=call.query.get("action"),
        limit=limit(call),
        after=call.query.get("after") or None,
    )
    try:
        found = await call.read(call.engine.deliveries, asked)
    except UnknownName as error:
        raise Refused(404, "not_found", str(error), field=error.field) from None
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="after") from None
    entries = [one.plain() for one in found.items]
    return Answer(200, {"deliveries": await shown(call, entries, ("person", "recipient")), "after": found.after})


async def get_delivery(call: Call) -> Answer:
    """All that is known of an action, by its key."""
    found = await call.read(call.engine.delivery, call.path["key"])
    if found is None:
        raise not_found("delivery")
    return Answer(200, found.plain())


async def redrive_deliveries(call: Call) -> Answer:
    """Take actions up again that were given up: dead ones, and parked ones where they are named."""
    body = _checked(await call.object())
    dry = body.get("dry_run", False)
    redrive = call.engine.redrivable if dry else call.engine.redrive
    chosen = partial(
        redrive, body.get("keys"), rule=body.get("rule"), channel=body.get("channel"),
        states=body.get("states", ("dead",)),
    )  # fmt: skip
    try:
        number = await call.read(chosen)
    except UnknownName as error:
        raise Refused(404, "not_found", str(error), field=error.field) from None
    return Answer(200, {"redriven": number, "dry_run": dry, "missing": missing(body.get("keys"), number)})


def _states(names: list[str]) -> tuple[str, ...] | None:
    try:
        check_states(names)
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="state") from None
    return tuple(dict.fromkeys(names)) or None


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """The body, if it is one of :class:`Redrive`. Raises Refused (422, ``invalid``)."""
    unknown = set(body) - set(Redrive.model_fields)
    if unknown:
        raise _wrong(min(unknown), "is not a field of this body")
    for name in ("keys", "states"):
        most = KEYS if name == "keys" else len(redriving.STATES)
        if name in body and not _is_list_of_texts(body[name], most):
            raise _wrong(name, f"is a list of 1 to {most:,} texts")
    for name in ("rule", "channel"):
        if not isinstance(body.get(name, ""), str):
            raise _wrong(name, "is text")
    if "all" in body and (body["all"] is not True or {"keys", "rule", "channel"} & set(body)):
        raise _wrong("all", "is true, and then nothing else says which")
    if not isinstance(body.get("dry_run", False), bool):
        raise _wrong("dry_run", "is true or false")
    if not {"keys", "rule", "channel", "all"} & set(body):
        raise _wrong("keys", "or 'rule', 'channel' or 'all' says which actions are taken up again")
    try:
        check_states(body.get("states", ()), redriving.STATES)
    except ConfigError as error:
        raise Refused(422, "invalid", str(error), field="states") from None
    return body


def _is_list_of_texts(value: Any, most: int) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= most and all(isinstance(one, str) for one in value)


def _wrong(field: str, what: str) -> Refused:
    return Refused(422, "invalid", f"'{field}' {what}", field=field)


_QUERY: Final = (
    Parameter("person", "Any id of a person: of a user, anonymous, a contact, public.", TEXT),
    Parameter("rule", "A rule's id.", TEXT),
    Parameter(
        "state", "A state; several times for several.",
        {"type": "array", "items": {"type": "string", "enum": list(listing.STATES)}},
    ),
    Parameter("channel", "The channel that took it up.", TEXT),
    Parameter("action", "The action's name.", TEXT),
    *PAGING,
)  # fmt: skip

ROUTES: Final = (
    Route(
        "GET", "/v1/deliveries", list_deliveries, scopes(Scope.DELIVERY_READ),
        described=Described("Look at deliveries", DeliveriesShown, query=_QUERY),
    ),
    Route(
        "POST", "/v1/deliveries/redrive", redrive_deliveries, scopes(Scope.DELIVERY_REDRIVE),
        described=Described("Take up again what was given up", Redriven, body=Redrive, refusals=(422,)),
    ),
    Route(
        "GET", "/v1/deliveries/{key}", get_delivery, scopes(Scope.DELIVERY_READ, Scope.PERSON_READ),
        described=Described("Look at a delivery", WholeDeliveryShown),
    ),
)  # fmt: skip
