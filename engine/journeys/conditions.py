"""Is it true? The three-valued decision of a condition, and the next moment worth asking.

A forward item is *settled* once: true from the moment it holds, false once its window is past, unknown until
then. A gate is asked when its step is entered and at each moment one of its forward items is settled, and is
decided at the first of them at which its value is not unknown. Facts, totals and look-backs are read at the
moment of asking. Nothing here reads a clock: what is known is what lies at or before a ``Point``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby, islice
from typing import Any, NamedTuple

from engine.journeys import calendar, misread
from engine.journeys import values as reading
from engine.journeys.calendar import Zone
from engine.journeys.draws import drawn
from engine.journeys.misread import Misread, is_text
from engine.journeys.timeline import Event, Timeline
from engine.language import nodes, program

Point = tuple[int, int]
"""A moment and the phase of its instant: ``EVENTS`` are in view, then ``ENDS`` of windows and waits come."""

EVENTS, ENDS = 3, 4

_OF_NUMBERS = {"sum", "average", "min", "max"}
_RISING = {"sum", "count", "count of different", "max"}
_WINDOWED = (program.Seen, program.Sequence, program.First, program.Summed)


class Settled(NamedTuple):
    """A forward item's value, the point from which it is known, and the events that settled it."""

    value: bool
    point: Point
    events: frozenset[str] = frozenset()


class Verdict(NamedTuple):
    """What a gate was decided to be, when, and by which events."""

    value: bool
    point: Point
    events: frozenset[str]


class Unsettled(NamedTuple):
    """Not known yet; without another event the first moment that may change it is ``due``."""

    due: int


class Entry(NamedTuple):
    """When a step was entered, and the events its forward windows leave out (ruling 5)."""

    point: Point
    left_out: frozenset[str] = frozenset()


class Scene(NamedTuple):
    """Whose condition is asked: the person's timeline and the journey's trigger, where there is one."""

    timeline: Timeline
    rule: str
    person: str
    zone: Zone
    start: int = 0
    trigger: Event | None = None
    companions: frozenset[str] = frozenset()
    """The trigger's id and those of the rule's other triggers at its instant."""
    causes: frozenset[str] = frozenset()
    """The rules that led to a journey without a trigger event."""
    misread: set[Misread] | None = None
    """Where to put what is met of another kind than asked for; None: nobody is to be told."""

    def values(self, path: nodes.Path, at: int, event: Event | None = None) -> Any:
        """What ``path`` reads at ``at``."""
        match path.scope:
            case "event":
                return None if event is None else reading.read(event.fields, path.parts)
            case "trigger":
                return None if self.trigger is None else reading.read(self.trigger.fields, path.parts)
            case "bare" if self.trigger is not None and path.parts[0] in self.trigger.fields:
                return reading.read(self.trigger.fields, path.parts)
            case _:
                return reading.read(self.timeline.attributes(at), path.parts)

    def operand(self, side: nodes.Operand, at: int) -> reading.Operand:
        if isinstance(side, nodes.Literal):
            return reading.Operand(side.value, bare=side.bare)
        return reading.Operand(self.values(side, at), correlated=side.scope == "trigger")

    def holds(self, comparison: nodes.Comparison, at: int, event: Event | None = None) -> bool:
        left = self.values(comparison.left, at, event)
        right = [self.operand(one, at) for one in comparison.right]
        found = reading.holds(left, comparison.operator, right, self.zone)
        if not found and self.misread is not None and left is not None:
            kind = misread.compared(left, comparison.operator, right, self.zone)
            if kind is not None:
                self.misread.add(Misread(kind, self.field(comparison.left, event)))
        return found

    def field(self, path: nodes.Path, event: Event | None = None) -> str:
        """Return a path as people know it: with the event or the person it is read of."""
        if path.scope == "bare":
            of_trigger = self.trigger is not None and path.parts[0] in self.trigger.fields
            return ".".join(("trigger" if of_trigger else "person", *path.parts))
        return ".".join((event.name if event is not None and path.scope == "event" else path.scope, *path.parts))

    def no_date(self, path: nodes.Path, at: int) -> None:
        """Tell that there is something, and no date, where a date is asked for."""
        if self.misread is not None and misread.is_no_date(self.values(path, at), self.zone):
            self.misread.add(Misread("unreadable_date", self.field(path)))

    def matches(self, pattern: nodes.Pattern, event: Event) -> bool:
        """Whether ``event`` is one of ``pattern``; values of a ``where`` are read at the event's own time."""
        if pattern.name is None:
            if not event.made or event.name in pattern.excluding:
                return False
        elif event.name != pattern.name:
            return False
        return not pattern.where or all(self.holds(comparison, event.at, event) for comparison in pattern.where)

    def seen(
        self,
        pattern: nodes.Pattern,
        start: int,
        end: int,
        left_out: frozenset[str] = frozenset(),
        most: int | None = None,
    ) -> list[Event]:
        """Return the events of ``pattern`` with ``start <= at <= end``, in order; no more than the first ``most``."""
        within = self.timeline.between(pattern.name, start, end)
        found = (event for event in within if event.id not in left_out and self.matches(pattern, event))
        return list(found if most is None else islice(found, most))

    def last(self, pattern: nodes.Pattern, at: int, left_out: frozenset[str] = frozenset()) -> Event | None:
        """The latest event of ``pattern`` up to ``at``."""
        found = self.timeline.backwards(pattern.name, at)
        return next((event for event in found if event.id not in left_out and self.matches(pattern, event)), None)

    def add(self, at: int, length: nodes.Duration, times: int = 1) -> int:
        return calendar.add(at, length, self.zone, times)

    def end(self, at: int, lengths: Iterable[nodes.Duration]) -> int:
        return min(self.add(at, length) for length in lengths)


def rules_out(pattern: nodes.Pattern, event: Event, met: set[Misread] | None = None) -> bool:
    """Whether ``event`` is surely none of ``pattern``, by nothing but its own name and fields.

    Values of another kind than asked for are added to ``met``.
    """
    if pattern.name is not None and pattern.name != event.name:
        return True
    scene = _NOWHERE if met is None else _NOWHERE._replace(misread=met)
    return any(_needs_event_only(one) and not scene.holds(one, event.at, event) for one in pattern.where)


def _needs_event_only(comparison: nodes.Comparison) -> bool:
    """Whether neither the person, nor the trigger, nor a time zone has a say in a comparison."""
    if comparison.left.scope != "event" or not all(isinstance(one, nodes.Literal) for one in comparison.right):
        return False
    if comparison.operator not in ("<", "<=", ">", ">=", "between"):
        return True
    return all(isinstance(one, nodes.Literal) and reading.is_number(one.value) for one in comparison.right)


_NOWHERE = Scene(Timeline((), ()), "", "", datetime.UTC)
"""The scene of a question that reads only the event it is asked of."""


def _view(horizon: Point) -> int:
    """The last instant whose events are in view."""
    return horizon[0] if horizon[1] >= EVENTS else horizon[0] - 1


# --------------------------------------------------------------------------------------------- gates


def decide(condition: program.Condition, scene: Scene, entry: Entry, horizon: Point) -> Verdict | Unsettled:
    """The decision of a gate entered at ``entry``, as far as ``horizon`` shows it."""
    found = {id(item): settle(item, scene, entry, horizon) for item in program.parts(condition) if forward(item)}
    settled = {key: one for key, one in found.items() if isinstance(one, Settled)}
    points = {entry.point, *(max(one.point, entry.point) for one in settled.values())}
    for point in sorted(points):
        value = ask(condition, scene, point, settled)
        if value is not None:
            deciding = [one.events for one in settled.values() if one.point == point]
            return Verdict(value, point, frozenset().union(*deciding))
    dues = [one.due for one in found.values() if isinstance(one, Unsettled)]
    if dues:
        return Unsettled(min(dues))
    return Verdict(False, max(points), frozenset())


def settled_by(condition: program.Condition, scene: Scene, entry: Entry, horizon: Point) -> dict[int, Settled]:
    """The forward items of a gate that are settled as far as ``horizon`` shows, by identity."""
    found = {id(item): settle(item, scene, entry, horizon) for item in program.parts(condition) if forward(item)}
    return {key: one for key, one in found.items() if isinstance(one, Settled)}


def ask(condition: program.Condition, scene: Scene, point: Point, settled: Mapping[int, Settled]) -> bool | None:
    """The value at ``point`` by Kleene's logic; ``settled`` holds the items known otherwise, by identity."""
    match condition:
        case program.All(items=items):
            return kleene((ask(item, scene, point, settled) for item in items), False)
        case program.Any(items=items):
            return kleene((ask(item, scene, point, settled) for item in items), True)
        case program.Negated(item=item):
            value = ask(item, scene, point, settled)
            return None if value is None else not value
        case _:
            known = settled.get(id(condition))
            if known is not None:
                return known.value if known.point <= point else None
            return None if forward(condition) else look(condition, scene, point[0])


def kleene(found: Iterator[bool | None], strong: bool) -> bool | None:
    """Return ``strong`` as soon as one is; unknown when one is unknown; else the other."""
    unknown = False
    for value in found:
        if value is strong:
            return strong
        unknown = unknown or value is None
    return None if unknown else not strong


def forward(item: program.Item) -> bool:
    """Whether the item waits for what is still to come."""
    return isinstance(item, _WINDOWED) and item.reach.forward


# ------------------------------------------------------------------------------------- forward items


def settle(item: program.Item, scene: Scene, entry: Entry, horizon: Point) -> Settled | Unsettled:
    """When a forward item becomes true or false."""
    if isinstance(item, program.Sequence):
        return _settle_sequence(item, scene, entry, horizon)
    assert isinstance(item, _WINDOWED)
    window = _Window(scene, entry, scene.end(entry.point[0], item.reach.lengths), horizon)
    match item:
        case program.Seen():
            return _settle_seen(item, window)
        case program.First():
            return _settle_first(item, window)
        case _:
            return _settle_summed(item, window)


class _Window(NamedTuple):
    """The closed interval from a step's entry to ``end``, as far as ``horizon`` shows it."""

    scene: Scene
    entry: Entry
    end: int
    horizon: Point

    def events(self, pattern: nodes.Pattern, most: int | None = None) -> list[Event]:
        """Return the events in view, or no more than the first ``most``."""
        last = min(self.end, _view(self.horizon))
        return self.scene.seen(pattern, self.entry.point[0], last, self.entry.left_out, most)

    def at_end(self, value: bool) -> Settled | Unsettled:
        """``value`` once the window is past."""
        past = (self.end, ENDS)
        return Settled(value, past) if past <= self.horizon else Unsettled(self.end)


def _settle_seen(item: program.Seen, window: _Window) -> Settled | Unsettled:
    """Ruling 1."""
    kind, number = item.count.kind, item.count.number
    found = window.events(item.pattern, number + 1)
    needed = number + 1 if kind in ("more than", "at most", "exactly") else number
    by_number = kind in ("at least", "more than")
    if needed == 0:
        return Settled(by_number, window.entry.point)
    if len(found) >= needed:
        last = found[needed - 1]
        return Settled(by_number, (last.at, EVENTS), frozenset((last.id,)))
    return window.at_end(kind in ("at most", "fewer than") or (kind == "exactly" and len(found) == number))


def _settle_first(item: program.First, window: _Window) -> Settled | Unsettled:
    """Ruling 9: at one instant the rival came first."""
    winner = next(iter(window.events(item.first, 1)), None)
    rivals = [event for pattern in item.rivals for event in window.events(pattern, 1)]
    rival = min(rivals, key=lambda event: event.order, default=None)
    if rival is not None and (winner is None or rival.at <= winner.at):
        return Settled(False, (rival.at, EVENTS), frozenset((rival.id,)))
    if winner is not None:
        return Settled(True, (winner.at, EVENTS), frozenset((winner.id,)))
    return window.at_end(False)


def _settle_summed(item: program.Summed, window: _Window) -> Settled | Unsettled:
    """Ruling 2."""
    scene, events = window.scene, window.events(item.total.pattern)
    if not _grows_true(item):
        ended = window.at_end(True)
        if isinstance(ended, Unsettled):
            return ended
        return ended._replace(value=_sum_holds(item, scene, events, window.end))
    for count, at, ids in _instants(events):
        if _sum_holds(item, scene, events[:count], at):
            return Settled(True, (at, EVENTS), ids)
    if not events and _sum_holds(item, scene, [], window.entry.point[0]):
        return Settled(True, window.entry.point)
    return window.at_end(False)


def _grows_true(item: program.Summed) -> bool:
    """Whether more events can only bring the comparison nearer."""
    if item.operator in (">=", ">"):
        return item.total.function in _RISING
    return item.operator in ("<=", "<") and item.total.function == "min"


def _instants(events: list[Event]) -> Iterator[tuple[int, int, frozenset[str]]]:
    """For each instant: how many events lie up to it, its moment, and the ids of its events."""
    count = 0
    for at, group in groupby(events, key=lambda event: event.at):
        ids = frozenset(event.id for event in group)
        count += len(ids)
        yield count, at, ids


def _sum_holds(item: program.Summed, scene: Scene, events: list[Event], at: int) -> bool:
    return _total_holds(item, scene, _total(item.total, scene, events), at)


def _total_holds(item: program.Summed, scene: Scene, total: int | float | None, at: int) -> bool:
    return reading.holds(total, item.operator, [scene.operand(one, at) for one in item.right], scene.zone)


def _total(total: nodes.Total, scene: Scene, events: list[Event]) -> int | float | None:
    path = total.path
    amounts = [event.fields if path is None else scene.values(path, event.at, event) for event in events]
    if scene.misread is not None and path is not None and total.function in _OF_NUMBERS and any(map(is_text, amounts)):
        scene.misread.add(Misread("text_and_number", scene.field(path, events[0])))
    return reading.total(total.function, amounts)


def total_at(total: nodes.Total, scene: Scene, at: int) -> int | float | None:
    """A total read as a value, looking back from ``at``."""
    item = program.condition(nodes.TotalFact(total, "is set", ()), program.AT_ONCE)
    assert isinstance(item, program.Summed)
    return _total(total, scene, _looked(total.pattern, item.reach, scene, at, with_trigger=True))


# --------------------------------------------------------------------------------------------- chains


class _Stand(NamedTuple):
    """A chain as far as it got: links done, since when, and the events of that instant it has used."""

    done: int
    point: Point
    used: frozenset[str]


def _settle_sequence(item: program.Sequence, scene: Scene, entry: Entry, horizon: Point) -> Settled | Unsettled:
    """Ruling 8: true as soon as some choice of occurrences completes it, false once none can."""
    start = entry.point[0]
    limit = scene.end(start, item.reach.lengths) if item.reach.lengths else None
    done, dead, dues = _walk(item, scene, [_Stand(0, entry.point, entry.left_out)], limit, horizon)
    if done:
        first = min(done, key=lambda stand: (stand.point, sorted(stand.used)))
        return Settled(True, first.point, first.used if first.point[1] == EVENTS else frozenset())
    return Unsettled(min(dues)) if dues else Settled(False, max(dead))


def _walk(
    item: program.Sequence, scene: Scene, stands: list[_Stand], limit: int | None, horizon: Point
) -> tuple[list[_Stand], list[Point], list[int]]:
    """Every way through a chain: those complete, the points at which the others died, and ends still ahead."""
    done: list[_Stand] = []
    dead: list[Point] = []
    dues: list[int] = []
    visited: set[_Stand] = set()
    while stands:
        stand = stands.pop()
        if stand in visited:
            continue
        visited.add(stand)
        if stand.done == len(item.links):
            done.append(stand)
            continue
        lengths = item.lengths[stand.done]
        end = scene.end(stand.point[0], lengths) if lengths else horizon[0]  # 'since ...' ends now
        end = end if limit is None else min(end, limit)
        link = item.links[stand.done]
        found = scene.seen(link.pattern, stand.point[0], min(end, _view(horizon)), stand.used)
        past = (end, ENDS) <= horizon
        if link.negated:
            if found:
                dead.append((found[0].at, EVENTS))
            elif past:
                stands.append(_Stand(stand.done + 1, (end, ENDS), stand.used if end == stand.point[0] else frozenset()))
            else:
                dues.append(end)
            continue
        stands += [_next_stand(stand, event) for event in found]
        if past:
            dead.append((end, ENDS))
        else:
            dues.append(end)
    return done, dead, dues


def _next_stand(stand: _Stand, event: Event) -> _Stand:
    """After ``event``: an event serves once, so what was used at its very instant stays used."""
    same = stand.used if event.at == stand.point[0] else frozenset()
    return _Stand(stand.done + 1, max((event.at, EVENTS), stand.point), same | {event.id})


# -------------------------------------------------------------------------------------- looking back


def look(item: program.Item, scene: Scene, at: int) -> bool | None:
    """The value at ``at`` of an item that does not wait; unknown while the person was watched too briefly."""
    match item:
        case program.Seen(pattern=pattern, count=count, reach=reach):
            found = _looked(pattern, reach, scene, at, most=count.number + 1)
            return look_seen(len(found), count, watched(reach, scene, at))
        case program.Summed(total=total, reach=reach):
            found = _looked(total.pattern, reach, scene, at)
            return look_summed(item, scene, at, _total(total, scene, found), watched(reach, scene, at))
        case program.Sequence():
            return _look_sequence(item, scene, at)
        case nodes.Fact(comparison=comparison):
            return scene.holds(comparison, at)
        case nodes.DateFact():
            return _look_date(item, scene, at)
        case nodes.LastEvent(pattern=pattern, duration=duration):
            last = scene.last(pattern, at)
            return last is not None and at >= scene.add(last.at, duration)
        case nodes.Sample(percent=percent, name=name, ordinal=ordinal):
            return drawn(scene.rule, name or ordinal, scene.person) < percent
        case program.First():
            raise ValueError("a race looks forward")


def _looked(
    pattern: nodes.Pattern,
    reach: program.Reach,
    scene: Scene,
    at: int,
    *,
    most: int | None = None,
    with_trigger: bool = False,
) -> list[Event]:
    """Return the events of ``pattern`` in the look-back from ``at``: all of them, or ``most`` of the newest.

    ``since trigger`` leaves the trigger out where a condition asks, and counts it in what is shown (``with_trigger``).
    """
    start, left_out = 0, frozenset[str]()
    fixed = [length.micros for length in reach.lengths if not length.months]
    if fixed:
        start = at - min(fixed) + 1
    if reach.since == "trigger":
        start = max(start, scene.start)
        left_out = frozenset(() if scene.trigger is None or with_trigger else (scene.trigger.id,))
    elif reach.since is not None and (last := scene.last(reach.since, at, scene.companions)) is not None:
        start, left_out = max(start, last.at), frozenset((last.id,))
    monthly = [length for length in reach.lengths if length.months]
    found = (
        event
        for event in scene.timeline.newest(pattern.name, start, at)
        if event.id not in left_out
        and (not monthly or at < scene.end(event.at, monthly))
        and scene.matches(pattern, event)
    )
    return list(islice(found, most))[::-1]


def watched(reach: program.Reach, scene: Scene, at: int) -> bool:
    """Return whether what the look-back saw is all there was, for as far as absence needs watched time."""
    if not reach.watched or not reach.lengths:
        return True
    seen = scene.timeline.first_seen
    return seen is not None and at >= scene.end(seen, reach.lengths)


def look_seen(found: int, count: nodes.Count, known: bool) -> bool | None:
    """Return what a count says of as many events; ``known``: no earlier one can have gone unseen."""
    number = count.number
    match count.kind:
        case "at least" | "more than":
            reached = found >= number if count.kind == "at least" else found > number
            return True if reached else False if known else None
        case "exactly":
            return False if found > number else found == number if known else None
        case _:
            exceeded = found > number if count.kind == "at most" else found >= number
            return False if exceeded else True if known else None


def look_summed(item: program.Summed, scene: Scene, at: int, total: int | float | None, known: bool) -> bool | None:
    """Return what a comparison says of a total; ``known``: no earlier event can have gone unseen."""
    value = _total_holds(item, scene, total, at)
    return value if known or (value and item.operator in (">=", ">")) else None


def _look_sequence(item: program.Sequence, scene: Scene, at: int) -> bool | None:
    """A chain that lies in the past: its first link in the look-back, every later one at the link before it."""
    head = item.links[0]
    if head.negated:
        return False  # it is complete only now, and nothing can come after now
    reach = replace(item.reach, lengths=(*item.lengths[0], *item.reach.lengths))
    firsts = _looked(head.pattern, reach, scene, at)
    stands = [_Stand(1, (event.at, EVENTS), frozenset((event.id,))) for event in firsts]
    done_stands, _, _ = _walk(item, scene, stands, None, (at, ENDS))
    if done_stands:
        return True
    return False if watched(reach, scene, at) else None


def _look_date(item: nodes.DateFact, scene: Scene, at: int) -> bool:
    moments = reading.dates(scene.values(item.path, at), scene.zone)
    if not moments:
        scene.no_date(item.path, at)
    return any(_date_holds(item, scene, at, moment) for moment in moments)


def _date_holds(item: nodes.DateFact, scene: Scene, at: int, moment: int) -> bool:
    match item.kind:
        case "next":
            return at <= moment <= scene.add(at, item.duration)
        case "last":
            return moment <= at < scene.add(moment, item.duration)
        case _:
            return at >= scene.add(moment, item.duration)
