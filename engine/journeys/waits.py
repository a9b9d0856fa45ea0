"""When a wait ends."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.journeys import calendar, values
from engine.journeys.calendar import Zone
from engine.journeys.conditions import ENDS, EVENTS, Entry, Point, Scene
from engine.language import nodes

ZoneAt = Callable[[int], Zone]
"""The zone of the wait as the person's attributes stand at a moment."""


class Over(NamedTuple):
    """The wait is over at ``point``; ``past`` when its date already was, ``not_after`` the date not to be outlived."""

    point: Point
    events: frozenset[str] = frozenset()
    past: bool = False
    not_after: int | None = None


class NoDate(NamedTuple):
    """There is no date to wait for, as seen at ``at``."""

    at: int


class Until(NamedTuple):
    """Still waiting, at least to ``due``."""

    due: int


Ending = Over | NoDate | Until


def ending(
    wait: nodes.Wait, scene: Scene, entry: Entry, horizon: Point, zone_at: ZoneAt, *, later: bool = False
) -> Ending:
    """Return how a wait entered at ``entry`` ends, as far as ``horizon`` shows.

    ``later``: a time of day that it is at the very entry has been used by the step before, so the next one is meant.
    """
    at = entry.point[0]
    match wait:
        case nodes.WaitFor(duration=duration):
            return _at(scene.add(at, duration), horizon)
        case nodes.WaitUntilEvent(pattern=pattern, at_most=at_most):
            end = scene.add(at, at_most)
            last = min(end, horizon[0] if horizon[1] >= EVENTS else horizon[0] - 1)
            found = scene.seen(pattern, at, last, entry.left_out)
            if found:
                return Over(max((found[0].at, EVENTS), entry.point), frozenset((found[0].id,)))
            return _at(end, horizon)
        case nodes.WaitUntilTime(weekday=weekday, time=time):
            first = at + 1 if later else at
            return _following(
                scene, entry, horizon, lambda now: (calendar.next_time(first, weekday, time, zone_at(now)), None)
            )
        case nodes.WaitUntilDate():
            return _following(scene, entry, horizon, lambda now: _target(wait, scene, now, zone_at(now)))


def _at(moment: int, horizon: Point) -> Ending:
    return Over((moment, ENDS)) if (moment, ENDS) <= horizon else Until(moment)


Target = tuple[int, int | None] | None
"""The moment a wait ends by what is known, and the date its steps may not outlive."""


def _following(scene: Scene, entry: Entry, horizon: Point, target: Callable[[int], Target]) -> Ending:
    """A wait whose end is worked out again whenever an attribute changes (ruling 22)."""
    for now, until in stretches(scene, entry.point[0], horizon):
        found = target(now)
        if found is None:
            return NoDate(now)
        moment, not_after = found
        reached = entry.point if now == entry.point[0] else (now, EVENTS)
        if moment <= now:
            return Over(reached, past=moment < now, not_after=not_after)
        if until is not None and until <= moment:
            continue
        if (moment, ENDS) <= horizon:
            return Over((moment, ENDS), not_after=not_after)
        return Until(moment)
    raise AssertionError("the last stretch has no end")


def stretches(scene: Scene, start: int, horizon: Point) -> Iterator[tuple[int, int | None]]:
    """The stretches from ``start`` on in which no attribute changes; the last has no end."""
    last = horizon[0] if horizon[1] >= EVENTS else horizon[0] - 1
    edges = [start, *scene.timeline.changed(start, last)]
    yield from zip(edges, [*edges[1:], None], strict=True)


def _target(wait: nodes.WaitUntilDate, scene: Scene, now: int, zone: Zone) -> Target:
    date = next(iter(values.dates(scene.values(wait.path, now), zone)), None)
    if date is None:
        scene.no_date(wait.path, now)
        return None
    not_after = date if wait.side == "before" else None
    if wait.time is not None:
        return calendar.at_time(_day(wait, date, zone), wait.time, zone), not_after
    if wait.offset is None:
        return date, None
    return calendar.add(date, wait.offset, zone, -1 if wait.side == "before" else 1), not_after


def _day(wait: nodes.WaitUntilDate, date: int, zone: Zone) -> datetime.date:
    """The local day of a date moved by the offset: whole days are counted on the calendar, not in hours."""
    if wait.offset is None:
        return calendar.wall(date, zone).date()
    sign = -1 if wait.side == "before" else 1
    days, rest = divmod(wait.offset.micros, 86_400_000_000)
    moved = calendar.add(date, nodes.Duration(rest, wait.offset.months), zone, sign)
    return calendar.day_after(calendar.wall(moved, zone).date(), sign * days)
