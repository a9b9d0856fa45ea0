"""What a condition is worth at a moment: true, false or, as ``None``, unknown (sections 3 and 4).

Nothing is remembered between two questions: each one looks at the whole timeline known by then. An item
that looks forward is *settled* at one moment, worked out as if nothing more were to happen; before that
moment it is unknown.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from engine.language import nodes

from . import times, values
from .timeline import Event, Timeline

DrawKey = tuple[str | None, str, int]
Draw = Callable[[DrawKey, str], float]
"""A number in [0, 1) for a draw (rule id or nothing for a shared name, kind or name, ordinal) and a person."""


@dataclass(frozen=True)
class Subject:
    """Who and what a question is about: a rule, a person and the trigger of one journey."""

    rule: nodes.Rule
    person: str
    draw: Draw
    default_zone: str | None = None
    trigger: Event | None = None
    trigger_at: int = 0
    beside: frozenset[Event] = frozenset()  # the trigger and other triggers of its instant
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """One question: what is known, when it is asked, when its step was entered."""

    subject: Subject
    timeline: Timeline
    now: int
    entered: int
    backward: bool = False  # `within` looks back: opening Conditions of a None or schedule rule (section 4.2)
    guarded: bool = False  # what was not watched is unknown (section 4.5)
    shown: bool = False  # a total that an action carries: the trigger counts in it
    left_out: frozenset[Event] = frozenset()  # ruling 5
    groups: tuple[nodes.Window, ...] = ()  # the windows of the brackets around, outermost first

    def zone(self, line: nodes.Zone | None = None, at: int | None = None) -> ZoneInfo:
        """Section 3: the line's zone, else ``Zone:``, else the workspace's, else UTC; an unknown one falls back."""
        for written in (line, self.subject.rule.zone):
            if written is None:
                continue
            names: list[Any] = [written.name]
            if written.path is not None:
                names = values.leaves(self.field(written.path, at))
            for name in names:
                zone = times.zone_named(name)
                if zone is not None:
                    return zone
        return times.zone_named(self.subject.default_zone) or ZoneInfo("UTC")

    def field(self, path: nodes.Path, at: int | None = None) -> list[Any]:
        """The values a path stands for; attributes as they were at ``at`` (section 3, ruling 37)."""
        trigger = self.subject.trigger
        if path.scope == "person" or (path.scope != "trigger" and not self._carried(path, trigger)):
            return values.raw_values(self.timeline.attributes(self.now if at is None else at), path.parts)
        return values.raw_values(trigger.properties, path.parts) if trigger is not None else []

    def _carried(self, path: nodes.Path, trigger: Event | None) -> bool:
        """Ruling 37: a bare x is the trigger's if the event carries it or its declared type has it."""
        if trigger is None:
            return False
        return path.parts[0] in trigger.properties or path.parts[0] in self.subject.declared.get(trigger.name, ())

    def shift(self, at: int, duration: nodes.Duration, sign: int = 1) -> int:
        return times.shift(at, duration, self.zone(), sign)


@dataclass(frozen=True)
class Settled:
    """When an item that looks forward is decided, how, and by which events (none: by time alone)."""

    at: int
    value: bool
    events: frozenset[Event] = frozenset()


def matches(event: Event, pattern: nodes.Pattern, view: View, at: int | None = None) -> bool:
    """Is ``event`` one of ``pattern``? Attributes on a right-hand side are read at ``at``, else at the event."""
    if pattern.name is None:
        if not event.by_person or event.name in pattern.excluding:
            return False
    elif event.name != pattern.name:
        return False
    moment = event.at if at is None else at

    def lookup(path: nodes.Path) -> list[Any]:
        if path.scope == "event":
            return values.raw_values(event.properties, path.parts)
        return view.field(path, moment)

    return all(
        values.compare(
            values.raw_values(event.properties, one.left.parts), one.operator, one.right, lookup, view.zone(at=moment)
        )
        for one in pattern.where
    )


# --------------------------------------------------------------------------------------------- values


def ask(expression: nodes.Expression, view: View) -> bool | None:
    """The value at ``view.now``, in Kleene's three-valued logic (section 4.6)."""
    match expression:
        case nodes.And(items=items):
            return _kleene_and([ask(item, view) for item in items])
        case nodes.Or(items=items):
            return _not(_kleene_and([_not(ask(item, view)) for item in items]))
        case nodes.Not(item=item):
            return _not(ask(item, view))
        case nodes.Group(item=item, window=window):
            return ask(item, _inside(view, window))
        case nodes.Fact(comparison=one):
            return values.compare(view.field(one.left), one.operator, one.right, view.field, view.zone())
        case nodes.Sample():
            return _sampled(expression, view)
        case nodes.DateFact():
            return _date_fact(expression, view)
        case nodes.LastEvent():
            return _last_event(expression, view)
    if looks_forward(expression, view):
        settled = settle(expression, view)
        return settled.value if settled.at <= view.now else None
    return _look_back(expression, view)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _kleene_and(given: list[bool | None]) -> bool | None:
    if False in given:
        return False
    return None if None in given else True


def not_each(bracketed: nodes.Or | nodes.Group) -> nodes.Expression:
    """The NOT of brackets as brackets of NOTs: ``NOT (a OR b)`` is ``NOT a AND NOT b``."""
    if isinstance(bracketed, nodes.Group):
        return nodes.Group(nodes.Not(bracketed.item), bracketed.window)
    return nodes.And(tuple(nodes.Not(item) for item in bracketed.items))


def _inside(view: View, window: nodes.Window) -> View:
    return dataclasses.replace(view, groups=(*view.groups, window))


def _sampled(sample: nodes.Sample, view: View) -> bool:
    """Ruling 26: the n-th sample of the rule, or a name shared by every rule; larger contains smaller."""
    rule = view.subject.rule.id
    key: DrawKey = (None, sample.name, 0) if sample.name is not None else (rule, "sample", sample.ordinal)
    return view.subject.draw(key, view.subject.person) * 100 < sample.percent


def _date_fact(fact: nodes.DateFact, view: View) -> bool:
    """Forward closed like any window, back half open like any look-back; ``ago`` is a look-back gone by."""
    for value in values.leaves(view.field(fact.path)):
        date = times.read_date(value, view.zone())
        if date is None:
            continue
        if fact.kind == "next":
            held = view.now <= date <= view.shift(view.now, fact.duration)
        elif fact.kind == "last":
            held = date <= view.now < view.shift(date, fact.duration)
        else:
            held = view.now >= view.shift(date, fact.duration)
        if held:
            return True
    return False


def _last_event(item: nodes.LastEvent, view: View) -> bool:
    """Section 3: never is false. Gone by like a look-back: from exactly s + D on (section 4.4)."""
    found = [e for e in view.timeline.events if e.at <= view.now and matches(e, item.pattern, view, view.now)]
    return bool(found) and view.now >= view.shift(found[-1].at, item.duration)


# --------------------------------------------------------------------------------------------- windows


def _window(own: nodes.Window | None, view: View) -> nodes.Window | None:
    """Ruling 8: a window after brackets is given to every event item inside that has none."""
    return own if own is not None else (view.groups[-1] if view.groups else None)


def _is_forward(window: nodes.Window | None, view: View) -> bool:
    """Section 4.2."""
    if window is None:
        return False
    return window.kind == "next" or (window.kind == "within" and not view.backward)


def _first_window(item: nodes.Expression, view: View) -> nodes.Window | None:
    if isinstance(item, nodes.Chain):
        return _window(item.links[0].window, view)
    if isinstance(item, nodes.TotalFact):
        return _window(item.total.window, view)
    if isinstance(item, (nodes.Happened, nodes.Race)):
        return _window(item.window, view)
    return None


def looks_forward(item: nodes.Expression, view: View) -> bool:
    return _is_forward(_first_window(item, view), view)


def _end(window: nodes.Window | None, start: int, view: View) -> int:
    """The end of a forward window opened at ``start``, capped by the brackets around (ruling 8)."""
    ends = [view.shift(start, window.duration)] if window is not None and window.duration is not None else []
    return min(ends + _caps(view))


def _caps(view: View) -> list[int]:
    return [
        view.shift(view.entered, group.duration)
        for group in view.groups
        if _is_forward(group, view) and group.duration is not None
    ]


def forward(pattern: nodes.Pattern, start: int, end: int, view: View) -> list[Event]:
    """Section 4.3: the closed interval, less what ruling 5 leaves out."""
    return [
        event
        for event in view.timeline.events
        if start <= event.at <= end and event not in view.left_out and matches(event, pattern, view)
    ]


def back(pattern: nodes.Pattern, own: nodes.Window | None, view: View) -> list[Event]:
    """Section 4.4, ruling 6: the events a look-back sees at ``view.now``."""
    windows = [w for w in (own, *view.groups) if w is not None and not _is_forward(w, view)]
    return [
        event
        for event in view.timeline.events
        if event.at <= view.now
        and matches(event, pattern, view, view.now)
        and all(_seen_in(event, window, view) for window in windows)
    ]


def _seen_in(event: Event, window: nodes.Window, view: View) -> bool:
    if window.kind == "since trigger":  # a condition leaves the trigger itself out (section 4.2)
        return event.at >= view.subject.trigger_at and (view.shown or event is not view.subject.trigger)
    if window.kind == "since last":
        if window.anchor is None:
            return True
        earlier = [e for e in view.timeline.events if e.at <= view.now and e not in view.subject.beside]
        anchors = [event for event in earlier if matches(event, window.anchor, view, view.now)]
        return not anchors or (event.at >= anchors[-1].at and event is not anchors[-1])
    return window.duration is None or view.now < view.shift(event.at, window.duration)


def watched(own: nodes.Window | None, view: View) -> bool:
    """Section 4.5: is the person known for as long as the look-back reaches? Else it matters not."""
    if not view.guarded:
        return True
    first = view.timeline.first_seen()
    reaches = [
        w.duration for w in (own, *view.groups) if w is not None and w.duration is not None and not _is_forward(w, view)
    ]
    if not reaches:
        return True
    return first is not None and any(view.shift(first, reach) <= view.now for reach in reaches)


# ------------------------------------------------------------------------------------- looking forward


def settle(item: nodes.Expression, view: View) -> Settled:
    """When and how an item that looks forward is decided, if nothing more happens (rulings 1, 2, 8, 9)."""
    match item:
        case nodes.Happened():
            return _settle_count(item, view)
        case nodes.Chain():
            return _settle_chain(item, view)
        case nodes.Race():
            return _settle_race(item, view)
        case nodes.TotalFact():
            return _settle_total(item, view)
    raise TypeError(f"{item} does not look forward")


def settlements(expression: nodes.Expression, view: View) -> list[Settled]:
    """Every forward item of an expression, settled."""
    match expression:
        case nodes.And(items=items) | nodes.Or(items=items):
            return [settled for item in items for settled in settlements(item, view)]
        case nodes.Not(item=item):
            return settlements(item, view)
        case nodes.Group(item=item, window=window):
            return settlements(item, _inside(view, window))
    return [settle(expression, view)] if looks_forward(expression, view) else []


def _settle_count(item: nodes.Happened, view: View) -> Settled:
    """Ruling 1."""
    end = _end(_window(item.window, view), view.entered, view)
    found = forward(item.pattern, view.entered, end, view)
    count = item.count or nodes.Count("at least", 1)

    def reached(number: int) -> Settled:
        if number <= 0:
            return Settled(view.entered, True)
        if len(found) >= number:
            return Settled(found[number - 1].at, True, frozenset({found[number - 1]}))
        return Settled(end, False)

    match count.kind:
        case "at least":
            return reached(count.number)
        case "more than":
            return reached(count.number + 1)
        case "fewer than":
            return _opposite(reached(count.number))
        case "at most":
            return _opposite(reached(count.number + 1))
        case "exactly":
            over = reached(count.number + 1)
            return _opposite(over) if over.value else Settled(end, len(found) == count.number)


def _opposite(settled: Settled) -> Settled:
    return dataclasses.replace(settled, value=not settled.value)


def _settle_race(item: nodes.Race, view: View) -> Settled:
    """Ruling 9; at one instant the rival came first."""
    end = _end(_window(item.window, view), view.entered, view)
    firsts = forward(item.first, view.entered, end, view)
    rivals = [event for rival in item.rivals for event in forward(rival, view.entered, end, view)]
    rival = min(rivals, key=lambda event: event.at, default=None)
    if rival is not None and (not firsts or rival.at <= firsts[0].at):
        return Settled(rival.at, False, frozenset({rival}))
    return Settled(firsts[0].at, True, frozenset({firsts[0]})) if firsts else Settled(end, False)


_RISING = ("sum", "count", "count of different", "max")


def _settle_total(item: nodes.TotalFact, view: View) -> Settled:
    """Ruling 2: some totals are true from the first moment they hold; the others are read at the window's end."""
    total = item.total
    end = _end(_window(total.window, view), view.entered, view)
    found = forward(total.pattern, view.entered, end, view)
    early = (total.function in _RISING and item.operator in (">=", ">")) or (
        total.function == "min" and item.operator in ("<=", "<")
    )
    if early:
        for moment in sorted({view.entered, *(event.at for event in found)}):
            if total_holds(item, [event for event in found if event.at <= moment], view, moment):
                return Settled(moment, True, frozenset(event for event in found if event.at == moment))
        return Settled(end, False)
    return Settled(end, total_holds(item, found, view, min(end, view.now)))


def total_of(total: nodes.Total, found: list[Event]) -> float | int | None:
    gathered = [
        value
        for event in found
        for value in (values.leaves(values.raw_values(event.properties, total.path.parts)) if total.path else [])
    ]
    return values.total(total.function, gathered, len(found))


def total_holds(item: nodes.TotalFact, found: list[Event], view: View, at: int) -> bool:
    value = total_of(item.total, found)
    raw = [] if value is None else [value]
    return values.compare(raw, item.operator, item.right, lambda path: view.field(path, at), view.zone())


def _settle_chain(chain: nodes.Chain, view: View) -> Settled:
    """Ruling 8: true at the first completion of any choice of occurrences, false once no choice is left open."""
    endings = list(_endings(chain, 0, view.entered, (), view))
    done = [ending for ending in endings if ending.value]
    return min(done, key=lambda e: e.at) if done else max(endings, key=lambda e: e.at)


def _endings(chain: nodes.Chain, index: int, at: int, used: tuple[Event, ...], view: View) -> Iterator[Settled]:
    """Every way the chain can end from its ``index``-th item on, whose window starts at ``at``."""
    if index == len(chain.links):
        yield Settled(at, True, frozenset(used[-1:] if used and used[-1].at == at else ()))
        return
    link = chain.links[index]
    end = _end(_window(link.window, view), at, view)
    inside = [event for event in forward(link.pattern, at, end, view) if event not in used]
    if link.negated:
        if inside:
            yield Settled(inside[0].at, False, frozenset({inside[0]}))
        else:
            yield from _endings(chain, index + 1, end, used, view)
        return
    yield Settled(end, False)
    for event in inside:
        yield from _endings(chain, index + 1, event.at, (*used, event), view)


# ---------------------------------------------------------------------------------------- looking back


def _look_back(item: nodes.Expression, view: View) -> bool | None:
    """What is true of the past at ``view.now``; unknown where an unseen earlier event could change it (ruling 11)."""
    match item:
        case nodes.Happened(pattern=pattern, count=count, window=window):
            own = _window(window, view)
            return _counted(len(back(pattern, own, view)), count, watched(own, view))
        case nodes.TotalFact(total=total, operator=operator):
            own = _window(total.window, view)
            holds = total_holds(item, back(total.pattern, own, view), view, view.now)
            known = (operator in (">=", ">") and holds) or watched(own, view)
            return holds if known else None
        case nodes.Chain(links=links):
            if _chain_back(item, 0, None, (), view):
                return True
            return False if watched(_window(links[0].window, view), view) else None
    raise TypeError(f"{item} does not look back")


def _counted(found: int, count: nodes.Count | None, known: bool) -> bool | None:
    """Ruling 11: reached or exceeded is certain, the rest only once watched."""
    count = count or nodes.Count("at least", 1)
    number = count.number + (count.kind in ("more than", "at most", "exactly"))
    reached = found >= number
    rising = count.kind in ("at least", "more than")
    if reached:
        return rising
    if not known:
        return None
    return found == count.number if count.kind == "exactly" else not rising


def _chain_back(chain: nodes.Chain, index: int, at: int | None, used: tuple[Event, ...], view: View) -> bool:
    """Ruling 8: the first item's window ends now, each later one starts at the occurrence before it."""
    if index == len(chain.links):
        return at is not None and at <= view.now
    link = chain.links[index]
    own = _window(link.window, view)
    if at is None:
        inside = back(link.pattern, own, view)
        end = view.now
    else:
        end = view.shift(at, own.duration) if own is not None and own.duration is not None else view.now
        inside = [event for event in back(link.pattern, None, view) if at <= event.at <= end and event not in used]
    if link.negated:
        return not inside and _chain_back(chain, index + 1, end, used, view)
    return any(_chain_back(chain, index + 1, event.at, (*used, event), view) for event in inside)


# ------------------------------------------------------------------ moments at which a look-back turns


def edges(expressions: list[nodes.Expression], view: View) -> set[int]:
    """Moments after now at which expressions that look back may change by themselves (ruling 10): too many
    rather than too few."""
    base = {event.at for event in view.timeline.events}
    first = view.timeline.first_seen()
    base |= {first} if first is not None else set()
    durations: set[nodes.Duration] = set()
    found: set[int] = set()
    depth = 1
    for node in (node for expression in expressions for node in walk(expression)):
        if isinstance(node, nodes.Duration):
            durations.add(node)
        elif isinstance(node, nodes.Chain):
            depth = max(depth, len(node.links) + 1)
        elif isinstance(node, nodes.DateFact):
            found |= _date_edges(node, view)
    zone = view.zone()
    for _ in range(depth):
        base |= {times.shift(at, duration, zone) for at in base for duration in durations}
    return {at for at in base | found if at > view.now}


def _date_edges(fact: nodes.DateFact, view: View) -> set[int]:
    dates = [times.read_date(value, view.zone()) for value in values.leaves(view.field(fact.path))]
    found: set[int] = set()
    for date in dates:
        if date is not None:
            found |= {date, date + 1, view.shift(date, fact.duration)}
            found.add(times.first_reaching(date, fact.duration, view.zone()))
    return found


def walk(node: object) -> Iterator[object]:
    """A node and everything in it."""
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type):
        for one in dataclasses.fields(node):
            if one.name != "span":
                yield from walk(getattr(node, one.name))
