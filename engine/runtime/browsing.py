"""Events as the read face shows them: page by page, newest first, and how often each came about."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from ulid import ULID

from engine.clock import DAY, HOUR, iso
from engine.errors import ConfigError
from engine.journeys import calendar
from engine.journeys.calendar import Zone
from engine.runtime import cursors
from engine.store import Connection, people, reading
from engine.store.rows import Shown, Stretch
from engine.timestamps import parse_timestamp
from engine.zones import zone_named

When = str | datetime.datetime | int
"""A moment: ISO 8601 with an offset, an aware datetime, or microseconds since 1970 UTC."""

Per = Literal["hour", "day", "week"]

_LENGTHS: Final[dict[Per, int]] = {"hour": HOUR, "day": DAY, "week": 7 * DAY}
_ORIGINS: Final[dict[Per, int]] = {"hour": -DAY, "day": -DAY, "week": -10 * DAY}
"""Where the lengths begin on the local clock: a midnight, or a Monday's, before anything that can be counted."""


@dataclass(frozen=True)
class EventView:
    """An event. ``id`` begins with ``evt_``; ``person`` is the user id, else the anonymous id, else a contact.

    Times are microseconds UTC. ``caused_by`` are the rules that led to it, if an action made it.
    """

    id: str
    person: str
    event: str
    at: int
    received_at: int
    source: str
    historical: bool
    message_id: str | None
    caused_by: tuple[str, ...]
    properties: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        times = {"at": iso(self.at), "received_at": iso(self.received_at), "caused_by": list(self.caused_by)}
        return {**self.__dict__, **times}


@dataclass(frozen=True)
class EventPage:
    """A page of events, newest first. ``after`` is what to ask the next page with; None: there is none."""

    events: tuple[EventView, ...]
    after: str | None

    def plain(self) -> dict[str, Any]:
        return {"events": [one.plain() for one in self.events], "after": self.after}


@dataclass(frozen=True)
class EventCount:
    """How often an event came about in the hour, day or week that begins at ``start``, microseconds UTC."""

    start: int
    event: str
    times: int

    def plain(self) -> dict[str, Any]:
        return {**self.__dict__, "start": iso(self.start)}


def page(
    connection: Connection,
    workspace: int,
    person: str | None,
    names: Iterable[str] | None,
    since: When | None,
    until: When | None,
    limit: int,
    after: str | None,
) -> EventPage:
    """A page of events, in a constant number of statements; nobody's, for an id that nobody has.

    Raises ConfigError for an ``after`` that no page gave.
    """
    behind = cursors.behind(connection, workspace, "events", after)
    row = None if person is None else people.find(connection, workspace, person)
    if person is not None and row is None:
        return EventPage((), None)
    shown, place = reading.page(
        connection, workspace, person=row, names=_names(names), since=_at(since), until=_at(until),
        behind=behind, limit=limit,
    )  # fmt: skip
    called = people.names(connection, {one.person_id for one in shown})
    following = None if place is None else cursors.cursor(connection, workspace, "events", place)
    return EventPage(tuple(_view(one, called[one.person_id]) for one in shown), following)


def counts(
    connection: Connection,
    workspace: int,
    per: Per,
    names: Iterable[str] | None,
    since: When | None,
    until: When,
    zone: str,
) -> list[EventCount]:
    """Counts by the local clock of ``zone``, those of an hour, day or week together. Two statements.

    However long the time that is asked for, only that between the first and the last event is looked at.
    """
    if per not in _LENGTHS:
        raise ConfigError(f"events are counted per {', '.join(get_args(Per)[:-1])} or {get_args(Per)[-1]}, not '{per}'")
    local = zone_named(zone)
    if local is None:
        raise ConfigError(f"'{zone}' is no time zone; write it like 'Europe/Warsaw'")
    first, last = reading.span(connection, workspace) or (0, -1)
    begin, end = max(_at(since) or 0, first), min(_at(until) or 0, last + 1)
    if begin >= end:
        return []
    found = reading.counts(
        connection, workspace, _stretches(begin, end, local),
        length=_LENGTHS[per], origin=_ORIGINS[per], names=_names(names),
    )  # fmt: skip
    times: Counter[tuple[int, str]] = Counter()
    for bucket in found:
        times[_start(bucket.start, per, local), bucket.name] += bucket.times
    return [EventCount(start, name, count) for (start, name), count in sorted(times.items())]


def _view(one: Shown, person: str) -> EventView:
    return EventView(
        id=f"evt_{ULID(one.public_id)}",
        person=person,
        event=one.name,
        at=one.at,
        received_at=one.received_at,
        source=one.source,
        historical=bool(one.historical),
        message_id=one.message_id,
        caused_by=tuple(json.loads(one.cause)) if one.cause else (),
        properties=json.loads(one.properties),
    )


def _names(names: Iterable[str] | None) -> list[str] | None:
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))


def _at(when: When | None) -> int | None:
    return when if when is None or isinstance(when, int) else parse_timestamp(when)


def _stretches(since: int, until: int, zone: Zone) -> Iterator[Stretch]:
    """``[since, until)`` cut where the zone's clock is set forth or back, which no zone does twice a day."""
    start, ahead, at = since, _ahead(since, zone), since
    while at < until:
        later = min(at + DAY, until)
        if _ahead(later, zone) != ahead:
            turn = _turn(at, later, zone)
            yield Stretch(start, turn, ahead)
            start, ahead = turn, _ahead(later, zone)
        at = later
    if start < until:
        yield Stretch(start, until, ahead)


def _turn(before: int, after: int, zone: Zone) -> int:
    """The first moment in ``(before, after]`` at which the clock is ahead as it is ``after``."""
    wanted = _ahead(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _ahead(middle, zone) == wanted:
            after = middle
        else:
            before = middle
    return after


def _ahead(at: int, zone: Zone) -> int:
    offset = calendar.wall(at, zone).utcoffset()
    return 0 if offset is None else offset // datetime.timedelta(microseconds=1)


def _start(start: int, per: Per, zone: Zone) -> int:
    """Where a bucket begins by the zone's clock: of a day in which the clock is set, its parts begin together."""
    if per == "hour":
        return start
    day = calendar.wall(start + _LENGTHS[per] // 2, zone).date()
    return calendar.midnight(day - datetime.timedelta(days=day.weekday()) if per == "week" else day, zone)
