"""Following a condition that looks back: one sweep over a timeline gives every instant at which its value changes.

What each item comes to is worked out from the events as they come and leave its look-back, and never asked anew from
instant to instant: the work grows with the events, not with their square.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from itertools import groupby, islice
from math import inf
from operator import itemgetter
from typing import NamedTuple, TypeVar

from engine.journeys import calendar, conditions
from engine.journeys import values as reading
from engine.journeys.conditions import ENDS, EVENTS, Point, Scene
from engine.journeys.timeline import Event
from engine.journeys.totals import Running
from engine.language import nodes, program

T = TypeVar("T")
Value = bool | None
Course = list[tuple[int, Value]]
"""The values of a condition, each with the instant from which it has it, in order."""


def course(condition: program.Condition, scene: Scene, after: int) -> Course:
    """Return the value at ``after``, and every change of it later, those still to come if nothing more happens too."""
    now: dict[int, Value] = {}
    ahead: defaultdict[int, list[tuple[int, Value]]] = defaultdict(list)
    for item in program.parts(condition):
        for at, value in _item_course(item, scene, after):
            if at <= after:
                now[id(item)] = value
            else:
                ahead[at].append((id(item), value))
    found = [(after, _value(condition, now))]
    for at, changed in sorted(ahead.items()):
        now.update(changed)
        value = _value(condition, now)
        if value is not found[-1][1]:
            found.append((at, value))
    return found


def stretch(values: Course, start: int, end: int) -> Iterator[tuple[int, Value]]:
    """Give the value at ``start`` and every change before ``end``."""
    place = bisect_right(values, start, key=itemgetter(0))
    yield start, values[place - 1][1]
    for at, value in islice(values, place, None):
        if at >= end:
            return
        yield at, value


def _value(condition: program.Condition, items: dict[int, Value]) -> Value:
    match condition:
        case program.All(items=inner):
            return conditions.kleene((_value(one, items) for one in inner), False)
        case program.Any(items=inner):
            return conditions.kleene((_value(one, items) for one in inner), True)
        case program.Negated(item=one):
            value = _value(one, items)
            return None if value is None else not value
        case _:
            return items[id(condition)]


def _item_course(item: program.Item, scene: Scene, after: int) -> Iterable[tuple[int, Value]]:
    """Return the values of an item from an instant at or before ``after`` on; the same value may come again."""
    match item:
        case program.Seen():
            return _seen_course(item, scene, after)
        case program.Summed():
            return _summed_course(item, scene, after)
        case program.Sequence() if not item.links[0].negated and all(item.lengths[1:]):
            return _sequence_course(item, scene, after)
        case nodes.LastEvent():
            return _last_course(item, scene)
        case _:
            instants = sorted({after, *scene.timeline.changed(after, calendar.LAST), *_turns(item, scene)})
            return [(at, conditions.look(item, scene, at)) for at in instants if at >= after]


def _turns(item: program.Item, scene: Scene) -> Iterator[int]:
    """Give the instants at which an item that is asked from one to the next may turn, beside changes of attributes."""
    match item:
        case nodes.DateFact():
            yield from _date_turns(item, scene)
        case program.Sequence(links=links):
            for link in links:
                yield from (event.at for event in scene.timeline.between(link.pattern.name, 0, calendar.LAST))
                yield from _ends(scene, link.pattern, item)
        case _:
            return


def _ends(scene: Scene, pattern: nodes.Pattern, item: program.Sequence) -> Iterator[int]:
    """Give the ends of every window of a chain, of as many as follow from one another, after a pattern's events."""
    times = {event.at for event in scene.timeline.between(pattern.name, 0, calendar.LAST)}
    if scene.timeline.first_seen is not None:
        times.add(scene.timeline.first_seen)
    for lengths in (*item.lengths, item.reach.lengths):
        times |= {scene.end(at, lengths) for at in times} if lengths else set()
    yield from times


# ------------------------------------------------------------------------------- what a look-back holds


class _Passing(NamedTuple):
    """An instant, the events that leave a look-back there, and those that enter it."""

    at: int
    left: list[Event]
    entered: list[Event]


def _passing(pattern: nodes.Pattern, reach: program.Reach, scene: Scene, after: int) -> Iterator[_Passing]:
    """Give every instant at which what a look-back holds changes, from those it holds at ``after`` on."""
    fixed = [length.micros for length in reach.lengths if not length.months]
    start = max(after - min(fixed) + 1 if fixed else 0, scene.start if reach.since == "trigger" else 0)
    steps: defaultdict[int, _Passing] = defaultdict(lambda: _Passing(0, [], []))
    for event in scene.seen(pattern, start, calendar.LAST):
        steps[event.at].entered.append(event)
        if reach.lengths:
            steps[scene.end(event.at, reach.lengths)].left.append(event)
    if not isinstance(reach.since, nodes.Pattern):
        yield from (_Passing(at, step.left, step.entered) for at, step in sorted(steps.items()))
        return
    anchors = {event.at: event for event in scene.seen(reach.since, 0, calendar.LAST)}
    held: dict[str, Event] = {}
    for at in sorted(steps.keys() | anchors.keys()):
        left = [event for event in steps[at].left if held.pop(event.id, None) is not None]
        entered = steps[at].entered
        if (anchor := anchors.get(at)) is not None:
            left += held.values()
            held = {}
            entered = [event for event in entered if event.id != anchor.id]
        held |= {event.id: event for event in entered}
        yield _Passing(at, left, entered)


def _watched_from(reach: program.Reach, scene: Scene) -> float:
    """Return from when on the person has been watched for as long as the look-back reaches."""
    if not reach.watched or not reach.lengths:
        return -inf
    seen = scene.timeline.first_seen
    return inf if seen is None else scene.end(seen, reach.lengths)


def _seen_course(item: program.Seen, scene: Scene, after: int) -> Course:
    counts, count = [(-1, 0)], 0
    for at, left, entered in _passing(item.pattern, item.reach, scene, after):
        count += len(entered) - len(left)
        counts.append((at, count))
    known = _watched_from(item.reach, scene)
    return _valued(counts, [known], lambda at, count: conditions.look_seen(count, item.count, at >= known))


def _summed_course(item: program.Summed, scene: Scene, after: int) -> Course:
    total, path = Running(item.total.function), item.total.path
    totals: list[tuple[int, int | float | None]] = [(-1, total.value())]
    for at, left, entered in _passing(item.total.pattern, item.reach, scene, after):
        for event in left:
            total.remove(event.fields if path is None else scene.values(path, event.at, event))
        for event in entered:
            total.add(event.fields if path is None else scene.values(path, event.at, event))
        totals.append((at, total.value()))
    known = _watched_from(item.reach, scene)
    others = scene.timeline.changed(after, calendar.LAST)
    return _valued(
        totals, [known, after, *others], lambda at, value: conditions.look_summed(item, scene, at, value, at >= known)
    )


def _valued(held: list[tuple[int, T]], others: Iterable[float], value: Callable[[int, T], Value]) -> Course:
    """Return the values of what is held, asked at each instant it changes and at the ``others``."""
    instants = dict(held)
    wanted = sorted({*instants, *(int(at) for at in others if -inf < at < inf)})
    found, now = [], held[0][1]
    for at in wanted:
        now = instants.get(at, now)
        found.append((at, value(at, now)))
    return found


def _last_course(item: nodes.LastEvent, scene: Scene) -> Course:
    """It is false from each event on until so much time has gone by without another."""
    found: Course = [(-1, False)]
    times = dict.fromkeys(event.at for event in scene.seen(item.pattern, 0, calendar.LAST))
    for at in times:
        while found[-1][0] >= at:  # this one came before the time was over
            found.pop()
        found += [(at, False), (scene.add(at, item.duration), True)]
    return found


def _at(event: Event) -> int:
    return event.at


# ------------------------------------------------------------------------------------------- chains


class _Reached(NamedTuple):
    """How far a chain got: the point, the events of its instant it has used, and when its first event has left the
    look-back."""

    point: Point
    used: frozenset[str]
    until: float


def _sequence_course(item: program.Sequence, scene: Scene, after: int) -> Course:
    """A chain is true as long as the first event of some way through it is in the look-back."""
    reach = replace(item.reach, lengths=(*item.lengths[0], *item.reach.lengths))
    reached = _firsts(item.links[0].pattern, reach, scene, after)
    for link, lengths in zip(item.links[1:], item.lengths[1:], strict=True):
        step = _absent if link.negated else _following
        reached = step(link.pattern, lengths, scene, reached)
    known = _watched_from(reach, scene)
    held = [(-1, 0), *_counted((one.point[0], one.until) for one in reached)]
    return _valued(held, [known], lambda at, ways: True if ways else False if at >= known else None)


def _firsts(pattern: nodes.Pattern, reach: program.Reach, scene: Scene, after: int) -> list[_Reached]:
    until: dict[str, float] = {}
    entered: list[Event] = []
    for at, left, came in _passing(pattern, reach, scene, after):
        until |= {event.id: at for event in left}
        entered += came
    return [_Reached((one.at, EVENTS), frozenset((one.id,)), until.get(one.id, inf)) for one in entered]


def _following(
    pattern: nodes.Pattern, lengths: tuple[nodes.Duration, ...], scene: Scene, reached: list[_Reached]
) -> list[_Reached]:
    """Return the next event's stands: of all from which it can be reached, the one that stays true longest counts,
    and those of its own instant, whose events it may not use again."""
    waiting = sorted(reached, key=lambda one: one.point)
    open_: list[tuple[float, int, int]] = []
    found: dict[tuple[Point, frozenset[str]], _Reached] = {}
    place = 0
    start = min((one.point[0] for one in waiting), default=0)
    for at, group in groupby(scene.seen(pattern, start, calendar.LAST), key=_at):
        while place < len(waiting) and waiting[place].point[0] < at:
            heappush(open_, (-waiting[place].until, place, scene.end(waiting[place].point[0], lengths)))
            place += 1
        here: list[_Reached] = []
        while place + len(here) < len(waiting) and waiting[place + len(here)].point[0] == at:
            here.append(waiting[place + len(here)])
        while open_ and open_[0][2] < at:
            heappop(open_)
        for event in group:
            ways = [one for one in here if event.id not in one.used]
            if open_:
                ways.append(waiting[open_[0][1]])
            for way in ways:
                same = way.used if way.point[0] == at else frozenset[str]()
                one = _Reached(max((at, EVENTS), way.point), same | {event.id}, way.until)
                known = found.get(one[:2])
                if known is None or known.until < one.until:
                    found[one[:2]] = one
    return list(found.values())


def _absent(
    pattern: nodes.Pattern, lengths: tuple[nodes.Duration, ...], scene: Scene, reached: list[_Reached]
) -> list[_Reached]:
    """Return the stands at the ends of windows in which nothing of a pattern came."""
    events = scene.seen(pattern, min((one.point[0] for one in reached), default=0), calendar.LAST)
    found, place = [], 0
    for one in sorted(reached, key=lambda one: one.point):
        at = one.point[0]
        while place < len(events) and events[place].at < at:
            place += 1
        came = next((event for event in events[place : place + len(one.used) + 1] if event.id not in one.used), None)
        end = scene.end(at, lengths)
        if came is None or came.at > end:
            found.append(_Reached((end, ENDS), one.used if end == at else frozenset(), one.until))
    return found


def _counted(stretches: Iterable[tuple[int, float]]) -> list[tuple[int, int]]:
    """Return how many of some stretches hold, from each instant on at which that changes."""
    steps: defaultdict[int, int] = defaultdict(int)
    for start, end in stretches:
        if start < end:
            steps[start] += 1
            if end < inf:
                steps[int(end)] -= 1
    found, count = [], 0
    for at, step in sorted(steps.items()):
        count += step
        found.append((at, count))
    return found


# -------------------------------------------------------------------------------------------- dates


def _date_turns(item: nodes.DateFact, scene: Scene) -> Iterator[int]:
    """Give the instants at which a date draws near, is there, and is so long past."""
    for change in scene.timeline.changes:
        for moment in reading.dates(reading.read(change.values, item.path.parts), scene.zone):
            yield from (moment, moment + 1, scene.add(moment, item.duration))
            yield _first_reaching(moment, item.duration, scene)


def _first_reaching(moment: int, length: nodes.Duration, scene: Scene) -> int:
    """Return the first instant from which ``length`` reaches to ``moment``; a month may be cut at the month's end."""
    low, high = calendar.add(moment, length, scene.zone, -1) - 1, moment
    if not length.months or scene.add(low + 1, length) >= moment > scene.add(low, length):
        return low + 1
    low -= 5 * 86_400_000_000
    while high - low > 1:
        middle = (low + high) // 2
        if scene.add(middle, length) >= moment:
            high = middle
        else:
            low = middle
    return high
