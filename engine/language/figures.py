"""Values that read well and mean nothing: a 25th hour, a zone nobody knows, a share above the whole."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from . import nodes
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .layout import number_text, time_text
from .limits import MOST_DAYS
from .suggest import nearest
from .walk import walk

_DAY = 86_400_000_000
_MONTH = 30 * _DAY
"""Long enough to tell whether a duration is beyond all measure."""


@cache
def zones() -> frozenset[str]:
    """The IANA zones."""
    return frozenset(available_timezones())


def check_figures(node: object) -> tuple[Diagnostic, ...]:
    """What is wrong with the values below a node."""
    checked = [part for part in walk(node) if type(part) in _CHECKS]
    return tuple(found for part in checked for found in _CHECKS[type(part)](part)) if checked else ()


def check_duration(duration: nodes.Duration) -> Iterator[Diagnostic]:
    length = duration.micros + duration.months * _MONTH
    if length <= 0:
        yield finding("bad-duration", "a length of time is more than nothing", duration.span, "write at least 1 second")
    elif length > MOST_DAYS * _DAY:
        advice = f"write at most {MOST_DAYS} days"
        yield finding("bad-duration", f"this is longer than {MOST_DAYS:,} days", duration.span, advice)


def _time(time: nodes.TimeOfDay) -> Iterator[Diagnostic]:
    if time.hour > 23 or time.minute > 59:
        advice = "midnight is 00:00" if (time.hour, time.minute) == (24, 0) else "the day runs from 00:00 to 23:59"
        yield finding("bad-time", f"'{time_text(time)}' is not a time of day", time.span, advice)


def _date(date: nodes.Date) -> Iterator[Diagnostic]:
    try:
        datetime.date(date.year, date.month, date.day)
    except ValueError:
        shown = f"{date.year:04}-{date.month:02}-{date.day:02}"
        advice = "write year, month and day, such as 2026-11-27"
        yield finding("bad-date", f"'{shown}' is not a day of the calendar", date.span, advice)


def _zone(zone: nodes.Zone) -> Iterator[Diagnostic]:
    if zone.name is not None and zone.name not in zones():
        best = next((known for known in zones() if known.casefold() == zone.name.casefold()), None)
        best = best or nearest(zone.name, zones())
        advice = f"did you mean '{best}'?" if best else "write a name such as Europe/Warsaw"
        fix = Fix(zone.span, best) if best else None
        yield finding("bad-zone", f"'{zone.name}' is not a zone", zone.span, advice, fix)


def _share(node: nodes.Sample | nodes.Arm | nodes.Holdout) -> Iterator[Diagnostic]:
    if not 0 <= node.percent <= 100:
        yield finding("bad-percent", "a share is at most 100%", node.span, "write a share from 0% to 100%")


def _count(count: nodes.Count) -> Iterator[Diagnostic]:
    if count.number == 0 and count.kind in ("at least", "fewer than"):
        always = "always" if count.kind == "at least" else "never"
        advice = "write 'at least 1 time', or NOT for 'none'"
        yield finding("bad-count", f"'{count.kind} 0 times' is {always} true", count.span, advice)


def _schedule(schedule: nodes.Schedule) -> Iterator[Diagnostic]:
    if schedule.day is not None and not 1 <= schedule.day <= 31:
        advice = "write a day from 1 to 31; a month that lacks the day takes its last"
        yield finding("bad-day", f"no month has a day {schedule.day}", schedule.span, advice)


def _limit(limit: nodes.Limit) -> Iterator[Diagnostic]:
    if limit.number < 1:
        advice = "write at least 1, or remove the rule"
        yield finding("bad-limit", "a limit of 0 lets nobody through", limit.span, advice)


def _quiet(hours: nodes.QuietHours) -> Iterator[Diagnostic]:
    if hours.start and hours.start == hours.end:
        advice = "write two different times, or name whole days"
        yield finding("bad-quiet-hours", "quiet hours begin and end at the same time", hours.span, advice)


def _active(active: nodes.Active) -> Iterator[Diagnostic]:
    start, end = active.start, active.end
    if start and end and (start.year, start.month, start.day) > (end.year, end.month, end.day):
        yield finding("bad-active", "the last day comes before the first", active.span, "exchange the two dates")


def check_split(split: nodes.Split) -> Iterator[Diagnostic]:
    """Whether the arms of a split make a whole; of one without a share, nobody can tell."""
    if not all(0 <= arm.percent <= 100 for arm in split.arms):
        return
    total = round(sum(arm.percent for arm in split.arms), 6)
    if total != 100:
        advice = "change the shares until they do"
        message = f"the arms add up to {number_text(total)}%, not to 100%"
        yield finding("split-sum", message, split.arms[-1].span, advice)


_CHECKS: dict[type, Callable[[Any], Iterator[Diagnostic]]] = {
    nodes.Duration: check_duration,
    nodes.TimeOfDay: _time,
    nodes.Date: _date,
    nodes.Zone: _zone,
    nodes.Sample: _share,
    nodes.Arm: _share,
    nodes.Holdout: _share,
    nodes.Count: _count,
    nodes.Schedule: _schedule,
    nodes.Limit: _limit,
    nodes.QuietHours: _quiet,
    nodes.Active: _active,
}
