"""A rule made ready to run: its steps as a flat list, its windows resolved, and what it needs to see.

The tree of :mod:`engine.language.nodes` says what was written; a :class:`Program` says what follows from it,
with every default filled in. The decision core knows programs, never text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal as OneOf
from typing import NamedTuple

from engine.language import nodes
from engine.language.layout import expression_text, layout, step_text
from engine.language.walk import walk

# ------------------------------------------------------------------------------------------ conditions


@dataclass(frozen=True, slots=True)
class Reach:
    """The stretch an item looks at: forward from its step's entry, or back from the moment of asking.

    Each of ``lengths`` bounds it, the nearest counts; none, looking back, means everything so far. ``since``
    bounds a look-back by the trigger or by the last event of a pattern. ``watched``: a look-back beyond the time a
    person has been known for is unknown; elsewhere what was not seen counts as not having happened.
    """

    forward: bool
    lengths: tuple[nodes.Duration, ...] = ()
    since: nodes.Pattern | OneOf["trigger"] | None = None
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """``pattern`` happened as often as ``count`` says within ``reach``."""

    pattern: nodes.Pattern
    count: nodes.Count
    reach: Reach
    plain: bool
    """Written without a count: what a NOT before it makes an exit, and what a held action asks again."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A chain. The window of link ``i`` is the nearest of ``lengths[i]`` from the occurrence before it."""

    links: tuple[nodes.Link, ...]
    lengths: tuple[tuple[nodes.Duration, ...], ...]
    reach: Reach
    """Direction, and the windows of enclosing groups, which no link outlives."""


@dataclass(frozen=True, slots=True)
class First:
    """A race: ``first`` comes, and no rival came before it or at its instant."""

    first: nodes.Pattern
    rivals: tuple[nodes.Pattern, ...]
    reach: Reach


@dataclass(frozen=True, slots=True)
class Summed:
    """A total within ``reach``, compared."""

    total: nodes.Total
    reach: Reach
    operator: nodes.Operator
    right: tuple[nodes.Operand, ...]


@dataclass(frozen=True, slots=True)
class All:
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    item: Condition


Item = Seen | Sequence | First | Summed | nodes.Fact | nodes.DateFact | nodes.LastEvent | nodes.Sample
Condition = All | Any | Negated | Item

_ONCE = nodes.Count("at least", 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a condition is asked: ``backwards`` where ``within`` looks back, ``watched`` as in :class:`Reach`; ``caps``
    are the windows of the brackets around, the nearest first."""

    backwards: bool = False
    watched: bool = False
    caps: tuple[nodes.Window, ...] = ()

    def reach(self, window: nodes.Window | None) -> Reach:
        """Return the stretch an item with ``window`` looks at here."""
        own = window if window is not None else next(iter(self.caps), None)
        if own is None:
            return Reach(forward=False)
        if own.kind == "since trigger":
            return Reach(forward=False, lengths=_lengths(self.caps), since="trigger")
        if own.kind == "since last":
            return Reach(forward=False, lengths=_lengths(self.caps), since=own.anchor)
        forward = own.kind == "next" or (own.kind == "within" and not self.backwards)
        return Reach(forward, _lengths((own, *self.caps)), watched=self.watched and not forward)


LATER = Place()
"""In gates behind an event, in branches."""

OPENING = Place(backwards=True, watched=True)
"""In the opening Conditions of rules that start by themselves."""

AT_ONCE = Place(backwards=True)
"""In ``Only while`` and in what an action carries: asked at one moment."""


def _lengths(windows: Iterable[nodes.Window]) -> tuple[nodes.Duration, ...]:
    return tuple(dict.fromkeys(window.duration for window in windows if window.duration is not None))


def condition(expression: nodes.Expression, place: Place = LATER) -> Condition:
    """Return ``expression`` with every window resolved as where it stands."""
    match expression:
        case nodes.And(items=items):
            return All(tuple(condition(item, place) for item in items))
        case nodes.Or(items=items):
            return Any(tuple(condition(item, place) for item in items))
        case nodes.Not(item=item):
            return Negated(condition(item, place))
        case nodes.Group(item=item, window=window):
            return condition(item, replace(place, caps=(window, *place.caps)))
        case nodes.Happened(pattern=pattern, count=count, window=window):
            return Seen(pattern, count or _ONCE, place.reach(window), count is None)
        case nodes.Chain(links=links):
            return _sequence(links, place)
        case nodes.Race(first=first, rivals=rivals, window=window):
            return First(first, rivals, place.reach(window))
        case nodes.TotalFact(total=total, operator=operator, right=right):
            return Summed(total, place.reach(total.window), operator, right)
        case _:
            return expression


def _sequence(links: tuple[nodes.Link, ...], place: Place) -> Sequence:
    head = place.reach(links[0].window)
    lengths = tuple(_lengths((link.window,) if link.window else place.caps) for link in links)
    return Sequence(links, lengths, replace(head, lengths=_lengths(place.caps)))


def parts(item: Condition) -> Iterator[Item]:
    """Every item of a condition, in reading order."""
    match item:
        case All(items=items) | Any(items=items):
            for inner in items:
                yield from parts(inner)
        case Negated(item=inner):
            yield from parts(inner)
        case _:
            yield item


def patterns(item: Item) -> tuple[nodes.Pattern, ...]:
    """The events an item looks for, the anchor of its window included."""
    match item:
        case Seen(pattern=pattern, reach=reach):
            found: tuple[nodes.Pattern, ...] = (pattern,)
        case Sequence(links=links, reach=reach):
            found = tuple(link.pattern for link in links)
        case First(first=first, rivals=rivals, reach=reach):
            found = (first, *rivals)
        case Summed(total=total, reach=reach):
            found = (total.pattern,)
        case nodes.LastEvent(pattern=pattern):
            return (pattern,)
        case _:
            return ()
    return (*found, reach.since) if isinstance(reach.since, nodes.Pattern) else found


def raising(item: Condition, sign: bool = True) -> Iterator[nodes.Pattern]:
    """The patterns whose next event may turn ``item`` true (``sign``), or false (not ``sign``), when it comes.

    What a look-back counts is included; a caller that asks only forward items filters by ``reach``.
    """
    match item:
        case All(items=items) | Any(items=items):
            for inner in items:
                yield from raising(inner, sign)
        case Negated(item=inner):
            yield from raising(inner, not sign)
        case Seen(pattern=pattern, count=count):
            if (count.kind in ("at least", "more than")) == sign or count.kind == "exactly":
                yield pattern
            if isinstance(item.reach.since, nodes.Pattern):
                yield item.reach.since
        case Sequence(links=links):
            if any(link.negated for link in links):
                yield from patterns(item)
            elif sign:
                yield from (link.pattern for link in links)
        case First(first=first, rivals=rivals):
            yield from (first,) if sign else rivals
        case nodes.LastEvent(pattern=pattern) if not sign:
            yield pattern
        case Summed():
            yield from patterns(item)
        case _:
            return


# ------------------------------------------------------------------------------------------------ code


@dataclass(frozen=True, slots=True)
class Gate:
    """Consecutive Conditions: true goes on, false ends the journey."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Choose:
    """An ``If``: true goes on, false goes to ``otherwise``."""

    condition: Condition
    otherwise: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A ``Wait``; a date already past goes to ``skip``, the next Wait."""

    wait: nodes.Wait
    skip: int


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule without an ``Action:`` does."""


@dataclass(frozen=True, slots=True)
class Do:
    """An effect; ``step`` is its place for people, ``name`` what stays when steps around it move (ruling 28)."""

    effect: nodes.Effect | Match
    step: str
    name: str


@dataclass(frozen=True, slots=True)
class Draw:
    """A ``Split``: the arm whose upper bound (in percent) is the first above the draw."""

    ordinal: int
    bounds: tuple[float, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    target: int


Instruction = Gate | Choose | Pause | Do | Draw | Jump


class Origin(NamedTuple):
    """What an instruction is named after: the branch it stands in, and its steps."""

    branch: str
    steps: tuple[nodes.Step, ...]


class _Assembler:
    """Steps to instructions. Targets are labels while it runs and places once it is done."""

    def __init__(self, by_itself: bool, skip_opening: bool) -> None:
        self.code: list[Instruction] = []
        self.origins: list[Origin] = []
        self.places: dict[int, int] = {}
        self.equals: Counter[str] = Counter()
        self.by_itself = by_itself
        self.skip_opening = skip_opening

    def add(self, one: Instruction, branch: str = "", *steps: nodes.Step) -> None:
        """The next instruction, and what it is named after."""
        self.code.append(one)
        self.origins.append(Origin(branch, steps))

    def label(self) -> int:
        self.places[len(self.places)] = -1
        return len(self.places) - 1

    def place(self, label: int) -> None:
        self.places[label] = len(self.code)

    def block(self, steps: tuple[nodes.Step, ...], prefix: str, branch: str, after_wait: int) -> None:
        """The steps of one level; ``after_wait`` is where a skipped stretch goes on when no Wait is left here."""
        waits = {index: self.label() for index, step in enumerate(steps) if isinstance(step, nodes.Wait)}
        opening = not prefix
        index = 0
        while index < len(steps):
            step = steps[index]
            skip = next((label for place, label in waits.items() if place > index), after_wait)
            if isinstance(step, nodes.Condition):
                index = self._gate(steps, index, opening, branch)
                opening = False
                continue
            opening = False
            if index in waits:
                self.place(waits[index])
            self._step(step, f"{prefix}{index + 1}", branch, skip)
            index += 1

    def _gate(self, steps: tuple[nodes.Step, ...], index: int, opening: bool, branch: str) -> int:
        """One gate of all Conditions in a row; gives the place after them."""
        first, run, by_itself = index, [], opening and self.by_itself
        while index < len(steps) and isinstance(step := steps[index], nodes.Condition):
            run.append(condition(step.expression, OPENING if by_itself else LATER))
            index += 1
        if not (opening and self.skip_opening):
            gate = Gate(run[0] if len(run) == 1 else All(tuple(run)))
            self.add(gate, f"{branch}/{'looking back, ' if by_itself else ''}", *steps[first:index])
        return index

    def _step(self, step: nodes.Step, path: str, branch: str, skip: int) -> None:
        match step:
            case nodes.If():
                self._if(step, path, branch, skip)
            case nodes.Split():
                self._split(step, path, branch, skip)
            case nodes.WaitFor() | nodes.WaitUntilTime() | nodes.WaitUntilEvent() | nodes.WaitUntilDate():
                self.add(Pause(step, skip), f"{branch}/", step)
            case nodes.Action() | nodes.SetAttribute() | nodes.TrackEvent():
                self.effect(step, path, f"{branch}/{step_text(step)}")

    def effect(self, effect: nodes.Effect | Match, path: str, name: str) -> None:
        self.equals[name] += 1
        self.add(Do(effect, path, f"{name}#{self.equals[name]}"), name)

    def _if(self, step: nodes.If, path: str, branch: str, skip: int) -> None:
        done = self.label()
        for number, one in enumerate(step.branches, start=1):
            otherwise = self.label()
            name = f"{branch}/if {expression_text(one.expression)}"
            self.add(Choose(condition(one.expression), otherwise), name)
            self.block(one.steps, f"{path}.{number}.", name, skip)
            self.add(Jump(done))
            self.place(otherwise)
        names = " or ".join(expression_text(one.expression) for one in step.branches)
        self.block(step.otherwise, f"{path}.else.", f"{branch}/else {names}", skip)
        self.place(done)

    def _split(self, step: nodes.Split, path: str, branch: str, skip: int) -> None:
        done, targets, bounds, total = self.label(), [], [], 0.0
        place = len(self.code)
        self.add(Jump(done))
        for number, arm in enumerate(step.arms, start=1):
            total += arm.percent
            bounds.append(total)
            targets.append(self.label())
            self.place(targets[-1])
            self.block(arm.steps, f"{path}.{number}.", f"{branch}/split {arm.name or number}", skip)
            self.add(Jump(done))
        self.place(done)
        self.code[place] = Draw(step.ordinal, (*bounds[:-1], 100.0), tuple(targets))

    def finished(self) -> tuple[Instruction, ...]:
        return tuple(map(self._settled, self.code))

    def _settled(self, one: Instruction) -> Instruction:
        match one:
            case Choose(otherwise=label):
                return replace(one, otherwise=self.places[label])
            case Pause(skip=label):
                return replace(one, skip=self.places[label])
            case Draw(targets=labels):
                return replace(one, targets=tuple(self.places[label] for label in labels))
            case Jump(target=label):
                return Jump(self.places[label])
            case _:
                return one


def _assembled(rule: nodes.Rule) -> tuple[tuple[Instruction, ...], tuple[Origin, ...]]:
    """The instructions of a rule, and what they are named after."""
    by_itself = not isinstance(rule.trigger, nodes.EventTrigger)
    assembler = _Assembler(by_itself, isinstance(rule.trigger, nodes.NoTrigger))
    end = assembler.label()
    assembler.block(rule.steps, "", "", end)
    if not any(isinstance(one, Do) for one in assembler.code):
        assembler.effect(Match(), "match", "match")
    assembler.place(end)
    return assembler.finished(), tuple(assembler.origins)


def _names(origins: Iterable[Origin]) -> Iterator[str]:
    """A name of its own for each instruction, and none for a jump."""
    equals: Counter[str] = Counter()
    for branch, steps in origins:
        name = branch + "; ".join(map(step_text, steps))
        equals[name] += 1
        yield f"{name}#{equals[name]}" if name else ""


# --------------------------------------------------------------------------------------------- program

MARKETING, TRANSACTIONAL = "marketing", "transactional"
"""The purpose of a rule that names none, and the one that neither consent nor the settings' quiet hours touch."""

ADDRESS = "email"
"""The attribute that is a person's own address, and the only one that is."""

UNSUBSCRIBED = "unsubscribed"
"""The event that ends journeys whatever the exits of their rule are, unless its purpose is transactional."""


def opening(rule: nodes.Rule) -> tuple[nodes.Expression, ...]:
    """The expressions of the opening Conditions."""
    found = []
    for step in rule.steps:
        if not isinstance(step, nodes.Condition):
            break
        found.append(step.expression)
    return tuple(found)


def _plainly_absent(expression: nodes.Expression, negated: bool = False) -> Iterator[nodes.Pattern]:
    """The events that must not have come: under a plain NOT, or of a ``last ... ago``. They are an exit by default."""
    match expression:
        case nodes.And(items=items) if not negated:
            for item in items:
                yield from _plainly_absent(item)
        case nodes.Or(items=items):
            for item in items:
                yield from _plainly_absent(item, negated)
        case nodes.Group(item=item):
            yield from _plainly_absent(item, negated)
        case nodes.Not(item=item) if not negated:
            yield from _plainly_absent(item, True)
        case nodes.Happened(pattern=pattern, count=None) if negated:
            yield pattern
        case nodes.LastEvent(pattern=pattern) if not negated:
            yield pattern
        case _:
            return


@dataclass(frozen=True)
class Program:
    """One version of a rule, ready to run. ``digest`` names what it means: equal digests decide alike."""

    rule: nodes.Rule

    @property
    def id(self) -> str:
        return self.rule.id

    @cached_property
    def text(self) -> str:
        return layout(self.rule)

    @cached_property
    def digest(self) -> str:
        return _digest(self.text)

    @cached_property
    def opening_digest(self) -> str:
        """Names the trigger and the opening Conditions: changing it is going live anew."""
        return _digest(repr((self.rule.trigger, opening(self.rule))))

    @cached_property
    def _assembled(self) -> tuple[tuple[Instruction, ...], tuple[Origin, ...]]:
        return _assembled(self.rule)

    @cached_property
    def code(self) -> tuple[Instruction, ...]:
        return self._assembled[0]

    @cached_property
    def step_names(self) -> tuple[str, ...]:
        """For each instruction a name that stays when steps around it move (ruling 28); none where nobody can stand."""
        return tuple(_names(self._assembled[1]))

    @cached_property
    def opening(self) -> Condition:
        """The opening Conditions of a rule that starts by itself, looking back."""
        found = tuple(condition(one, OPENING) for one in opening(self.rule))
        return found[0] if len(found) == 1 else All(found)

    def gate(self, place: int) -> Condition:
        """The condition of the gate at a place of the code; before its beginning stand the opening Conditions."""
        if place < 0:
            return self.opening
        step = self.code[place]
        assert isinstance(step, Gate)
        return step.condition

    @cached_property
    def only_while(self) -> Condition | None:
        return None if self.rule.only_while is None else condition(self.rule.only_while, AT_ONCE)

    @cached_property
    def exits(self) -> tuple[nodes.Pattern, ...]:
        if self.rule.exit is not None:
            return self.rule.exit.patterns
        found = (pattern for one in opening(self.rule) for pattern in _plainly_absent(one))
        return tuple(dict.fromkeys(found))

    @property
    def exits_by_default(self) -> bool:
        """Whether the exits are those of the opening Conditions, not written ones."""
        return self.rule.exit is None

    @property
    def triggers(self) -> tuple[nodes.Pattern, ...]:
        return self.rule.trigger.patterns if isinstance(self.rule.trigger, nodes.EventTrigger) else ()

    @property
    def stands(self) -> bool:
        """Whether people stand under the rule without an event: it has no trigger, or a schedule."""
        return not isinstance(self.rule.trigger, nodes.EventTrigger)

    @property
    def follows(self) -> bool:
        """Whether the rule starts by its opening Conditions becoming true."""
        return isinstance(self.rule.trigger, nodes.NoTrigger)

    @cached_property
    def again(self) -> nodes.Again:
        if self.rule.again is not None:
            return self.rule.again
        return nodes.Again("ignore" if isinstance(self.rule.trigger, nodes.Schedule) else "restart")

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition the rule asks."""
        own = [one.condition for one in self.code if isinstance(one, Gate | Choose)]
        return (*own, *((self.opening,) if self.follows else ()), *((self.only_while,) if self.only_while else ()))

    @cached_property
    def watched(self) -> tuple[nodes.Pattern, ...]:
        """Every pattern of an event the rule may look at."""
        found = [*self.triggers, *self.exits]
        if self.rule.purpose != TRANSACTIONAL:
            found.append(nodes.Pattern(UNSUBSCRIBED))
        found += [pattern for one in self.conditions for item in parts(one) for pattern in patterns(item)]
        found += [one.wait.pattern for one in self._pauses if isinstance(one.wait, nodes.WaitUntilEvent)]
        found += [total.pattern for total in self._argument_totals]
        if self.rule.goal is not None:
            found.append(self.rule.goal.pattern)
        return tuple(dict.fromkeys(found))

    @cached_property
    def names(self) -> frozenset[str] | None:
        """The names of the events to read; nothing when the rule may look at any."""
        names = [pattern.name for pattern in self.watched]
        return None if None in names else frozenset(name for name in names if name is not None)

    @cached_property
    def waking(self) -> frozenset[str | None]:
        """Names of events that may start something before its due moment (``None``: any event does).

        Every other watched event only ends or delays, which the timeline tells at the due moment: it costs
        nothing when it comes. Where a rule follows people, one that finds no due moment has to be told all the same.
        Triggers of a patient rule are not among them: they need only be noted.
        """
        found: list[nodes.Pattern] = [] if self.patience else list(self.triggers)
        for one in self.code:
            if isinstance(one, Gate):
                found += _settling(one.condition, (True,))
            elif isinstance(one, Choose):
                found += _settling(one.condition, (True, False))
            elif isinstance(one, Pause) and isinstance(one.wait, nodes.WaitUntilEvent):
                found.append(one.wait.pattern)
        if self.follows:
            found += raising(self.opening) if self._turns_in_time else _looked_at(self.opening)
        if self.rule.goal is not None:
            found.append(self.rule.goal.pattern)
        return frozenset(pattern.name for pattern in found)

    @cached_property
    def patience(self) -> int:
        """The least time, in microseconds, from a trigger event to the first effect it can lead to.

        For a rule that follows people: from the time a person is first seen to that of the first journey. Only there
        does looking back wait, for the person to have been watched so long; behind a trigger it is asked at once.
        """
        if self.stands:
            return _least_wait(self.opening) if self.follows else 0
        found = 0
        for one in self.code:
            if isinstance(one, Gate):
                found += _least_wait(one.condition)
            elif isinstance(one, Pause) and not _may_skip(one.wait):
                found += _least(one.wait.duration) if isinstance(one.wait, nodes.WaitFor) else 0
            else:
                break
        return found

    @cached_property
    def picky(self) -> bool:
        """Whether a trigger's own fields may keep it from starting anything."""
        return any(pattern.where for pattern in self.triggers)

    @property
    def _turns_in_time(self) -> bool:
        """Whether a due moment of the opening Conditions always comes before what a new event may bring about.

        So it is when they look back over one length only: nothing due lies further ahead than that.
        """
        dated = any(isinstance(item, nodes.DateFact | Sequence) for item in parts(self.opening))
        return not dated and len(set(_lengths_in(self.opening))) <= 1

    @cached_property
    def shortest_wait(self) -> int:
        """The least time, in microseconds, after which a rule that starts by itself may turn by an event alone."""
        return min(map(_least, _lengths_in(self.opening)), default=0)

    @cached_property
    def moved_by(self) -> frozenset[str]:
        """The attributes of the person, by their first names, whose change may bring a moment nearer.

        Most are read when a moment comes, and need no telling. What is read of an earlier time, as a ``where`` reads at
        its event's, may change when the attribute is told late.
        """
        found: list[object] = [self.rule.zone, *(line.zone for line in self.rule.quiet), self.triggers, self.rule.goal]
        for one in self.code:
            if isinstance(one, Gate | Choose):
                found += _read_ahead(one.condition)
            elif isinstance(one, Pause):
                found.append(one.wait)
        if isinstance(self.rule.trigger, nodes.Schedule):
            found.append(self.rule.trigger)
        if self.follows:
            found.append(self.opening)
        return attributes_in(tuple(found))

    @cached_property
    def reads_attributes(self) -> bool:
        """Whether any decision reads the person's attributes."""
        return any(path.scope in ("person", "bare") for path in _paths_of(self.rule))

    @cached_property
    def zone_paths(self) -> tuple[nodes.Path, ...]:
        """The attributes of the person that zones of the rule are read of."""
        zones = (node for node in walk(self.rule) if isinstance(node, nodes.Zone))
        return tuple(dict.fromkeys(zone.path for zone in zones if zone.path is not None))

    @cached_property
    def lookback(self) -> int | None:
        """How far before a journey's start a decision may look, in microseconds; nothing: without bound."""
        longest = 0
        totals = (condition(nodes.TotalFact(one, "is set", ()), AT_ONCE) for one in self._argument_totals)
        for one in (*self.conditions, *totals):
            for item in parts(one):
                length = _looks_back(item)
                if length is None:
                    return None
                longest = max(longest, length)
        return longest

    @cached_property
    def correlated(self) -> tuple[nodes.Path, ...]:
        """The trigger's fields without which no journey starts (ruling 30)."""
        wheres = [comparison for pattern in self.watched for comparison in pattern.where]
        sides = [side for one in wheres for side in one.right]
        found = [side for side in sides if isinstance(side, nodes.Path) and side.scope == "trigger"]
        found += [limit.path for limit in self.rule.limits if limit.path is not None]
        return tuple(dict.fromkeys(found))

    @cached_property
    def declared_actions(self) -> frozenset[str]:
        """The names of the actions the rule sends."""
        effects = (one.effect for one in self.code if isinstance(one, Do))
        return frozenset(effect.name for effect in effects if isinstance(effect, nodes.Action))

    @property
    def _pauses(self) -> list[Pause]:
        return [one for one in self.code if isinstance(one, Pause)]

    @cached_property
    def _argument_totals(self) -> tuple[nodes.Total, ...]:
        found = []
        for one in self.code:
            match one:
                case Do(effect=nodes.Action(arguments=arguments) | nodes.TrackEvent(arguments=arguments)):
                    found += [value for _, value in arguments if isinstance(value, nodes.Total)]
                case Do(effect=nodes.SetAttribute(value=nodes.Total() as total)):
                    found.append(total)
        return tuple(found)


def _lengths_in(node: object) -> Iterator[nodes.Duration]:
    """Every duration in a tree."""
    if isinstance(node, nodes.Duration):
        yield node
    elif isinstance(node, tuple):
        for inner in node:
            yield from _lengths_in(inner)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _lengths_in(getattr(node, name))


def _least(length: nodes.Duration) -> int:
    """Return the least microseconds a length can be: a month has 28 days, and a zone's clock may leap by one."""
    days = 28 * length.months - 1 if length.months else 0
    return length.micros + days * 86_400_000_000


def _least_wait(one: Condition, sign: bool = True) -> int:
    """Return the least time, in microseconds, before a gate just entered can be true (or not, by ``sign``).

    What looks forward waits for the end of its window. What looks back waits only where absence needs watched time:
    there somebody just seen has to be watched so long.
    """
    match one:
        case All(items=items) | Any(items=items):
            waits = [_least_wait(item, sign) for item in items]
            return max(waits, default=0) if isinstance(one, All) == sign else min(waits, default=0)
        case Negated(item=item):
            return _least_wait(item, not sign)
        case Seen(count=count, reach=reach) if reach.forward or (reach.watched and reach.lengths):
            late = count.kind in ("at least", "more than") if not sign else count.kind in ("at most", "fewer than")
            return min(map(_least, reach.lengths)) if late else 0
        case _:
            return 0


def _may_skip(wait: nodes.Wait) -> bool:
    """Return whether the steps behind a wait may be passed over, up to the next wait: its date may be past."""
    return isinstance(wait, nodes.WaitUntilDate) and not wait.or_now


def _looked_at(one: Condition) -> list[nodes.Pattern]:
    return [pattern for item in parts(one) for pattern in patterns(item)]


def _settling(one: Condition, signs: tuple[bool, ...]) -> list[nodes.Pattern]:
    """Return the patterns whose events may decide a gate as one of ``signs`` when they come.

    An event that settles a forward item has the whole gate asked, and what looks back or reads a fact may answer
    otherwise than before. Where all items look forward, only those turn it that settle for it. With several forward
    items the gate may have been asked before and not decided: what a look back saw then, a late event may change.
    """
    items = [item for item in parts(one) if _is_forward(item)]
    alone = len(items) == sum(1 for _ in parts(one))
    found: list[nodes.Pattern] = []
    for sign in signs:
        if alone:
            found += raising(one, sign)
            continue
        for item in items:
            for value in (True, False):
                if _can_be(one, sign, item, value):
                    found += raising(item, value)
    if len(items) > 1 and not alone:
        found += _looked_at(one)
    return found


def _read_ahead(one: Condition) -> list[Item]:
    """Return the items of a gate whose answer, given at an earlier moment, an attribute told late may change.

    Those are the forward ones; and all of them where the gate may have been asked, and not decided, since its entry.
    """
    ahead = [item for item in parts(one) if _is_forward(item)]
    return list(parts(one)) if len(ahead) > 1 else ahead


def _can_be(one: Condition, sign: bool, settled: Item, value: bool) -> bool:
    """Return whether a condition can be ``sign`` while one item of it is ``value`` and every other is anything."""
    match one:
        case All(items=items) | Any(items=items):
            can = (_can_be(item, sign, settled, value) for item in items)
            return all(can) if isinstance(one, All) == sign else any(can)
        case Negated(item=item):
            return _can_be(item, not sign, settled, value)
        case _:
            return one is not settled or value == sign


def _is_forward(item: Item) -> bool:
    return isinstance(item, Seen | Sequence | First | Summed) and item.reach.forward


_MONTH = 31 * 86_400_000_000


def _looks_back(item: Item) -> int | None:
    """How far an item may look before its journey's start; nothing: without bound."""
    if isinstance(item, nodes.LastEvent):
        return None
    if not isinstance(item, Seen | Sequence | First | Summed) or item.reach.forward or item.reach.since == "trigger":
        return 0
    lengths = item.reach.lengths
    if isinstance(item, Sequence) and not lengths:
        lengths = item.lengths[0]
    if not lengths:
        return None
    return min(length.micros + length.months * _MONTH for length in lengths)


def attributes_in(node: object) -> frozenset[str]:
    """Return the attributes of the person that a tree reads, by the first names of their paths."""
    return frozenset(path.parts[0] for path in _paths_of(node) if path.scope in ("person", "bare"))


def _paths_of(node: object) -> Iterator[nodes.Path]:
    """Every path written anywhere in a tree."""
    if isinstance(node, nodes.Path):
        yield node
    elif isinstance(node, tuple):
        for inner in node:
            yield from _paths_of(inner)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _paths_of(getattr(node, name))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
