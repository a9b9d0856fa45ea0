"""Arithmetic on people's data is total: whatever their dates, zones and numbers are, there is an answer."""

from __future__ import annotations

import datetime
import json
import math
import sys
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.clock import iso
from engine.journeys import calendar, conditions, following, values, waits
from engine.journeys.conditions import Scene
from engine.journeys.rulebook import ended
from engine.journeys.timeline import Change, Event, Timeline
from engine.language import nodes

NAMES = ("UTC", "Pacific/Kiritimati", "Pacific/Niue", "Europe/Warsaw", "Pacific/Apia", "America/St_Johns", "Asia/Kabul")
ZONES = st.sampled_from([datetime.UTC, *map(ZoneInfo, NAMES)])
FAR = st.one_of(
    st.integers(calendar.FIRST, calendar.LAST),
    st.integers(0, 3 * 86_400_000_000).map(lambda rest: calendar.LAST - rest),
    st.integers(0, 3 * 86_400_000_000).map(lambda rest: calendar.FIRST + rest),
    st.integers(-(2**63), 2**63 - 1),
)
LENGTHS = st.builds(nodes.Duration, st.integers(0, 10_000 * 86_400_000_000), st.sampled_from([0, 0, 1, 12, 320]))
TIMES = st.builds(nodes.TimeOfDay, st.integers(0, 23), st.integers(0, 59))
DAYS = st.sampled_from(
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
)
DATES = st.builds(lambda day: nodes.Date(day.year, day.month, day.day), st.dates())
EXTREMES = st.sampled_from(
    [
        "0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00", "0000-00-00", "10000-01-01", "9999-12-31T24:00", "2026-02-30", "09:30",
        "1\u0662:0\u0663", "\u0662\u0660\u0662\u0666-01-01", "23:59:59.9999999999", "2026-01-01T00:00:00+99:99", "",
    ]
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([1e308, -1e308, sys.float_info.max, 5e-324, 10**400, math.inf, -math.inf, math.nan]),
)
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, EXTREMES, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@given(FAR, ZONES, LENGTHS, st.sampled_from([1, -1]))
def test_a_length_of_time_from_any_moment(at: int, zone: calendar.Zone, length: nodes.Duration, times: int) -> None:
    assert calendar.FIRST <= calendar.add(at, length, zone, times) <= calendar.LAST
    calendar.wall(at, zone)
    iso(at)


@given(st.datetimes(), ZONES)
@example(datetime.datetime.fromisoformat("0001-01-01T00:00"), ZoneInfo("Pacific/Kiritimati"))
@example(datetime.datetime.fromisoformat("9999-12-31T23:59:59.999999"), ZoneInfo("Pacific/Niue"))
def test_any_wall_clock_has_a_moment(local: datetime.datetime, zone: calendar.Zone) -> None:
    assert calendar.FIRST <= calendar.instant(local, zone) <= calendar.LAST


@given(FAR, ZONES, TIMES, st.none() | DAYS)
def test_a_next_time_comes_after_any_moment(
    at: int, zone: calendar.Zone, time: nodes.TimeOfDay, weekday: nodes.Weekday | None
) -> None:
    found = calendar.next_time(at, weekday, time, zone)
    assert min(max(at, calendar.FIRST), calendar.LAST) <= found <= calendar.LAST


@given(
    FAR,
    ZONES,
    st.builds(
        nodes.Schedule,
        kind=st.sampled_from(["day", "week", "month", "year", "once"]),
        time=TIMES,
        weekday=DAYS,
        day=st.integers(1, 31),
        date=st.none() | DATES,
    ),
    st.none() | st.dates(),
)
def test_a_schedule_goes_on_from_any_moment(
    at: int, zone: calendar.Zone, schedule: nodes.Schedule, born: datetime.date | None
) -> None:
    found = list(islice(calendar.occurrences(schedule, at, zone, born), 3))
    assert found == sorted(found)
    assert all(one > at for one in found)


@given(
    FAR,
    st.lists(
        st.tuples(
            st.builds(
                nodes.QuietHours, start=TIMES, end=TIMES, days=st.sets(DAYS).map(lambda days: tuple(sorted(days)))
            ),
            ZONES,
        ),
        max_size=3,
    ),
)
def test_quiet_hours_end_from_any_moment(at: int, lines: list[tuple[nodes.QuietHours, calendar.Zone]]) -> None:
    assert calendar.quiet_end(at, tuple(lines)) >= at


@given(ANY, ZONES)
def test_any_value_is_a_date_in_the_calendar_or_none(value: Any, zone: calendar.Zone) -> None:
    found = calendar.moment_of(value, zone)
    assert found is None or calendar.FIRST <= found <= calendar.LAST
    calendar.time_of(value)


@given(
    EXTREMES | st.datetimes().map(str) | st.dates().map(str),
    ZONES,
    st.none() | LENGTHS,
    st.sampled_from(["before", "after"]),
    st.none() | TIMES,
    st.booleans(),
)
def test_a_wait_for_any_date_ends_or_goes_on(
    date: str, zone: calendar.Zone, offset: nodes.Duration | None, side: Any, time: nodes.TimeOfDay | None, now: bool
) -> None:
    wait = nodes.WaitUntilDate(nodes.Path("person", ("d",)), offset, side if offset else None, time, now)
    timeline = Timeline((), [Change(0, {"d": date})])
    start = 1_800_000_000_000_000
    entry = waits.Entry((start, waits.EVENTS))
    found = waits.ending(wait, Scene(timeline, "r", "p", zone, start), entry, (start, waits.ENDS), lambda _: zone)
    assert isinstance(found, waits.Over | waits.NoDate | waits.Until)


@given(st.none() | DATES, FAR, ZONES)
def test_the_last_day_of_active_may_be_any(end: nodes.Date | None, at: int, zone: calendar.Zone) -> None:
    ended(nodes.Active(None, end), at, zone)


@given(st.sampled_from(["sum", "average", "min", "max", "count", "count of different"]), st.lists(ANY, max_size=5))
@example("sum", [1e308, 1e308])
@example("average", [1e308, 1e308])
@example("sum", [1e308, 1e308, -1e308])
@example("sum", [2**63 - 1, 2**63 - 1])
@example("sum", [math.inf, -math.inf])
def test_totals_of_any_values_can_be_sent(function: str, amounts: list[Any]) -> None:
    found = values.total(function, [one for one in amounts if not _is_beyond_json(one)])
    assert found is None or orjson.loads(orjson.dumps(found)) == found


def _is_beyond_json(value: Any) -> bool:
    """Whether the store takes no such value at all: infinities, and integers of more than 64 bits."""
    if isinstance(value, dict | list):
        return any(map(_is_beyond_json, value.values() if isinstance(value, dict) else value))
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


@pytest.mark.parametrize(
    ("function", "amounts", "found"),
    [
        ("sum", [1e308, 1e308], sys.float_info.max),
        ("sum", [-1e308, -1e308], -sys.float_info.max),
        ("sum", [1e308, 1e308, -1e308], 1e308),
        ("average", [1e308, 1e308], 1e308),
        ("sum", [10**400, 1.5], sys.float_info.max),
        ("sum", [2**63 - 1, 1], 2.0**63),
        ("sum", [2**63 - 1], 2**63 - 1),
        ("sum", [math.inf, 1.0], 1.0),
        ("average", [10**400, 10**400], sys.float_info.max),
    ],
)
def test_what_is_beyond_the_largest_number_is_the_largest(function: str, amounts: list[Any], found: float) -> None:
    assert values.total(function, amounts) == found


@given(ANY, st.sampled_from(["=", "!=", "<", ">=", "in", "contains", "starts with", "is set"]), ANY, ZONES)
def test_any_two_values_compare(left: Any, operator: Any, right: Any, zone: calendar.Zone) -> None:
    assert values.holds(left, operator, [values.Operand(right, correlated=True)], zone) in (True, False)


@given(st.sampled_from(["next", "last", "ago"]), EXTREMES, LENGTHS, FAR, ZONES)
def test_a_date_fact_of_any_date_has_an_answer(
    kind: Any, date: str, length: nodes.Duration, at: int, zone: calendar.Zone
) -> None:
    item = nodes.DateFact(nodes.Path("person", ("d",)), kind, length)
    scene = Scene(Timeline([Event(0, "e", "1")], [Change(0, {"d": date})]), "r", "p", zone)
    conditions.look(item, scene, calendar.within(at))
    following.course(item, scene, 0)


def test_a_yearly_day_may_be_any() -> None:
    for born in (datetime.date.min, datetime.date.max, datetime.date(4, 2, 29)):
        schedule = nodes.Schedule(kind="year", time=nodes.TimeOfDay(9, 0))
        assert json.dumps(list(islice(calendar.occurrences(schedule, 0, datetime.UTC, born), 2)))
