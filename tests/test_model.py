"""The one validator: what it takes, what it refuses and with which code, and that nothing makes it raise."""

from __future__ import annotations

import collections
import datetime
import enum
import json
import math
import types
from typing import Any
from zoneinfo import ZoneInfo

import freezegun
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.clock import DAY, MINUTE, SECOND, iso, micros, moment
from engine.durations import duration_text, parse_duration
from engine.errors import RefusedError
from engine.model import (
    CODES,
    Accepted,
    Duplicate,
    Event,
    Identify,
    Limits,
    Receipt,
    Rejection,
    ValidEvent,
    ValidIdentify,
    parse_json,
    validate,
)
from engine.strict_json import canonical, is_ordinary, plain_object
from engine.timestamps import parse_timestamp
from tests.corpus.odd_inputs import FINE, NOW, ODD, ODD_JSON, PYTHON_ONLY, Fine, Odd, Plan, event, identify, prop
from tests.stopwatch import processor_at_most

ODD_FIELD: dict[Any, Any] = {7: 1, **event()}
YEAR_1 = datetime.datetime.min.replace(tzinfo=datetime.UTC)
YEAR_9999 = datetime.datetime.max.replace(tzinfo=datetime.UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=6)
    | st.binary(max_size=3)
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.dates()
    | st.timedeltas()
    | st.decimals()
    | st.complex_numbers()
    | st.uuids()
    | st.sampled_from([Plan.FREE, object(), ..., print, range(3)]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers())
        | st.dictionaries(st.text(max_size=4) | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=8,
)


def good(item: Any, **more: Any) -> ValidEvent:
    verdict = validate(item, 0, NOW, **more)
    assert isinstance(verdict, ValidEvent), verdict
    return verdict


def refused(item: Any, **more: Any) -> Rejection:
    verdict = validate(item, 5, NOW, **more)
    assert isinstance(verdict, Rejection), verdict
    return verdict


# The verdicts


@pytest.mark.parametrize("odd", ODD + PYTHON_ONLY, ids=lambda odd: odd.name)
def test_odd_input_is_refused_with_its_code(odd: Odd) -> None:
    rejection = refused(odd.item)
    assert (rejection.index, rejection.code) == (5, odd.code)
    assert rejection.reason.isprintable()
    assert len(rejection.reason) < 300
    rejection.reason.encode()
    (rejection.field or "").encode()


@pytest.mark.parametrize("fine", FINE, ids=lambda fine: fine.name)
def test_fine_input_is_taken(fine: Fine) -> None:
    assert not isinstance(validate(fine.item, 0, NOW), Rejection)


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd.name != "100,000 levels"], ids=lambda odd: odd.name)
def test_the_verdict_is_the_same_through_json(odd: Odd) -> None:
    assert refused(parse_json(json.dumps(odd.item))).code == odd.code


@pytest.mark.parametrize("odd", ODD_JSON, ids=lambda odd: odd.name)
def test_odd_json_is_refused_by_the_reader_or_the_validator(odd: Odd) -> None:
    with processor_at_most(1):
        try:
            code = refused(parse_json(odd.item)).code
        except RefusedError as error:
            code = error.code
    assert code == odd.code


def test_every_code_is_in_the_table_and_meant_by_some_input() -> None:
    seen = {odd.code for odd in ODD + PYTHON_ONLY + ODD_JSON}
    of_files = {"not_utf8", "bad_row", "broken_file", "unknown_shape"}
    of_the_store = {"unknown_event", "breaks_schema", "erased", "needs_server_key"}
    assert seen | of_files | of_the_store | {"timestamp_missing"} == set(CODES)
    assert all(CODES.values())


@pytest.mark.parametrize(
    ("item", "field", "words"),
    [
        (event(user_Id="u"), "user_Id", "did you mean 'user_id'?"),
        (event(userID="u"), "userID", "did you mean 'user_id'?"),
        (event(usr_id="u"), "usr_id", "did you mean 'user_id'?"),
        (event(ts="2026-03-01T11:00:00Z"), "ts", "did you mean 'timestamp'?"),
        (event(Timestamp="x"), "Timestamp", "did you mean 'timestamp'?"),
        (event(messageId="m"), "messageId", "did you mean 'message_id'?"),
        (identify(attributes={}), "attributes", "did you mean 'traits'?"),
        (identify(previousId="p"), "previousId", "did you mean 'previous_id'?"),
        (identify(user_id=None, anonymous_id="a", previous_id="p"), "user_id", "user_id is missing"),
        (event(colour="red"), "colour", "put it into 'properties'"),
        (identify(colour="red"), "colour", "put it into 'traits'"),
        (event(**{"x" * 100: 1}), None, "put it into 'properties'"),
        (ODD_FIELD, None, "a number is no name of a field"),
        (event(user_id=7), "user_id", "user_id is a number; ids are text"),
        (event(event="n" * 201), "event", "event has 201 characters; a name has at most 200"),
        (event(timestamp="2026-03-01T11:00:00"), "timestamp", "'2026-03-01T11:00:00' has no offset; add 'Z'"),
        (event(timestamp=iso(NOW + 6 * MINUTE)), "timestamp", "more than 5 minutes ahead of now, 2026-03-01T12:00:00Z"),
        (event(timestamp="1960-01-01T00:00:00Z"), "timestamp", "before 1970-01-01"),
        (prop([1, {"y": float("nan")}]), "properties.x[1].y", "properties.x[1].y is NaN"),
        (identify(traits={"x": 2**64}), "traits.x", "traits.x is an integer beyond 64 bits; send it as text"),
        (prop({3}), "properties.x", "a Python set, which JSON does not have"),
        (prop(datetime.date(2026, 1, 1)), "properties.x", "send value.isoformat()"),
        (prop({"a b\n" + "k" * 50: "\0"}), None, "NUL"),
        (prop("x" * 40_000), None, "at most 32768 are taken"),
        (event(type="page"), "type", "type is 'page'; it is 'track' or left out"),
    ],
)  # fmt: skip
def test_reasons_name_the_place_and_the_way_out(item: Any, field: str | None, words: str) -> None:
    rejection = refused(item)
    assert words in rejection.reason
    if field is not None:
        assert rejection.field == field


# What a valid event holds


def test_a_valid_event_is_normalised() -> None:
    valid = good(
        event(
            event=Plan.FREE,
            user_id=Plan.FREE,
            anonymous_id="",
            message_id="m-1",
            caused_by="key",
            properties={"b": 1, "a": ["é", None, True, 0.5]},
        )
    )
    assert (valid.name, type(valid.name)) == ("free", str)
    assert (valid.user_id, type(valid.user_id)) == ("free", str)
    assert valid.anonymous_id is None
    assert (valid.message_id, valid.caused_by) == ("m-1", "key")
    assert valid.at == NOW - 3600 * SECOND
    assert valid.timestamp_given
    assert valid.properties_json == '{"a":["é",null,true,0.5],"b":1}'
    assert valid.properties == {"b": 1, "a": ["é", None, True, 0.5]}


def test_no_properties_are_an_empty_object() -> None:
    valid = good({"event": "e", "user_id": "u"})
    assert (valid.properties, valid.properties_json) == ({}, "{}")


def test_an_identify_is_normalised() -> None:
    valid = validate(identify(traits={"plan": Plan.FREE}, message_id="m", anonymous_id="a"), 0, NOW)
    assert isinstance(valid, ValidIdentify)
    assert (valid.user_id, valid.anonymous_id, valid.message_id) == ("u-1", "a", "m")
    assert (valid.traits, valid.traits_json) == ({"plan": "free"}, '{"plan":"free"}')
    assert valid.at == NOW - 3600 * SECOND
    assert valid.previous_id is None


def test_an_alias_says_who_somebody_was() -> None:
    valid = validate(identify(previous_id=Plan.FREE), 0, NOW)
    assert isinstance(valid, ValidIdentify)
    assert (valid.previous_id, type(valid.previous_id)) == ("free", str)
    for nobody in ("", None):
        valid = validate(identify(previous_id=nobody), 0, NOW)
        assert isinstance(valid, ValidIdentify)
        assert valid.previous_id is None


def test_subclasses_become_plain() -> None:
    class Whole(enum.IntEnum):
        TWO = 2

    class Half(float):
        pass

    class Loud(str):
        __slots__ = ()

    kinds = collections.defaultdict(list, {Loud("k"): [Whole.TWO, Half(0.5), Loud("x"), (1, 2), Plan.FREE]})
    valid = good(event(properties=kinds))
    assert valid.properties_json == '{"k":[2,0.5,"x",[1,2],"free"]}'
    (key, values), = valid.properties.items()  # fmt: skip
    assert type(valid.properties) is dict
    assert type(key) is str
    assert [type(value) for value in values] == [int, float, str, list, str]


@pytest.mark.parametrize("wrap", [types.MappingProxyType, collections.UserDict, collections.OrderedDict])
def test_an_item_may_be_any_mapping(wrap: Any) -> None:
    assert good(wrap(event())) == good(event())


def test_a_missing_time_is_now_unless_it_is_required() -> None:
    item = {"event": "e", "user_id": "u"}
    assert good(item).at == NOW
    assert not good(item).timestamp_given
    assert refused(item, require_timestamp=True).code == "timestamp_missing"
    person = validate(identify(timestamp=None), 0, NOW, require_timestamp=True)
    assert isinstance(person, ValidIdentify)
    assert (person.at, person.timestamp_given) == (NOW, False)
    assert good(event(), require_timestamp=True).timestamp_given


def test_circular_and_exploding_values_are_refused_quickly() -> None:
    circle: list[Any] = []
    circle.append(circle)
    bomb: Any = "x"
    for _ in range(14):
        bomb = [bomb] * 100
    with processor_at_most(1):
        assert refused(prop(circle)).code == "too_deep"
        assert refused(prop(bomb)).code == "event_too_large"
        assert refused(prop(tuple(bomb))).code == "event_too_large"


def test_the_size_counts_bytes_of_everything_said() -> None:
    item = event(properties={"x": ""})
    size = len("signed_up") + len("u-1") + len('{"x":""}')
    assert isinstance(good(event(properties={"x": "y" * (32 * 1024 - size)})), ValidEvent)
    assert refused(event(properties={"x": "y" * (32 * 1024 - size + 1)})).code == "event_too_large"
    assert refused(event(properties={"x": "y" * (32 * 1024 - size - 1) + "é"})).code == "event_too_large"
    assert good(item).properties == {"x": ""}


def test_limits_are_those_given() -> None:
    tight = Limits(
        event_bytes=256,
        properties=1,
        depth=2,
        id_length=3,
        name_length=9,
        future=datetime.timedelta(0),
        earliest=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    )
    assert good(event(properties={"x": [1]}), limits=tight)
    for item, code in [
        (event(event="signed_up_"), "name_too_long"),
        (event(user_id="u-12"), "id_too_long"),
        (event(properties={"x": 1, "y": 2}), "too_many_properties"),
        (prop([[1]]), "too_deep"),
        (prop("x" * 256), "event_too_large"),
        (event(timestamp=iso(NOW + 1)), "timestamp_in_future"),
        (event(timestamp="2019-12-31T23:59:59Z"), "timestamp_too_early"),
    ]:
        assert refused(item, limits=tight).code == code
    assert "ahead of now" in refused(event(timestamp=iso(NOW + 1)), limits=tight).reason


def test_limits_refuse_what_they_cannot_mean() -> None:
    for wrong in ({"depth": 0}, {"depth": 1000}, {"future": "soon"}, {"earliest": "1969-01-01T00:00Z"}, {"x": 1}):
        with pytest.raises(ValidationError):
            Limits.model_validate(wrong)


# Digests


def test_digests_are_equal_for_equal_content() -> None:
    first = good(event(properties={"a": 1, "b": [2]}, message_id="m-1"))
    second = good(event(properties={"b": [2], "a": 1}, message_id="m-2", timestamp="2026-03-01T12:00:00+01:00"))
    assert first.digest == second.digest == first.digest
    assert len(first.digest) == 16


@pytest.mark.parametrize(
    "changed",
    [
        {"event": "signed"},
        {"user_id": "u-2"},
        {"user_id": None, "anonymous_id": "u-1"},
        {"anonymous_id": "a"},
        {"timestamp": "2026-03-01T11:00:00.000001Z"},
        {"timestamp": None},
        {"properties": {"a": 1.0}},
        {"properties": {"a": "1"}},
        {"caused_by": "key"},
    ],
)
def test_digests_differ_for_other_content(changed: dict[str, Any]) -> None:
    assert good(event(properties={"a": 1})).digest != good(event(**{"properties": {"a": 1}} | changed)).digest


def test_digests_of_an_event_and_an_identify_differ() -> None:
    verdict = validate(identify(), 0, NOW)
    assert isinstance(verdict, ValidIdentify)
    assert verdict.digest == verdict.digest != good(event()).digest
    changes: list[dict[str, Any]] = [
        {}, {"traits": {"x": 1}}, {"anonymous_id": "p"}, {"contact_id": "p"}, {"previous_id": "p"},
        {"contact_id": "p", "previous_id": "p"},
    ]  # fmt: skip
    others = [validate(identify(**change), 0, NOW) for change in changes]
    assert len({one.digest for one in others if isinstance(one, ValidIdentify)}) == len(changes)


def test_digests_stay_what_stores_hold() -> None:
    old = validate(identify(traits={"x": 1}, anonymous_id="a"), 0, NOW)
    later = validate(identify(contact_id="c"), 0, NOW)
    assert isinstance(old, ValidIdentify)
    assert isinstance(later, ValidIdentify)
    assert (old.digest.hex(), later.digest.hex()) == (
        "dc5475fd98ef2bb8c974da5d3d305aed",
        "6e9ed4cc930dc9968f494101cb2e5120",
    )


def test_a_digest_leaves_out_a_time_that_was_not_given() -> None:
    item = {"event": "e", "user_id": "u", "message_id": "m"}
    first, second = validate(item, 0, NOW), validate(item, 0, NOW + SECOND)
    assert isinstance(first, ValidEvent)
    assert isinstance(second, ValidEvent)
    assert first.at != second.at
    assert first.digest == second.digest


def test_digests_stay_what_they_are() -> None:
    """Files run again after an upgrade must find their lines again."""
    assert good(event(properties={"x": 1e16, "y": "é"})).digest.hex() == "601e006f69bff87a987bc80c8e64f247"


# Timestamps


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T12:00:00Z", NOW),
        ("2026-03-01t12:00:00z", NOW),
        ("2026-03-01 12:00:00Z", NOW),
        ("2026-03-01T12:00Z", NOW),
        ("2026-03-01T14:00:00+02:00", NOW),
        ("2026-03-01T14:00:00+0200", NOW),
        ("2026-03-01T06:30:00-05:30", NOW),
        ("2026-03-01T12:00:00-00:00", NOW),
        ("2026-03-01T12:00:00.1Z", NOW + 100_000),
        ("2026-03-01T12:00:00.12Z", NOW + 120_000),
        ("2026-03-01T12:00:00.123Z", NOW + 123_000),
        ("2026-03-01T12:00:00.1234Z", NOW + 123_400),
        ("2026-03-01T12:00:00.12345Z", NOW + 123_450),
        ("2026-03-01T12:00:00.123456Z", NOW + 123_456),
        ("2026-03-01T12:00:00,5+00:00", NOW + 500_000),
        ("2026-03-01T12:00:00.123456789Z", NOW + 123_456),
        ("2026-03-01T12:00:00.9999999999+00:00", NOW + 999_999),
        ("2026-03-01T14:00:00+02", NOW),
        ("2026-03-01 12:00:00+00", NOW),
        ("20260301T120000Z", NOW),
        ("20260301T140000.5+0200", NOW + 500_000),
        ("2026-060T12:00:00Z", NOW),
        ("2026060T12Z", NOW),
        ("2026-W09-7T12:00:00Z", NOW),
        ("2026W097T1200Z", NOW),
        ("2026-03-01T11,5Z", NOW - 30 * MINUTE),
        ("2026-03-01T12:00.5Z", NOW + 30 * SECOND),
        ("2026-02-28T24:00:00-12:00", NOW),
        ("2026-03-01T11:59:60Z", NOW),
        ("2026-03-01 14:00:00 +0200", NOW),
        ("2026-03-01 12:00:00 UTC", NOW),
        ("2026-03-01T10:00:00\N{MINUS SIGN}02:00", NOW),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("1970-01-01T00:00:00Z", 0),
        (datetime.datetime(2026, 3, 1, 13, tzinfo=ZoneInfo("Europe/Warsaw")), NOW),
        (datetime.datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=datetime.UTC), NOW + 1),
    ],
)
def test_timestamps_are_exact(text: object, at: int) -> None:
    assert parse_timestamp(text) == at


@given(st.integers(micros(YEAR_1) + 2 * DAY, micros(YEAR_9999) - 2 * DAY), st.timezones())
def test_timestamps_round_trip(at: int, zone: datetime.tzinfo) -> None:
    when = moment(at).astimezone(zone)
    assert parse_timestamp(when) == at
    assert parse_timestamp(iso(at)) == at
    offset = datetime.timezone(datetime.timedelta(minutes=when.minute))
    assert parse_timestamp(moment(at).astimezone(offset).isoformat()) == at


@given(st.text())
@example("2026-03-01T12:00:00Z\n")
def test_other_text_is_refused_as_a_timestamp(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_timestamp(text)
    assert caught.value.code in ("timestamp_invalid", "timestamp_no_offset")
    assert caught.value.reason.isprintable()


def test_a_datetime_that_is_none_is_refused() -> None:
    class NotATime(datetime.datetime):
        def __sub__(self, other: object) -> Any:
            return math.nan

    assert refused(event(timestamp=NotATime(2026, 3, 1, tzinfo=datetime.UTC))).code == "timestamp_invalid"


def test_text_that_is_an_enumeration_is_read_as_text() -> None:
    class When(enum.StrEnum):
        NOON = "2026-03-01T12:00:00Z"

    assert parse_timestamp(When.NOON) == NOW


# Nothing raises


@given(ANYTHING)
def test_validate_never_raises(item: Any) -> None:
    assert isinstance(validate(item, 0, NOW), Rejection | ValidEvent | ValidIdentify)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["track", "identify", None]) | ANYTHING,
            "event": st.just("e") | ANYTHING,
            "user_id": st.just("u") | ANYTHING,
            "anonymous_id": st.just("a") | ANYTHING,
            "previous_id": st.just("p") | ANYTHING,
            "timestamp": st.just("2026-03-01T11:00:00Z") | ANYTHING,
            "properties": ANYTHING,
            "traits": ANYTHING,
            "message_id": ANYTHING,
            "caused_by": ANYTHING,
        },
    )
)
@settings(max_examples=300)
def test_validate_never_raises_on_odd_fields(item: dict[str, Any]) -> None:
    verdict = validate(item, 3, NOW)
    if isinstance(verdict, Rejection):
        assert verdict.code in CODES
        assert verdict.index == 3
        verdict.reason.encode()


@given(st.dictionaries(st.text(max_size=4), ANYTHING, max_size=4))
def test_the_fast_check_and_the_careful_one_agree(properties: dict[str, Any]) -> None:
    try:
        careful = plain_object(properties, "properties", 16, 32 * 1024)
    except RefusedError:
        assert isinstance(validate(event(properties=properties), 0, NOW), Rejection)
        return
    valid = good(event(properties=properties))
    assert valid.properties_json == canonical(careful).decode()
    if is_ordinary(properties, 16, 32 * 1024):
        assert careful == properties


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_ordinary_json_is_proved_ordinary(properties: dict[str, Any]) -> None:
    assert is_ordinary(properties, 16, 32 * 1024)
    assert plain_object(properties, "properties", 16, 32 * 1024) == properties


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_what_is_valid_is_valid_again_after_json(properties: dict[str, Any]) -> None:
    verdict = validate(event(properties=properties), 0, NOW)
    if isinstance(verdict, ValidEvent):
        again = good(event(properties=parse_json(verdict.properties_json)))
        assert (again.properties_json, again.digest) == (verdict.properties_json, verdict.digest)


# JSON


@given(st.text() | st.binary())
def test_parse_json_raises_nothing_but_its_own(text: str | bytes) -> None:
    code = None
    try:
        parse_json(text)
    except RefusedError as error:
        code = error.code
    assert code is None or code in CODES


@given(JSON)
def test_json_round_trips(value: Any) -> None:
    assert parse_json(canonical(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (b"\xff{}", "not_utf8", "byte 1 is not UTF-8"),
        ("{}".encode("utf-16"), "not_utf8", "byte 1"),
        (b'{"a" 1}', "invalid_json", "at column 6"),
        (b'{"a":\n 1,}', "invalid_json", "at line 2, column"),
        (b"[NaN]", "not_finite", "NaN is not JSON"),
    ],
)
def test_json_that_cannot_be_read_is_refused_with_its_place(text: bytes, code: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as caught:
        parse_json(text)
    assert caught.value.code == code


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_escaped_pairs_become_one_character() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"


# Typed events and receipts


def test_typed_events_are_validated_like_dicts() -> None:
    when = datetime.datetime(2026, 3, 1, 11, tzinfo=datetime.UTC)
    typed = Event(event="signed_up", user_id="u-1", timestamp=when, properties={"x": 1})
    assert good(typed) == good(event(properties={"x": 1}))
    assert refused(Event(event="", user_id="u")).code == "name_missing"
    assert refused(Event(event="e")).code == "no_person"
    assert refused(Event(event="e", user_id="u", properties={"x": {1}})).code == "not_json"
    verdict = validate(Identify(user_id="u-1", traits={"x": 1}, timestamp=when), 0, NOW)
    assert verdict == validate(identify(traits={"x": 1}), 0, NOW)


@pytest.mark.parametrize("wrong", [{"userId": "u"}, {"user_id": 7}, {"timestamp": 7}, {"properties": [1]}])
def test_typed_events_check_their_types_when_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Event(**({"event": "e"} | wrong))


def test_typed_events_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Event(event="e").event = "f"  # type: ignore[misc]


def test_a_receipt_says_what_became_of_each() -> None:
    conflict = Duplicate(2, bytes(16), "m", conflict=True)
    rejection = Rejection(3, "nul", "remove it")
    first, last = Accepted(0, bytes(16)), Accepted(4, bytes(15) + b"\x01")
    receipt = Receipt((first, Duplicate(1, bytes(16), "m"), conflict, rejection, last))
    assert receipt.ids == ["evt_00000000000000000000000000", "evt_00000000000000000000000001"]
    assert receipt.stored == 2
    assert [duplicate.index for duplicate in receipt.duplicates] == [1, 2]
    assert receipt.conflicts == [conflict]
    assert receipt.rejected == [rejection]
    assert [outcome.status for outcome in receipt.outcomes] == [
        "accepted", "duplicate", "duplicate", "rejected", "accepted",
    ]  # fmt: skip
    assert not receipt.ok
    assert Receipt((Accepted(0, bytes(16)), Duplicate(1, bytes(16), "m"))).ok
    assert not Receipt((conflict,)).ok
    assert Receipt(()).ok


def test_the_verdict_is_the_same_under_a_frozen_clock() -> None:
    with freezegun.freeze_time("2026-03-01T12:00:00Z"):
        assert good(event(timestamp=datetime.datetime.now(datetime.UTC))).at == NOW
        assert good(event()).at == NOW - 3600 * SECOND
        assert refused(event(timestamp=datetime.datetime.now())).code == "timestamp_no_offset"  # noqa: DTZ005
        assert good(Event(event="e", user_id="u", timestamp=datetime.datetime.now(datetime.UTC))).at == NOW


# Durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 seconds", 90),
        ("1 second", 1),
        ("5m", 300),
        ("24h", 86_400),
        ("72 hours", 259_200),
        ("1h30m", 5_400),
        ("1 day 12 hours", 129_600),
        ("100 ms", 0.1),
        ("1s250ms", 1.25),
        (" 2 Weeks ", 1_209_600),
        ("0", 0),
        (0, 0),
        (datetime.timedelta(seconds=7), 7),
    ],
)
def test_durations_are_read(text: object, seconds: float) -> None:
    assert parse_duration(text) == datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "wrong", ["", "5", 5, 1.5, None, False, "five minutes", "5 parsecs", "-5 minutes", "5 mss", "5 minutes!", "1 hs",
              datetime.timedelta(-1)],
)  # fmt: skip
def test_other_durations_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(wrong)


@pytest.mark.parametrize(
    "text", ["5 minutes", "1 hour", "3 days", "90 seconds", "0 seconds", "1 second", "100 milliseconds"]
)
def test_durations_are_shown_as_they_are_read(text: str) -> None:
    assert duration_text(parse_duration(text)) == text


def test_durations_below_a_millisecond_are_shown_in_full() -> None:
    assert duration_text(datetime.timedelta(microseconds=1)) == "0:00:00.000001"
