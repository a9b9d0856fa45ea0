"""Odd input and the verdict every door must give on it.

``ODD`` can be said in JSON, so it can be sent through any door; ``PYTHON_ONLY`` comes from Python callers alone;
``ODD_JSON`` is text, for doors that read JSON themselves; ``FINE`` must be taken. ``NOW`` is the moment at which
the verdicts hold.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections import UserDict
from typing import Any, NamedTuple

from engine.clock import MINUTE, iso, micros

NOW = micros(datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC))


class Odd(NamedTuple):
    """An item and the code it is refused with."""

    name: str
    item: Any
    code: str


class Fine(NamedTuple):
    """An item that is taken."""

    name: str
    item: Any


class Plan(enum.StrEnum):
    """An enumeration as services have them."""

    FREE = "free"


class Clueless(datetime.tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, when: datetime.datetime | None) -> datetime.timedelta:
        raise NotImplementedError

    dst = utcoffset

    def tzname(self, when: datetime.datetime | None) -> str:
        return "nowhere"


def event(**fields: Any) -> dict[str, Any]:
    """A good event with some fields changed."""
    return {"event": "signed_up", "user_id": "u-1", "timestamp": "2026-03-01T11:00:00Z", **fields}


def identify(**fields: Any) -> dict[str, Any]:
    """A good identify with some fields changed."""
    return {"type": "identify", "user_id": "u-1", "timestamp": "2026-03-01T11:00:00Z", **fields}


def prop(value: Any) -> dict[str, Any]:
    """A good event with ``value`` as one of its properties."""
    return event(properties={"x": value})


def nested(levels: int, inmost: Any = 1) -> Any:
    """Lists inside each other around ``inmost``."""
    value = inmost
    for _ in range(levels):
        value = [value]
    return value


ODD = [
    Odd("a text", "signed_up", "not_object"),
    Odd("a number", 7, "not_object"),
    Odd("null", None, "not_object"),
    Odd("a list", [event()], "not_object"),
    Odd("another type", event(type="page"), "unknown_type"),
    Odd("a type that is no text", event(type=1), "unknown_type"),
    Odd("a misspelt field", event(user_Id="u-2"), "unknown_field"),
    Odd("camel case", event(userId="u-2"), "unknown_field"),
    Odd("a column of somebody's own", event(session="s-1"), "unknown_field"),
    Odd("traits of an event", event(traits={}), "unknown_field"),
    Odd("properties of an identify", identify(properties={}), "unknown_field"),
    Odd("a name in an identify", identify(event="signed_up"), "unknown_field"),
    Odd("an empty object", {}, "name_missing"),
    Odd("no name", {"user_id": "u-1"}, "name_missing"),
    Odd("an empty name", event(event=""), "name_missing"),
    Odd("a blank name", event(event=" \t"), "name_missing"),
    Odd("a name that is a number", event(event=1), "name_not_text"),
    Odd("a name that is a list", event(event=["signed_up"]), "name_not_text"),
    Odd("a name of 201", event(event="n" * 201), "name_too_long"),
    Odd("a NUL in the name", event(event="signed\0up"), "nul"),
    Odd("half a character in the name", event(event="signed\ud83dup"), "lone_surrogate"),
    Odd("no person", {"event": "signed_up"}, "no_person"),
    Odd("empty ids", event(user_id="", anonymous_id=""), "no_person"),
    Odd("null ids", event(user_id=None, anonymous_id=None), "no_person"),
    Odd("an empty contact", {"event": "signed_up", "contact_id": ""}, "no_person"),
    Odd("an identify of nobody", identify(user_id=""), "no_person"),
    Odd("a previous id alone", {"type": "identify", "previous_id": "p"}, "no_person"),
    Odd("a previous id of a visitor", identify(user_id=None, anonymous_id="a", previous_id="p"), "user_missing"),
    Odd("a previous id of a contact", identify(user_id="", contact_id="c", previous_id="p"), "user_missing"),
    Odd("a previous id of an event", event(previous_id="p"), "unknown_field"),
    Odd("a number as previous id", identify(previous_id=7), "id_not_text"),
    Odd("a list as previous id", identify(previous_id=["p"]), "id_not_text"),
    Odd("a previous id of 256", identify(previous_id="p" * 256), "id_too_long"),
    Odd("a NUL in a previous id", identify(previous_id="p\0"), "nul"),
    Odd("half a character in a previous id", identify(previous_id="\ud800"), "lone_surrogate"),
    Odd("a number as user id", event(user_id=7), "id_not_text"),
    Odd("false as user id", event(user_id=False), "id_not_text"),
    Odd("zero as anonymous id", event(anonymous_id=0), "id_not_text"),
    Odd("a list as contact", event(contact_id=["con_1"]), "id_not_text"),
    Odd("a number as message id", event(message_id=7), "id_not_text"),
    Odd("an object as cause", event(caused_by={}), "id_not_text"),
    Odd("a user id of 256", event(user_id="u" * 256), "id_too_long"),
    Odd("an anonymous id of 256", event(anonymous_id="é" * 256), "id_too_long"),
    Odd("a contact of 256", event(contact_id="c" * 256), "id_too_long"),
    Odd("a message id of 256", event(message_id="m" * 256), "id_too_long"),
    Odd("an identify's user id of 256", identify(user_id="u" * 256), "id_too_long"),
    Odd("a NUL in the user id", event(user_id="u\0"), "nul"),
    Odd("a NUL in the message id", event(message_id="\0"), "nul"),
    Odd("a NUL in an identify's id", identify(anonymous_id="\0"), "nul"),
    Odd("a NUL in a contact", event(contact_id="con\0"), "nul"),
    Odd("half a character in an identify's contact", identify(contact_id="\udfff"), "lone_surrogate"),
    Odd("half a character in the user id", event(user_id="\udc00"), "lone_surrogate"),
    Odd("half a character in an identify's id", identify(user_id="\ud800"), "lone_surrogate"),
    Odd("seconds since 1970", event(timestamp=1_772_366_400), "timestamp_invalid"),
    Odd("true as timestamp", event(timestamp=True), "timestamp_invalid"),
    Odd("an empty timestamp", event(timestamp=""), "timestamp_invalid"),
    Odd("words for a time", event(timestamp="yesterday"), "timestamp_invalid"),
    Odd("an American date", event(timestamp="03/01/2026 11:00:00"), "timestamp_invalid"),
    Odd("the 30th of February", event(timestamp="2026-02-30T11:00:00Z"), "timestamp_invalid"),
    Odd("past the end of a day", event(timestamp="2026-02-28T24:00:01Z"), "timestamp_invalid"),
    Odd("second 61", event(timestamp="2026-02-28T23:59:61Z"), "timestamp_invalid"),
    Odd("year 0", event(timestamp="0000-01-01T00:00:00Z"), "timestamp_invalid"),
    Odd("a year of five digits", event(timestamp="12026-01-01T00:00:00Z"), "timestamp_invalid"),
    Odd("an offset of 25 hours", event(timestamp="2026-03-01T11:00:00+25:00"), "timestamp_invalid"),
    Odd("a week without its day", event(timestamp="2026-W09T11:00:00Z"), "timestamp_invalid"),
    Odd("other digits", event(timestamp="２０２６-03-01T11:00:00Z"), "timestamp_invalid"),
    Odd("a blank after the time", event(timestamp="2026-03-01T11:00:00Z "), "timestamp_invalid"),
    Odd("a NUL in the timestamp", event(timestamp="2026-03-01T11:00:00\0Z"), "timestamp_invalid"),
    Odd("half a character in the timestamp", event(timestamp="\ud800"), "timestamp_invalid"),
    Odd("a very long timestamp", event(timestamp="2026-03-01T11:00:00." + "0" * 100_000 + "Z"), "timestamp_invalid"),
    Odd("no offset", event(timestamp="2026-03-01T11:00:00"), "timestamp_no_offset"),
    Odd("no offset, with a fraction", event(timestamp="2026-03-01 11:00:00.25"), "timestamp_no_offset"),
    Odd("a date alone", event(timestamp="2026-03-01"), "timestamp_no_offset"),
    Odd("an identify without offset", identify(timestamp="2026-03-01T11:00"), "timestamp_no_offset"),
    Odd("just before 1970", event(timestamp="1969-12-31T23:59:59.999999Z"), "timestamp_too_early"),
    Odd("before 1970 by its offset", event(timestamp="1970-01-01T01:00:00+02:00"), "timestamp_too_early"),
    Odd("year 1", event(timestamp="0001-01-01T00:00:00Z"), "timestamp_too_early"),
    Odd("year 1, less than nothing", event(timestamp="0001-01-01T00:00:00+14:00"), "timestamp_too_early"),
    Odd("just too far ahead", event(timestamp=iso(NOW + 5 * MINUTE + 1)), "timestamp_in_future"),
    Odd("year 9999", event(timestamp="9999-12-31T23:59:59.999999Z"), "timestamp_in_future"),
    Odd("year 9999, beyond it", event(timestamp="9999-12-31T23:59:59-12:00"), "timestamp_in_future"),
    Odd("properties as text", event(properties="{}"), "properties_not_object"),
    Odd("properties as a list", event(properties=[]), "properties_not_object"),
    Odd("properties false", event(properties=False), "properties_not_object"),
    Odd("traits as a list", identify(traits=[1]), "properties_not_object"),
    Odd("257 properties", event(properties={f"p{n}": n for n in range(257)}), "too_many_properties"),
    Odd("257 traits", identify(traits={f"p{n}": n for n in range(257)}), "too_many_properties"),
    Odd("17 levels", prop(nested(16)), "too_deep"),
    Odd("17 levels of nothing", prop(nested(15, {})) | {"properties": {"x": nested(16, {})}}, "too_deep"),
    Odd("100,000 levels", prop(nested(100_000)), "too_deep"),
    Odd("deep traits", identify(traits={"x": nested(16)}), "too_deep"),
    Odd("33 KB of text", prop("x" * 33 * 1024), "event_too_large"),
    Odd("33 KB of accents", prop("é" * (33 * 512)), "event_too_large"),
    Odd("33 KB of escapes", prop('"' * (33 * 512)), "event_too_large"),
    Odd("33 KB of small values", prop([1] * 17 * 1024), "event_too_large"),
    Odd("more values than bytes", prop([[]] * 40_000), "event_too_large"),
    Odd("33 KB of traits", identify(traits={"x": "x" * 33 * 1024}), "event_too_large"),
    Odd("2 to the 63", prop(2**63), "integer_out_of_range"),
    Odd("minus 2 to the 63, less one", prop(-(2**63) - 1), "integer_out_of_range"),
    Odd("a googol in a list", prop([{"y": 10**100}]), "integer_out_of_range"),
    Odd("a NUL in a text", prop("a\0b"), "nul"),
    Odd("a NUL deep down", prop([{"y": ["\0"]}]), "nul"),
    Odd("a NUL in a key", prop({"\0": 1}), "nul"),
    Odd("a NUL in a trait", identify(traits={"\0": 1}), "nul"),
    Odd("a high half", prop("\ud83d"), "lone_surrogate"),
    Odd("a low half", prop("\ude00"), "lone_surrogate"),
    Odd("halves the wrong way round", prop("\ude00\ud83d"), "lone_surrogate"),
    Odd("half a character in a key", prop({"\udfff": 1}), "lone_surrogate"),
]

ODD_JSON = [
    Odd("the word NaN", '{"event": "e", "user_id": "u", "properties": {"x": NaN}}', "not_finite"),
    Odd("the word Infinity", '{"event": "e", "user_id": "u", "properties": {"x": Infinity}}', "not_finite"),
    Odd("minus Infinity", '{"event": "e", "user_id": "u", "properties": {"x": -Infinity}}', "not_finite"),
    Odd("1e400", '{"event": "e", "user_id": "u", "properties": {"x": 1e400}}', "not_finite"),
    Odd("-1e400 in a list", '{"event": "e", "user_id": "u", "properties": {"x": [-1e400]}}', "not_finite"),
    Odd("a NUL by its number", '{"event": "e", "user_id": "u", "properties": {"x": "\\u0000"}}', "nul"),
    Odd("a half by its number", '{"event": "e", "user_id": "u", "properties": {"x": "\\ud800"}}', "lone_surrogate"),
    Odd(
        "a million digits",
        '{"event": "e", "user_id": "u", "properties": {"x": ' + "9" * 1_000_000 + "}}",
        "integer_out_of_range",
    ),
    Odd("a tower of brackets", "[" * 1_000_000, "too_deep"),
    Odd("a tower of braces", '{"x":' * 200_000, "too_deep"),
    Odd("nothing", "", "invalid_json"),
    Odd("half an object", '{"event": "e"', "invalid_json"),
    Odd("two objects", "{} {}", "invalid_json"),
    Odd("Python's quotes", "{'event': 'e'}", "invalid_json"),
    Odd("a line feed in a text", '{"event": "a\nb"}', "invalid_json"),
]

PYTHON_ONLY = [
    Odd("a set", prop({1, 2}), "not_json"),
    Odd("bytes", prop(b"x"), "not_json"),
    Odd("a datetime", prop(datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)), "not_json"),
    Odd("a date", prop([datetime.date(2026, 3, 1)]), "not_json"),
    Odd("a Decimal", prop(decimal.Decimal("9.99")), "not_json"),
    Odd("a UUID", prop(uuid.UUID(int=1)), "not_json"),
    Odd("a complex number", prop(1j), "not_json"),
    Odd("an object", prop(object()), "not_json"),
    Odd("a mapping that is no dict", prop(UserDict(y=1)), "not_json"),
    Odd("properties that are no dict", event(properties=UserDict(y=1)), "properties_not_object"),
    Odd("a key that is a number", prop({1: 2}), "key_not_text"),
    Odd("a key that is None", event(properties={None: 1}), "key_not_text"),
    Odd("a field that is a number", {**event(), 7: 1}, "unknown_field"),
    Odd("nan", prop(float("nan")), "not_finite"),
    Odd("infinity in a trait", identify(traits={"x": float("inf")}), "not_finite"),
    Odd("minus infinity, deep", prop([[float("-inf")]]), "not_finite"),
    Odd("a naive datetime", event(timestamp=datetime.datetime(2026, 3, 1, 11)), "timestamp_no_offset"),  # noqa: DTZ001
    Odd("a date as timestamp", event(timestamp=datetime.date(2026, 3, 1)), "timestamp_invalid"),
    Odd(
        "a zone that knows nothing",
        event(timestamp=datetime.datetime(2026, 3, 1, tzinfo=Clueless())),
        "timestamp_invalid",
    ),
    Odd("datetime.min", event(timestamp=datetime.datetime.min.replace(tzinfo=datetime.UTC)), "timestamp_too_early"),
    Odd("datetime.max", event(timestamp=datetime.datetime.max.replace(tzinfo=datetime.UTC)), "timestamp_in_future"),
    Odd("bytes as name", event(event=b"signed_up"), "name_not_text"),
    Odd("a UUID as user id", event(user_id=uuid.UUID(int=1)), "id_not_text"),
]

FINE = [
    Fine("the least", {"event": "e", "user_id": "u"}),
    Fine("an anonymous visitor", {"event": "e", "anonymous_id": "a"}),
    Fine("a contact", {"event": "e", "contact_id": "con_1"}),
    Fine("all ids", event(anonymous_id="a", contact_id="con_1")),
    Fine("one id empty", event(anonymous_id="")),
    Fine("everything null that may be", event(properties=None, message_id=None, caused_by=None, type=None)),
    Fine("type track", event(type="track")),
    Fine("a name of 200", event(event="n" * 200)),
    Fine("a name of several words", event(event="Cart Updated 🛒")),
    Fine("an id of 255", event(user_id="é" * 255)),
    Fine("an id of blanks", event(user_id=" ")),
    Fine("256 properties", event(properties={f"p{n}": n for n in range(256)})),
    Fine("16 levels", prop(nested(15))),
    Fine("16 levels, the last empty", prop(nested(14, {}))),
    Fine("every kind of value", prop([None, True, False, 0, -1, 0.5, 1e308, "", "é", [], {}])),
    Fine("the largest integers", prop([2**63 - 1, -(2**63)])),
    Fine("a backslash before u0000", prop("C:\\u0000")),
    Fine("control characters", prop("\x01\x1f\x7f\t\n")),
    Fine("characters beyond the first plane", prop("😀")),
    Fine("an empty key", event(properties={"": 1})),
    Fine("1970", event(timestamp="1970-01-01T00:00:00Z")),
    Fine("five minutes ahead", event(timestamp=iso(NOW + 5 * MINUTE))),
    Fine("an identify", identify(traits={"plan": "free"})),
    Fine("an identify that only links", identify(anonymous_id="a")),
    Fine("an alias", identify(previous_id="p")),
    Fine("an alias with every id", identify(previous_id="é" * 255, anonymous_id="a", contact_id="c")),
    Fine("an alias to oneself", identify(previous_id="u-1")),
    Fine("an empty previous id", identify(user_id=None, anonymous_id="a", previous_id="")),
    Fine("a previous id that is null", identify(user_id=None, anonymous_id="a", previous_id=None)),
]
