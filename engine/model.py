"""What comes in and goes out, and the one validator of input.

Every door (Python, files, HTTP in any dialect) turns what it got into an :class:`Event`, an
:class:`Identify` or a plain dict of the same fields and asks :func:`validate`. So the same odd input gets the
same verdict everywhere, and no database sees what another one would refuse.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from engine.clock import iso, micros
from engine.durations import Duration, duration_text, in_micros
from engine.errors import RefusedError, nearly
from engine.receipt import CODES, Accepted, Duplicate, Outcome, Receipt, Rejection
from engine.strict_json import canonical, checked_text, is_ordinary, kind, parse_json, plain_object, shown
from engine.timestamps import parse_timestamp

__all__ = [
    "CODES",
    "LIMITS",
    "Accepted",
    "Duplicate",
    "Event",
    "Identify",
    "Limits",
    "Outcome",
    "Receipt",
    "Rejection",
    "ValidEvent",
    "ValidIdentify",
    "checked_name",
    "parse_json",
    "validate",
]

NAME_SHOWN: Final = 200
"""Characters of an event's name that a refusal carries."""

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class Limits(BaseModel):
    """How large and how far off an event may be. Integers are always those of 64 bits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_bytes: int = Field(
        32 * 1024,
        ge=256,
        description="Bytes of an event in UTF-8: its name, its ids and the compact JSON of its properties.",
    )
    properties: int = Field(256, ge=1, description="Properties of an event, or traits of a person, at the top level.")
    depth: int = Field(
        16, ge=1, le=64, description="Objects and lists inside each other; the properties are the first level."
    )
    id_length: int = Field(255, ge=1, description="Characters of a user id, an anonymous id, a message id, a cause.")
    name_length: int = Field(200, ge=1, description="Characters of an event's name.")
    future: Duration = Field(
        datetime.timedelta(minutes=5), description="How far ahead of now a timestamp may lie, such as `5 minutes`."
    )
    earliest: datetime.datetime = Field(_EPOCH, ge=_EPOCH, description="The earliest timestamp that is taken.")

    @cached_property
    def future_micros(self) -> int:
        """``future`` in microseconds."""
        return in_micros(self.future)

    @cached_property
    def earliest_micros(self) -> int:
        """``earliest`` in microseconds since 1970."""
        return micros(self.earliest)


LIMITS: Final = Limits()
"""The limits that hold unless settings say otherwise."""


class Event(BaseModel):
    """Something a person did, for those who like it typed; a dict of the same fields does as well.

    Types are checked when it is made, everything else when it is ingested.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    event: str = Field(description="What happened, such as `cart_updated`. Compared exactly, case included.")
    user_id: str | None = Field(None, description="Who, as your service knows them. Empty means absent.")
    anonymous_id: str | None = Field(None, description="Who, before they are known. Several ids together link them.")
    contact_id: str | None = Field(None, description="Who, as a list of contacts knows them.")
    timestamp: datetime.datetime | str | None = Field(
        None, description="When: an aware datetime or ISO 8601 text with an offset. Left out, it is now."
    )
    properties: dict[str, Any] | None = Field(None, description="What else there is to know: any JSON object.")
    message_id: str | None = Field(None, description="Your id of this event; a second one with the same id is dropped.")
    caused_by: str | None = Field(None, description="The key of the action that led to this event, if one did.")


class Identify(BaseModel):
    """What is known of a person from a moment on: traits, and which ids are the same person."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    user_id: str | None = Field(None, description="Who, as your service knows them. Empty means absent.")
    anonymous_id: str | None = Field(None, description="Who, before they are known. Several ids together link them.")
    contact_id: str | None = Field(None, description="Who, as a list of contacts knows them.")
    previous_id: str | None = Field(
        None,
        description="Who `user_id` was before. The person with this user id becomes one with them; where nobody has "
        "it, it is an anonymous id of theirs.",
    )
    traits: dict[str, Any] | None = Field(None, description="The person's attributes to set: any JSON object.")
    timestamp: datetime.datetime | str | None = Field(
        None, description="Since when: an aware datetime or ISO 8601 text with an offset. Left out, it is now."
    )
    message_id: str | None = Field(
        None, description="Your id of this change; a second one with the same id is dropped."
    )


@dataclass(slots=True)
class ValidEvent:
    """An event that passed every check. Not to be changed."""

    name: str
    user_id: str | None
    anonymous_id: str | None
    contact_id: str | None
    at: int
    """When it happened: microseconds since 1970 UTC."""
    properties: dict[str, Any]
    """Plain JSON types only. It may be the caller's own dict."""
    properties_json: str
    """``properties`` as compact JSON with sorted keys."""
    message_id: str | None
    caused_by: str | None
    timestamp_given: bool
    """Whether the event said its time; if not, ``at`` is the moment it came in."""
    previous_id: ClassVar[None] = None
    """Only an identify says who somebody was before."""
    _digest: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def digest(self) -> bytes:
        """16 bytes that are equal for equal events: all it says except its message id.

        A time that was left out has no part in it, so that an event sent twice equals itself.
        """
        if self._digest is None:
            at = self.at if self.timestamp_given else None
            said = ["track", self.name, self.user_id, self.anonymous_id, at, self.caused_by, self.properties_json]
            self._digest = _digest(said, self.contact_id)
        return self._digest


@dataclass(slots=True)
class ValidIdentify:
    """An identify that passed every check. Not to be changed."""

    user_id: str | None
    anonymous_id: str | None
    contact_id: str | None
    previous_id: str | None
    """An alias: the user id, else anonymous id, that ``user_id`` had before. Only with a ``user_id``."""
    at: int
    """Since when: microseconds since 1970 UTC."""
    traits: dict[str, Any]
    """Plain JSON types only. It may be the caller's own dict."""
    traits_json: str
    """``traits`` as compact JSON with sorted keys."""
    message_id: str | None
    timestamp_given: bool
    """Whether it said its time; if not, ``at`` is the moment it came in."""
    _digest: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def digest(self) -> bytes:
        """16 bytes that are equal for equal contents; see :attr:`ValidEvent.digest`."""
        if self._digest is None:
            at = self.at if self.timestamp_given else None
            said = ["identify", self.user_id, self.anonymous_id, at, self.traits_json]
            self._digest = _digest(said, self.contact_id, self.previous_id)
        return self._digest


def _digest(said: list[str | int | None], *since: str | None) -> bytes:
    """Without the fields there have been ``since``, it is what it was before them: stores hold digests of that time."""
    while since and since[-1] is None:
        since = since[:-1]
    return hashlib.blake2b(canonical([*said, *since]), digest_size=16).digest()


_EVENT_FIELDS: Final = frozenset({"type", *Event.model_fields})
_IDENTIFY_FIELDS: Final = frozenset({"type", *Identify.model_fields})
_ID_FIELDS: Final = ("user_id", "anonymous_id", "contact_id", "previous_id", "message_id", "caused_by")
_OFTEN_MEANT: Final[Mapping[str, str]] = {
    "name": "event",
    "eventname": "event",
    "eventtype": "event",
    "time": "timestamp",
    "ts": "timestamp",
    "date": "timestamp",
    "createdat": "timestamp",
    "occurredat": "timestamp",
    "distinctid": "user_id",
    "contact": "contact_id",
    "id": "message_id",
    "idempotencykey": "message_id",
    "attributes": "traits",
    "payload": "properties",
    "data": "properties",
    "props": "properties",
}


def validate(
    item: Mapping[str, Any] | Event | Identify,
    index: int,
    now: int,
    limits: Limits = LIMITS,
    require_timestamp: bool = False,
) -> ValidEvent | ValidIdentify | Rejection:
    """The verdict on one item: valid and normalised, or refused with a code and a reason. Never raises.

    An item is an event, or with ``"type": "identify"`` (or as an :class:`Identify`) a change of traits. A
    field that is None, or an id that is empty, counts as left out. A field that is not known is refused, so
    that a misspelt one is not lost. Values that JSON does not have (``datetime``, ``Decimal``, sets, ...) are
    refused: how to write them is the caller's to say.

    ``index`` is handed on into the :class:`Rejection`; ``now`` is in microseconds since 1970 UTC, and is the
    item's time if it says none, unless ``require_timestamp`` refuses that of an event: what is known of a person may be
    so without anybody knowing since when.
    """
    try:
        fields = item if type(item) is dict else _fields_of(item)
        sort = fields.get("type")
        if sort is None or (isinstance(sort, str) and sort == "track"):
            return _event(fields, now, limits, require_timestamp)
        if isinstance(sort, str) and sort == "identify":
            return _identify(fields, now, limits)
        raise RefusedError("unknown_type", _unknown_type(sort), "type")
    except RefusedError as refused:
        return Rejection(index, refused.code, refused.reason, refused.field, event_of(item))


def event_of(item: object) -> str | None:
    """What an item calls itself, good or not, if it does; of a long name its beginning."""
    name = item.event if isinstance(item, Event) else dict.get(item, "event") if isinstance(item, dict) else None
    return name[:NAME_SHOWN] if isinstance(name, str) else None


def _fields_of(item: object) -> dict[str, Any]:
    if isinstance(item, Event):
        return item.__dict__
    if isinstance(item, Identify):
        return {"type": "identify", **item.__dict__}
    if isinstance(item, dict):
        return dict(dict.items(item))
    if isinstance(item, Mapping):
        return dict(item)
    raise RefusedError(
        "not_object", f"this is {kind(item)}; an event is an object such as {{'event': 'signed_up', ...}}"
    )


def _event(fields: dict[str, Any], now: int, limits: Limits, require_timestamp: bool) -> ValidEvent:
    if not _EVENT_FIELDS.issuperset(fields):
        raise _unknown_field(fields, _EVENT_FIELDS)
    get = fields.get
    name = get("event")
    if type(name) is not str or not name or len(name) > limits.name_length or name.isspace():
        name = _name(name, limits)
    longest = limits.id_length
    user_id = _id(get("user_id"), "user_id", longest)
    anonymous_id = _id(get("anonymous_id"), "anonymous_id", longest)
    contact_id = _id(get("contact_id"), "contact_id", longest)
    if user_id is None and anonymous_id is None and contact_id is None:
        raise _no_person()
    message_id = _id(get("message_id"), "message_id", longest)
    caused_by = _id(get("caused_by"), "caused_by", longest)
    texts = f"{name}{user_id or ''}{anonymous_id or ''}{contact_id or ''}{message_id or ''}{caused_by or ''}"
    if "\0" in texts or not texts.isascii():
        _check_texts({"event": name, **{key: get(key) for key in _ID_FIELDS}})
    given = get("timestamp")
    at = now if given is None and not require_timestamp else _time(given, now, limits)
    properties, text = _object(get("properties"), "properties", limits, texts)
    return ValidEvent(
        name, user_id, anonymous_id, contact_id, at, properties, text, message_id, caused_by, given is not None
    )


def _identify(fields: dict[str, Any], now: int, limits: Limits) -> ValidIdentify:
    if not _IDENTIFY_FIELDS.issuperset(fields):
        raise _unknown_field(fields, _IDENTIFY_FIELDS)
    get = fields.get
    longest = limits.id_length
    user_id = _id(get("user_id"), "user_id", longest)
    anonymous_id = _id(get("anonymous_id"), "anonymous_id", longest)
    contact_id = _id(get("contact_id"), "contact_id", longest)
    previous_id = _id(get("previous_id"), "previous_id", longest)
    if user_id is None and anonymous_id is None and contact_id is None:
        raise _no_person()
    if previous_id is not None and user_id is None:
        raise RefusedError("user_missing", "previous_id says who user_id was before, and user_id is missing", "user_id")
    message_id = _id(get("message_id"), "message_id", longest)
    _check_texts({key: get(key) for key in _ID_FIELDS})
    given = get("timestamp")
    at = now if given is None else _time(given, now, limits)
    texts = f"{user_id or ''}{anonymous_id or ''}{contact_id or ''}{previous_id or ''}{message_id or ''}"
    traits, text = _object(get("traits"), "traits", limits, texts)
    return ValidIdentify(
        user_id, anonymous_id, contact_id, previous_id, at, traits, text, message_id, given is not None
    )


def checked_name(name: object, limits: Limits = LIMITS) -> str:
    """``name``, found to be one an event may have. Raises RefusedError."""
    return checked_text(_name(name, limits), ("event",))


def _name(name: object, limits: Limits) -> str:
    """The name of an event whose name is not plainly good."""
    if name is None:
        raise RefusedError("name_missing", "an event needs its name in 'event', such as 'signed_up'", "event")
    if not isinstance(name, str):
        raise RefusedError(
            "name_not_text", f"event is {kind(name)}; it is the event's name, such as 'signed_up'", "event"
        )
    if not name.strip():
        raise RefusedError("name_missing", "event is empty; it is the event's name, such as 'signed_up'", "event")
    if len(name) > limits.name_length:
        reason = f"event has {len(name)} characters; a name has at most {limits.name_length}, details go to properties"
        raise RefusedError("name_too_long", reason, "event")
    return str.__str__(name)


def _id(value: Any, key: str, longest: int) -> str | None:
    if value is None:
        return None
    if type(value) is not str and not isinstance(value, str):
        raise RefusedError("id_not_text", f"{key} is {kind(value)}; ids are text, such as 'u-123'", key)
    text: str = value if type(value) is str else str.__str__(value)
    if len(text) > longest:
        raise RefusedError("id_too_long", f"{key} has {len(text)} characters; an id has at most {longest}", key)
    return text or None


def _check_texts(texts: Mapping[str, str | None]) -> None:
    for key, text in texts.items():
        if text is not None:
            checked_text(text, (key,))


def _time(given: object, now: int, limits: Limits) -> int:
    if given is None:
        raise RefusedError("timestamp_missing", "timestamp is missing; it says when this happened", "timestamp")
    at = parse_timestamp(given)
    if at < limits.earliest_micros:
        raise RefusedError("timestamp_too_early", f"timestamp lies before {limits.earliest:%Y-%m-%d}", "timestamp")
    if at > now + limits.future_micros:
        ahead = duration_text(limits.future)
        reason = f"timestamp lies more than {ahead} ahead of now, {iso(now)}; check the sender's clock and offset"
        raise RefusedError("timestamp_in_future", reason, "timestamp")
    return at


def _object(value: Any, key: str, limits: Limits, texts: str) -> tuple[dict[str, Any], str]:
    """The checked properties or traits and their JSON, which with ``texts`` must not be too large."""
    if value is None:
        return {}, "{}"
    if not isinstance(value, dict):
        reason = f"{key} is {kind(value)}; it is an object, such as {{'plan': 'free'}}"
        raise RefusedError("properties_not_object", reason, key)
    if len(value) > limits.properties:
        reason = f"{key} has {len(value)} entries; at most {limits.properties} are taken, nest or leave out the others"
        raise RefusedError("too_many_properties", reason, key)
    body = _ordinary_body(value, limits)
    if body is None:
        value = plain_object(value, key, limits.depth, limits.event_bytes)
        body = canonical(value)
    size = len(body) + (len(texts) if texts.isascii() else len(texts.encode()))
    if size > limits.event_bytes:
        reason = f"the event has {size} bytes; at most {limits.event_bytes} are taken, send less or several events"
        raise RefusedError("event_too_large", reason)
    return value, body.decode()


def _ordinary_body(value: dict[str, Any], limits: Limits) -> bytes | None:
    """The JSON of an object that is beyond doubt, or None if it needs a closer look."""
    if type(value) is not dict or not is_ordinary(value, limits.depth, limits.event_bytes):
        return None
    try:
        body = canonical(value)
    except TypeError:
        return None
    return None if body.find(b"\\u0000") >= 0 else body


def _no_person() -> RefusedError:
    return RefusedError(
        "no_person", "user_id, anonymous_id and contact_id are all missing or empty; one must say whose this is"
    )


def _unknown_type(sort: object) -> str:
    what = f"'{shown(sort)}'" if isinstance(sort, str) else kind(sort)
    return f"type is {what}; it is 'track' or left out for an event, 'identify' for traits"


def _unknown_field(fields: dict[str, Any], known: frozenset[str]) -> RefusedError:
    unknown: Any = next(key for key in fields if key not in known)
    if not isinstance(unknown, str):
        return RefusedError(
            "unknown_field", f"{kind(unknown)} is no name of a field; fields are {', '.join(sorted(known))}"
        )
    bare = unknown.lower().replace("_", "").replace("-", "").replace(" ", "")
    spelt = {key.replace("_", ""): key for key in known}
    near = spelt.get(bare) or _OFTEN_MEANT.get(bare)
    if near not in known:
        close = nearly(bare, spelt, 0.7) if len(bare) <= 40 else None
        near = None if close is None else spelt[close]
    advice = f"did you mean '{near}'?" if near else f"put it into '{'traits' if 'traits' in known else 'properties'}'"
    return RefusedError("unknown_field", f"'{shown(unknown)}' is not a field; {advice}", shown(unknown))
