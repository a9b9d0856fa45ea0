"""Calendar arithmetic of the oracle: durations, wall clocks, zones, dates. Moments are microseconds UTC."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from engine.language import nodes

HOUR = 3_600_000_000
DAY = 24 * HOUR

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICRO = datetime.timedelta(microseconds=1)
_SINCE = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
_TO = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)\s?(Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_ZONES = available_timezones()
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def zone_named(name: object) -> ZoneInfo | None:
    """The zone of that name; nothing for what is no zone (section 3: unknown falls back)."""
    if not isinstance(name, str):
        return None
    wanted = name.strip().lower()
    known = next((one for one in _ZONES if one.lower() == wanted), None)
    return None if known is None else ZoneInfo(known)


def to_local(at: int, zone: ZoneInfo) -> datetime.datetime:
    """The naive wall clock of ``zone`` at ``at``."""
    return (_EPOCH + at * _MICRO).astimezone(zone).replace(tzinfo=None)


def _utc(moment: datetime.datetime) -> int:
    return (moment - _EPOCH) // _MICRO


def from_local(wall: datetime.datetime, zone: ZoneInfo) -> int:
    """Section 3: in a gap the first valid instant after it, in a fold the first occurrence."""
    wall = wall.replace(fold=0)
    at = _utc(wall.replace(tzinfo=zone))
    if to_local(at, zone).replace(fold=0) == wall:
        return at
    low, high = _utc(wall.replace(tzinfo=zone, fold=1)), at  # a gap: its end lies between the two readings
    before = (_EPOCH + low * _MICRO).astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if (_EPOCH + middle * _MICRO).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def at_time(day: datetime.date, time: nodes.TimeOfDay, zone: ZoneInfo) -> int:
    return from_local(datetime.datetime.combine(day, datetime.time(time.hour, time.minute)), zone)


def midnight(day: datetime.date, zone: ZoneInfo) -> int:
    return at_time(day, nodes.TimeOfDay(0, 0), zone)


def clamped(year: int, month: int, day: int) -> datetime.date:
    """A day that a month lacks is its last day (section 2)."""
    return datetime.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def shift_wall(wall: datetime.datetime, duration: nodes.Duration, sign: int) -> datetime.datetime:
    """``wall`` moved by a duration on the calendar, months first and clamped to the month's end."""
    index = wall.year * 12 + wall.month - 1 + sign * duration.months
    day = clamped(index // 12, index % 12 + 1, wall.day)
    return datetime.datetime.combine(day, wall.time()) + sign * duration.micros * _MICRO


def shift(at: int, duration: nodes.Duration, zone: ZoneInfo, sign: int = 1) -> int:
    """Section 3: days are 24 hours; months and years are calendar units in the zone, clamped (ruling 6)."""
    if duration.months:
        at = from_local(shift_wall(to_local(at, zone), nodes.Duration(months=duration.months), sign), zone)
    return at + sign * duration.micros


def first_reaching(target: int, duration: nodes.Duration, zone: ZoneInfo) -> int:
    """The first moment ``t`` with ``t + duration >= target``."""
    low, high = target - duration.micros - (duration.months + 2) * 32 * DAY, target
    while low < high:
        middle = (low + high) // 2
        if shift(middle, duration, zone) >= target:
            high = middle
        else:
            low = middle + 1
    return low


def read_iso(value: object) -> tuple[datetime.datetime, bool, int | None] | None:
    """An ISO date or time as (wall clock, has a time, instant when it carries an offset)."""
    if not isinstance(value, str):
        return None
    found = _ISO.fullmatch(value.strip())
    if found is None:
        return None
    day, time, offset = found.groups()
    try:
        wall = datetime.datetime.fromisoformat(f"{day}T{time or '00:00'}")
        instant = _utc(datetime.datetime.fromisoformat(f"{day}T{time}{offset}")) if offset else None
    except ValueError:
        return None
    return wall, time is not None, instant


def read_date(value: object, zone: ZoneInfo) -> int | None:
    """Ruling 22: without a time midnight, without an offset the wall clock of ``zone``; unreadable is none."""
    for unit in (1_000_000, 1_000):  # seconds since 1970, and milliseconds
        if isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer():
            at = int(value) * unit
            if _utc(_SINCE) <= at <= _utc(_TO):
                return at
    read = read_iso(value)
    if read is None:
        return None
    wall, _, instant = read
    return instant if instant is not None else from_local(wall, zone)


def read_day(value: object, zone: ZoneInfo) -> datetime.date | None:
    """The day a yearly schedule goes by: as written where there is no offset; a midnight of UTC is that date."""
    at = read_date(value, zone)
    read = read_iso(value)
    if at is None:
        return None
    if read is not None and read[2] is None:
        return read[0].date()
    utc = _EPOCH + at * _MICRO
    return utc.date() if utc.time() == datetime.time() else to_local(at, zone).date()


def next_time(at: int, weekday: str | None, time: nodes.TimeOfDay, zone: ZoneInfo) -> int:
    """Ruling 22: the next such wall-clock moment at or after ``at``."""
    day = to_local(at, zone).date() - datetime.timedelta(days=1)
    while True:
        moment = at_time(day, time, zone)
        if moment >= at and (weekday is None or WEEKDAYS[day.weekday()] == weekday):
            return moment
        day += datetime.timedelta(days=1)


def schedule_days(
    schedule: nodes.Schedule, since: datetime.date, yearly: datetime.date | None
) -> Iterator[datetime.date]:
    """The local dates of a schedule from ``since`` on (section 2), in order; ``yearly`` is the attribute's date."""
    if schedule.kind == "once":
        if schedule.date is not None:
            yield datetime.date(schedule.date.year, schedule.date.month, schedule.date.day)
        return
    if schedule.kind in ("day", "week"):
        day = since
        while day.year < 9000:
            if schedule.kind == "day" or WEEKDAYS[day.weekday()] == schedule.weekday:
                yield day
            day += datetime.timedelta(days=1)
        return
    for year in range(since.year, 9000):
        if schedule.kind == "month":
            for month in range(1, 13):
                yield clamped(year, month, schedule.day or 1)
        elif yearly is not None:
            yield clamped(year, yearly.month, yearly.day)
        else:
            return  # no date, no start


def quiet_until(at: int, lines: list[tuple[nodes.QuietHours, ZoneInfo]]) -> int:
    """The first moment at or after ``at`` at which no line of ``Quiet hours:`` holds (section 2: until none holds)."""
    for _ in range(100):
        ends = [end for line, zone in lines for start, end in _quiet_spans(at, line, zone) if start <= at < end]
        if not ends:
            return at
        at = max(ends)
    raise ValueError("quiet for ever")


def _quiet_spans(at: int, line: nodes.QuietHours, zone: ZoneInfo) -> list[tuple[int, int]]:
    """The half-open quiet stretches around ``at``: ``[start, end)`` of each day, and whole days."""
    spans = []
    today = to_local(at, zone).date()
    for offset in (-2, -1, 0, 1, 2):
        day = today + datetime.timedelta(days=offset)
        after = day + datetime.timedelta(days=1)
        if line.start is not None and line.end is not None:
            overnight = (line.end.hour, line.end.minute) <= (line.start.hour, line.start.minute)
            spans.append((at_time(day, line.start, zone), at_time(after if overnight else day, line.end, zone)))
        if WEEKDAYS[day.weekday()] in line.days:
            spans.append((midnight(day, zone), midnight(after, zone)))
    return spans
