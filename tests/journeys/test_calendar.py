"""Wall clocks, months, dates in values, schedules and quiet hours (section 3, rulings 6, 12, 22)."""

from __future__ import annotations

import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from engine.journeys import calendar
from engine.language import nodes
from engine.zones import zone_named
from tests.oracle.build import days, hours, months, utc

from .scenes import iso
from .story import rule_of


@pytest.mark.parametrize(
    ("zone", "local", "at"),
    [
        pytest.param("UTC", "2026-01-01T09:00", "2026-01-01T09:00Z", id="plain"),
        pytest.param("Europe/Warsaw", "2026-07-01T09:00", "2026-07-01T07:00Z", id="summer"),
        pytest.param("Europe/Warsaw", "2026-03-29T02:30", "2026-03-29T01:00Z", id="section 3: gap"),
        pytest.param("Europe/Warsaw", "2026-03-29T02:00", "2026-03-29T01:00Z", id="section 3: the gap's beginning"),
        pytest.param("Europe/Warsaw", "2026-03-29T03:00", "2026-03-29T01:00Z", id="section 3: the gap's end"),
        pytest.param("Europe/Warsaw", "2026-10-25T02:30", "2026-10-25T00:30Z", id="section 3: fold"),
        pytest.param("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", id="a gap of half an hour"),
        pytest.param("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z", id="a fold of half an hour"),
        pytest.param("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z", id="a day that never was"),
    ],
)
def test_a_wall_clock_moment(zone: str, local: str, at: str) -> None:
    assert iso(calendar.instant(datetime.datetime.fromisoformat(local), ZoneInfo(zone))) == at


@pytest.mark.parametrize(
    ("zone", "start", "length", "times", "at"),
    [
        pytest.param("UTC", "2026-01-31T12:00", months(1), 1, "2026-02-28T12:00Z", id="ruling 6: clamped"),
        pytest.param("UTC", "2028-01-31T12:00", months(1), 1, "2028-02-29T12:00Z", id="ruling 6: leap year"),
        pytest.param("UTC", "2026-03-31T12:00", months(1), -1, "2026-02-28T12:00Z", id="ruling 6: back"),
        pytest.param("UTC", "2028-02-29T12:00", months(12), 1, "2029-02-28T12:00Z", id="a year"),
        pytest.param("UTC", "2026-11-30T00:00", months(3), 1, "2027-02-28T00:00Z", id="over the year's end"),
        pytest.param("Europe/Warsaw", "2026-03-01T08:00", months(1), 1, "2026-04-01T07:00Z", id="the zone's months"),
        pytest.param("Europe/Warsaw", "2026-03-28T11:00", days(1), 1, "2026-03-29T11:00Z", id="days are 24 hours"),
        pytest.param("Europe/Warsaw", "2026-02-28T01:30", months(1), 1, "2026-03-28T01:30Z", id="before the gap"),
        pytest.param("Europe/Warsaw", "2026-01-29T01:30", months(2), 1, "2026-03-29T01:00Z", id="into the gap"),
        pytest.param(
            "UTC", "2026-01-31T00:00", nodes.Duration(3_600_000_000, 1), 1, "2026-02-28T01:00Z", id="months first"
        ),
    ],
)
def test_a_length_of_time(zone: str, start: str, length: nodes.Duration, times: int, at: str) -> None:
    assert iso(calendar.add(utc(start), length, ZoneInfo(zone), times)) == at


def test_no_moment_lies_beyond_the_calendar() -> None:
    assert calendar.add(utc("9999-06-01T00:00"), months(12), datetime.UTC) == calendar.LAST
    assert calendar.add(utc("9999-06-01T00:00"), days(9_000), datetime.UTC) == calendar.LAST
    assert calendar.add(utc("1970-01-01T00:00"), months(12 * 2000), datetime.UTC, -1) == calendar.FIRST
    assert calendar.add(utc("0001-06-01T00:00"), days(9_000), datetime.UTC, -1) == calendar.FIRST


@pytest.mark.parametrize(
    ("at", "weekday", "time", "zone", "found"),
    [
        pytest.param("2026-01-01T08:59", None, (9, 0), "UTC", "2026-01-01T09:00Z", id="today"),
        pytest.param("2026-01-01T09:00", None, (9, 0), "UTC", "2026-01-01T09:00Z", id="ruling 22: at entry"),
        pytest.param("2026-01-01T09:01", None, (9, 0), "UTC", "2026-01-02T09:00Z", id="tomorrow"),
        pytest.param("2026-01-01T10:00", "thursday", (9, 0), "UTC", "2026-01-08T09:00Z", id="in a week"),
        pytest.param("2026-01-01T08:00", "thursday", (9, 0), "UTC", "2026-01-01T09:00Z", id="still today"),
        pytest.param("2026-01-01T23:30", None, (0, 0), "Europe/Warsaw", "2026-01-02T23:00Z", id="the zone's midnight"),
        pytest.param("2026-10-25T00:31", None, (2, 30), "Europe/Warsaw", "2026-10-26T01:30Z", id="a fold comes once"),
    ],
)
def test_the_next_time(at: str, weekday: nodes.Weekday | None, time: tuple[int, int], zone: str, found: str) -> None:
    assert iso(calendar.next_time(utc(at), weekday, nodes.TimeOfDay(*time), ZoneInfo(zone))) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param("2026-01-02", "2026-01-01T23:00Z", id="ruling 22: without a time midnight"),
        pytest.param("2026-01-02T10:00", "2026-01-02T09:00Z", id="ruling 22: without offset the zone's wall clock"),
        pytest.param("2026-01-02 10:00:30", "2026-01-02T09:00:30Z", id="with a blank"),
        pytest.param("2026-01-02T10:00Z", "2026-01-02T10:00Z", id="UTC"),
        pytest.param("2026-01-02T10:00:00+02:00", "2026-01-02T08:00Z", id="an offset"),
        pytest.param("2026-01-02T10:00:00.123456789Z", "2026-01-02T10:00:00.123456Z", id="too fine"),
        pytest.param("2026-02-30", None, id="no such day"),
        pytest.param("2026-01-02T25:00", None, id="no such hour"),
        pytest.param("soon", None, id="ruling 22: unreadable"),
        pytest.param("", None, id="empty"),
        pytest.param(20260102, None, id="a number"),
        pytest.param(None, None, id="ruling 22: missing"),
        pytest.param(True, None, id="a boolean"),
    ],
)
def test_a_date_in_a_value(value: object, found: str | None) -> None:
    moment = calendar.moment_of(value, ZoneInfo("Europe/Warsaw"))
    assert (None if moment is None else iso(moment)) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(946_684_800, "2000-01-01T00:00Z", id="the first unix second"),
        pytest.param(946_684_799, None, id="the second before it"),
        pytest.param(4_102_444_800, "2100-01-01T00:00Z", id="the last unix second"),
        pytest.param(4_102_444_801, None, id="the second after it"),
        pytest.param(946_684_800_000, "2000-01-01T00:00Z", id="the first unix millisecond"),
        pytest.param(946_684_799_999, None, id="the millisecond before it"),
        pytest.param(4_102_444_800_000, "2100-01-01T00:00Z", id="the last unix millisecond"),
        pytest.param(4_102_444_800_001, None, id="the millisecond after it"),
        pytest.param(1_767_348_000.0, "2026-01-02T10:00Z", id="a whole number with a point"),
        pytest.param(1_767_348_000.5, None, id="half a second"),
        pytest.param("1767348000", None, id="digits as text"),
        pytest.param("20260102", None, id="a basic date is digits as text"),
        pytest.param("20260102T100000Z", "2026-01-02T10:00Z", id="a basic date with a time"),
        pytest.param("2026-01-02 10:00:00+00", "2026-01-02T10:00Z", id="an offset of hours alone"),
        pytest.param(" 2026-01-02T10:00:00Z ", "2026-01-02T10:00Z", id="blanks around"),
        pytest.param("2026-01-02", "2026-01-01T23:00Z", id="a date"),
        pytest.param(True, None, id="a boolean"),
        pytest.param(float("inf"), None, id="infinite"),
        pytest.param(10**400, None, id="huge"),
    ],
)
def test_a_date_where_one_is_asked_for(value: object, found: str | None) -> None:
    moment = calendar.date_of(value, ZoneInfo("Europe/Warsaw"))
    assert (None if moment is None else iso(moment)) == found


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("Europe/Warsaw", True), (" europe/warsaw\n", True), ("EUROPE/WARSAW", True), ("utc", True)),
        *(("Mars/Olympus", False), ("", False), (" ", False), ("/", False), ("Europe", False)),
    ],
)
def test_a_zone_nobody_knows_is_none(name: str, known: bool) -> None:
    assert (zone_named(name) is not None) is known


@pytest.mark.parametrize(
    ("trigger", "after", "found"),
    [
        pytest.param(
            "every day at 09:00", "2026-01-01T09:00", ["2026-01-02T09:00Z", "2026-01-03T09:00Z"], id="later than"
        ),
        pytest.param(
            "every monday at 09:00", "2026-01-01T00:00", ["2026-01-05T09:00Z", "2026-01-12T09:00Z"], id="weekly"
        ),
        pytest.param(
            "every month on day 31 at 09:00",
            "2026-01-31T10:00",
            ["2026-02-28T09:00Z", "2026-03-31T09:00Z"],
            id="section 2: the last day of a month that lacks it",
        ),
        pytest.param("on 2026-11-27 at 09:00", "2026-01-01T00:00", ["2026-11-27T09:00Z"], id="once"),
        pytest.param("on 2026-11-27 at 09:00", "2026-11-27T09:00", [], id="once, and past"),
        pytest.param("every year on person.born at 09:00", "2026-01-01T00:00", [], id="no date, no start"),
    ],
)
def test_a_schedule(trigger: str, after: str, found: list[str]) -> None:
    schedule = rule_of(f"Trigger: {trigger}\nAction: mail").trigger
    assert isinstance(schedule, nodes.Schedule)
    assert [iso(at) for at in islice(calendar.occurrences(schedule, utc(after), datetime.UTC), 2)] == found


def test_a_birthday_on_the_29th_of_february_is_the_28th_in_other_years() -> None:
    schedule = rule_of("Trigger: every year on person.born at 09:00\nAction: mail").trigger
    assert isinstance(schedule, nodes.Schedule)
    coming = calendar.occurrences(schedule, utc("2027-01-01T00:00"), datetime.UTC, datetime.date(1988, 2, 29))
    assert [iso(at) for at in islice(coming, 2)] == ["2027-02-28T09:00Z", "2028-02-29T09:00Z"]


@pytest.mark.parametrize(
    ("lines", "at", "end"),
    [
        pytest.param(["21:00 to 09:00"], "2026-01-01T20:59", "2026-01-01T20:59Z", id="before"),
        pytest.param(["21:00 to 09:00"], "2026-01-01T21:00", "2026-01-02T09:00Z", id="section 3: the start is quiet"),
        pytest.param(["21:00 to 09:00"], "2026-01-01T03:00", "2026-01-01T09:00Z", id="past midnight"),
        pytest.param(["21:00 to 09:00"], "2026-01-01T09:00", "2026-01-01T09:00Z", id="section 3: the end is not"),
        pytest.param(["12:00 to 13:00"], "2026-01-01T12:30", "2026-01-01T13:00Z", id="within a day"),
        pytest.param(["saturday, sunday"], "2026-01-03T10:00", "2026-01-05T00:00Z", id="whole days"),
        pytest.param(
            ["21:00 to 09:00, saturday, sunday"], "2026-01-02T22:00", "2026-01-05T09:00Z", id="one after other"
        ),
        pytest.param(
            ["21:00 to 09:00", "09:00 to 10:00"],
            "2026-01-01T22:00",
            "2026-01-02T10:00Z",
            id="section 2: until none holds",
        ),
    ],
)
def test_quiet_hours(lines: list[str], at: str, end: str) -> None:
    rule = rule_of("Trigger: start\n" + "\n".join(f"Quiet hours: {line}" for line in lines) + "\nAction: mail")
    quiet = tuple((line, datetime.UTC) for line in rule.quiet)
    assert iso(calendar.quiet_end(utc(at), quiet)) == end


def test_lines_that_leave_no_moment_hold_nothing() -> None:
    rule = rule_of("Trigger: start\nQuiet hours: 00:00 to 12:00\nQuiet hours: 12:00 to 00:00\nAction: mail")
    quiet = tuple((line, datetime.UTC) for line in rule.quiet)
    assert iso(calendar.quiet_end(utc("2026-01-01T10:00"), quiet)) == "2026-01-01T10:00Z"


def test_hours_are_exact_over_a_gap() -> None:
    assert iso(calendar.add(utc("2026-03-29T00:30"), hours(1), ZoneInfo("Europe/Warsaw"))) == "2026-03-29T01:30Z"
