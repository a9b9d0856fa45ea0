"""Wall clocks, calendars and zones: every place where a moment depends on where somebody is.

Moments are integer microseconds since 1970 UTC. A wall-clock moment that a zone skips (spring) is the first
valid instant after it; one that comes twice (autumn) is its first occurrence.

People's data holds dates of any year, so nothing here raises: what lies before the year 1 or behind the year 9999 is
the first or the last moment of the calendar.
"""

from __future__ import annotations

import calendar as months
import datetime
import re
from collections.abc import Iterator
from typing import Any

from engine.iso8601 import IsoTime, read_iso
from engine.language import nodes

Zone = datetime.tzinfo

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TICK = datetime.timedelta(microseconds=1)
_WEEKDAYS: tuple[nodes.Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_ISO_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?\Z", re.ASCII)
FIRST = -62_135_596_800 * _SECOND
"""The beginning of the year 1: no moment lies before it."""
LAST = 253_402_300_799 * _SECOND
"""The end of the year 9999: no moment lies beyond it."""
_LAST_DAY = datetime.date.max
_MARGIN = 2 * _DAY
"""As far from the calendar's ends every zone has a wall clock."""


UNIX_SECONDS = (946_684_800, 4_102_444_800)
"""From 2000-01-01 to 2100-01-01: a whole number in between is unix seconds where a date is asked for, and a thousand
times as large it is milliseconds."""


def wall(at: int, zone: Zone) -> datetime.datetime:
    """What the clocks of ``zone`` show at ``at``."""
    try:
        return (_EPOCH + at * _TICK).astimezone(zone)
    except (OverflowError, ValueError):
        return (_EPOCH + min(max(at, FIRST + _MARGIN), LAST - _MARGIN) * _TICK).astimezone(zone)


def within(at: int) -> int:
    """Return ``at``, or the end of the calendar it lies beyond."""
    return min(max(at, FIRST), LAST)


def day_after(day: datetime.date, days: int = 1) -> datetime.date:
    """Return the day that is ``days`` after ``day``, or the last (the first) day of the calendar."""
    ordinal = day.toordinal() + days
    return datetime.date.fromordinal(min(max(ordinal, 1), _LAST_DAY.toordinal()))


def instant(local: datetime.datetime, zone: Zone) -> int:
    """The moment at which the clocks of ``zone`` show ``local`` (naive): see the module's text for gap and fold."""
    first = local.replace(tzinfo=zone, fold=0)
    at = within((first - _EPOCH) // _TICK)
    if zone is datetime.UTC or wall(at, zone).replace(tzinfo=None) == local:
        return at
    return _end_of_gap(local, zone)


def _end_of_gap(local: datetime.datetime, zone: Zone) -> int:
    """The transition that skips ``local``, found between the two readings of its offset."""
    low, high = sorted((local.replace(tzinfo=zone, fold=fold) - _EPOCH) // _TICK for fold in (0, 1))
    low -= 1
    before = wall(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if wall(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return within(high)


def add(at: int, length: nodes.Duration, zone: Zone, times: int = 1) -> int:
    """``at`` plus ``times`` (1 or -1) a length; months on the calendar of ``zone``, clamped to the month's end."""
    if not length.months:
        return within(at + times * length.micros)
    local = wall(at, zone).replace(tzinfo=None)
    count = local.year * 12 + local.month - 1 + times * length.months
    year, month = divmod(count, 12)
    if not 1 <= year <= 9999:
        return LAST if times > 0 else FIRST
    day = min(local.day, months.monthrange(year, month + 1)[1])
    return within(instant(local.replace(year=year, month=month + 1, day=day), zone) + times * length.micros)


def at_time(day: datetime.date, time: nodes.TimeOfDay, zone: Zone) -> int:
    """The moment of a wall-clock time on a day."""
    return instant(datetime.datetime.combine(day, datetime.time(time.hour, time.minute)), zone)


def midnight(day: datetime.date, zone: Zone) -> int:
    return at_time(day, nodes.TimeOfDay(0, 0), zone)


def next_time(at: int, weekday: nodes.Weekday | None, time: nodes.TimeOfDay, zone: Zone) -> int:
    """The first moment at or after ``at`` at which the clocks show ``time`` (on ``weekday``)."""
    day = day_after(wall(at, zone).date(), -1)
    while day < _LAST_DAY:
        if weekday is None or _WEEKDAYS[day.weekday()] == weekday:
            candidate = at_time(day, time, zone)
            if candidate >= at:
                return candidate
        day = day_after(day)
    return LAST


# ------------------------------------------------------------------------------------ dates in values


def moment_of(value: Any, zone: Zone) -> int | None:
    """Return the moment that ISO 8601 text names: a date is its midnight, a time without offset is ``zone``'s."""
    written = _written(value)
    return None if written is None else _moment(written, zone)


def date_of(value: Any, zone: Zone) -> int | None:
    """Return the moment a value names where a date is asked for: ISO 8601 text, unix seconds or milliseconds."""
    unix = _unix(value)
    return moment_of(value, zone) if unix is None else unix


def day_of(value: Any, zone: Zone) -> datetime.date | None:
    """Return the day of the calendar that a value names; a midnight of UTC is the date that it was made of."""
    moment, written = _unix(value), _written(value)
    if written is not None:
        if written.offset is None:
            return written.wall.date()
        moment = _moment(written, zone)
    if moment is None:
        return None
    return wall(moment, datetime.UTC if moment % _DAY == 0 else zone).date()


def _written(value: Any) -> IsoTime | None:
    """Return what ISO 8601 text says. Digits alone are no date: they may be an id, an amount or unix time."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _ISO_DATE.match(text):
        try:
            return IsoTime(datetime.datetime.fromisoformat(text), False, None)
        except ValueError:
            return None
    return None if text.isdecimal() else read_iso(text)


def _moment(written: IsoTime, zone: Zone) -> int | None:
    try:
        if written.offset is None:
            return instant(written.wall, zone)
        return within((written.wall - _EPOCH.replace(tzinfo=None) - written.offset) // _TICK)
    except (ValueError, OverflowError):
        return None


def _unix(value: Any) -> int | None:
    """Return the moment of a whole number of unix seconds or milliseconds of the years 2000 to 2099."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    first, last = UNIX_SECONDS
    if first <= value <= last:
        return int(value) * _SECOND
    return int(value) * 1_000 if first * 1_000 <= value <= last * 1_000 else None


def time_of(value: Any) -> datetime.time | None:
    """The time of day that text such as ``09:30`` names."""
    return datetime.time.fromisoformat(value) if isinstance(value, str) and _ISO_TIME.match(value) else None


# ------------------------------------------------------------------------------------------ schedules


def _days(schedule: nodes.Schedule, start: datetime.date, born: datetime.date | None) -> Iterator[datetime.date]:
    """The days of a schedule from ``start`` on; ``born`` is the day a yearly one goes by."""
    if schedule.kind == "once":
        if schedule.date is not None:
            yield datetime.date(schedule.date.year, schedule.date.month, schedule.date.day)
        return
    if schedule.kind in ("day", "week"):
        day = start
        while day.year < 9999:
            if schedule.kind == "day" or _WEEKDAYS[day.weekday()] == schedule.weekday:
                yield day
            day = day_after(day)
        return
    year, month = start.year, start.month
    while year < 9999:
        if schedule.kind == "month" or (born is not None and born.month == month):
            wanted = (schedule.day if schedule.kind == "month" else born and born.day) or 1
            yield datetime.date(year, month, min(wanted, months.monthrange(year, month)[1]))
        elif born is None:
            return
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def occurrences(schedule: nodes.Schedule, after: int, zone: Zone, born: datetime.date | None = None) -> Iterator[int]:
    """The moments of a schedule later than ``after``, in order, at most one a local day."""
    start = wall(max(after, 0), zone).date()
    for day in _days(schedule, day_after(start, -1) if start.year > 1970 else start, born):
        at = at_time(day, schedule.time, zone)
        if at > after:
            yield at


# ---------------------------------------------------------------------------------------- quiet hours


def quiet_end(at: int, lines: tuple[tuple[nodes.QuietHours, Zone], ...]) -> int:
    """The first moment at or after ``at`` at which none of the quiet hours holds.

    Lines that leave no moment of a week free would hold for ever; after two weeks ``at`` is given back as it was.
    """
    moment = at
    while moment <= at + 14 * _DAY:
        ends = [end for line, zone in lines if (end := _quiet_until(moment, line, zone)) is not None]
        if not ends:
            return moment
        moment = max(ends)
    return at


def _quiet_until(at: int, line: nodes.QuietHours, zone: Zone) -> int | None:
    """When the line that holds at ``at`` ends; nothing when it does not hold, or the calendar ends first."""
    local = wall(at, zone)
    today = local.date()
    if _WEEKDAYS[today.weekday()] in line.days:
        ends = midnight(day_after(today), zone)
        return ends if ends > at else None
    if line.start is None or line.end is None:
        return None
    for day in (day_after(today, -1), today):
        begins = at_time(day, line.start, zone)
        spans = (line.end.hour, line.end.minute) <= (line.start.hour, line.start.minute)
        ends = at_time(day_after(day) if spans else day, line.end, zone)
        if begins <= at < ends:
            return ends
    return None
