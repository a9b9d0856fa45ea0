"""One journey: its steps from top to bottom, and what is asked when an action is about to leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.language import nodes

from . import times, values
from .conditions import View, ask, back, forward, matches, not_each, settlements, total_of, walk
from .records import Effect, Journey, Skip
from .timeline import Change, Event, Timeline

if TYPE_CHECKING:
    from .person import Person

Waiting = Generator[int | None, None, None]
"""A journey between two moments: it yields the next moment worth asking at, if nothing more happens."""

WAITS = (nodes.WaitFor, nodes.WaitUntilTime, nodes.WaitUntilEvent, nodes.WaitUntilDate)
ACTIONS = (nodes.Action, nodes.SetAttribute, nodes.TrackEvent)
Gate = tuple[nodes.Expression, ...]


class Ended(Exception):  # noqa: N818 - an ending, not an error
    """A journey comes to its end."""

    def __init__(self, reason: str, deciding: frozenset[Event] = frozenset()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.deciding = deciding


@dataclass(eq=False)
class Run:
    """A journey under way and where it stands."""

    journey: Journey
    trigger: Event | None
    number: int
    life: Waiting | None = None
    due: int | None = None
    acted_at: int | None = None
    opened: bool = False  # past its opening Conditions
    decided_by: set[Event] = field(default_factory=set)
    beside: frozenset[Event] = frozenset()  # its trigger and the other triggers of that instant
    ignored: list[Event] = field(default_factory=list)
    held_since: int | None = None
    skipping: bool = False  # a Wait whose date was already past: on to the next Wait
    no_later_than: int | None = None  # after a Wait before a date
    history_at: int | None = None
    went_on_at: int | None = None  # when its last action or Wait ended
    gate: tuple[Gate, View] | None = None  # the gate passed last, as it was asked

    def begin_again(self) -> None:
        self.due, self.opened, self.decided_by, self.ignored = None, False, set(), []
        self.held_since, self.skipping, self.no_later_than, self.history_at, self.gate = None, False, None, None, None
        self.went_on_at = None


@dataclass(frozen=True)
class Acted:
    """A journey's first action, as limits count it."""

    at: int
    person: str
    run: Run


class Life:
    """A journey's way through the steps of its rule."""

    def __init__(self, person: Person, run: Run) -> None:
        self.person = person
        self.run = run
        self.rule = person.rule

    @property
    def now(self) -> int:
        return self.person.now

    def view(self, entered: int) -> View:
        return self.person.view(self.run, entered)

    def live(self) -> Waiting:
        if not self._only_while():
            raise Ended("only_while")
        skip = 0
        if isinstance(self.rule.trigger, nodes.NoTrigger):  # its opening gate is the trigger
            opening = self.person.opening()
            skip = len(opening)
            self.run.gate = (tuple(opening), dataclasses.replace(self.view(self.now), backward=True, guarded=True))
        yield from self._steps(self.rule.steps, "", skip)
        acts = any(isinstance(node, ACTIONS) for node in walk(self.rule.steps))
        if not acts and not self.run.skipping:
            moment = yield from self._held()
            self._leave(Effect(self.now, "match", None, "match"), moment, None)
        raise Ended("finished")

    def _steps(self, steps: tuple[nodes.Step, ...], prefix: str, skip: int = 0) -> Waiting:
        """Steps run from top to bottom, and time passes in them; consecutive Conditions are one gate."""
        index = skip
        while index < len(steps):
            step = steps[index]
            name = f"{prefix}{index + 1}"
            index += 1
            if isinstance(step, WAITS):
                yield from self._wait(step)
            elif self.run.skipping:
                self._pass_over(step, name)
            elif isinstance(step, nodes.Condition):
                gate = [step.expression]
                while index < len(steps) and isinstance(following := steps[index], nodes.Condition):
                    gate.append(following.expression)
                    index += 1
                yield from self._gate(tuple(gate), opening=prefix == "" and index == len(gate))
            elif isinstance(step, nodes.If):
                yield from self._if(step, name)
            elif isinstance(step, nodes.Split):
                arm = self._arm(step)
                yield from self._steps(step.arms[arm].steps, f"{name}.{arm + 1}.")
            else:
                yield from self._action(step, name)

    def _pass_over(self, step: nodes.Step, name: str) -> None:
        """Section 2: the moment is already past, so the steps up to the next Wait are skipped."""
        if isinstance(step, ACTIONS):
            effect = effect_of(step, self.now, name)
            self.run.journey.skipped.append(Skip(self.now, effect.name, effect.template, name, "past_date"))

    # --------------------------------------------------------------------------------------- gates

    def _gate(self, gate: Gate, opening: bool) -> Waiting:
        backward = opening and isinstance(self.rule.trigger, nodes.Schedule)  # section 4.2
        value, view, deciding = yield from self._decide(gate, backward)
        if not value:
            raise Ended("false", deciding)
        self.run.gate = (gate, view)
        if opening:
            self.run.opened = True

    def _if(self, step: nodes.If, name: str) -> Waiting:
        """``Else if`` is asked when the branch before it is decided false, its step entered at that moment."""
        for number, branch in enumerate(step.branches, 1):
            value, _, _ = yield from self._decide((branch.expression,), False)
            if value:
                yield from self._steps(branch.steps, f"{name}.{number}.")
                return
        yield from self._steps(step.otherwise, f"{name}.else.")

    def _decide(self, gate: Gate, backward: bool) -> Generator[int | None, None, tuple[bool, View, frozenset[Event]]]:
        """Section 4.7, ruling 3: asked on entry and whenever a forward item becomes true or false; decided
        at the first of these moments at which the value is not unknown."""
        entered = self.now
        left_out = frozenset(self.run.decided_by)
        on_entry = True
        while True:
            view = dataclasses.replace(self.view(entered), backward=backward, guarded=backward, left_out=left_out)
            items = [settled for one in gate for settled in settlements(one, view)]
            later = [settled.at for settled in items if settled.at > self.now]
            if on_entry or any(settled.at == self.now for settled in items):
                on_entry = False
                value = ask(nodes.And(gate), view)
                if value is not None or not later:  # nothing is left that could decide it: not true (ruling 11)
                    deciding = frozenset(e for settled in items if settled.at == self.now for e in settled.events)
                    self._decided(deciding)
                    return value is True, view, deciding
            yield min(later)

    def _decided(self, deciding: frozenset[Event]) -> None:
        """Ruling 5: what decided a step is left out of the next one; ruling 13: history is not acted upon."""
        self.run.decided_by |= deciding
        if deciding and all(event.historical for event in deciding):
            self.run.history_at = self.now

    def _only_while(self) -> bool:
        only = self.rule.only_while
        return only is None or ask(only, dataclasses.replace(self.view(self.now), backward=True)) is True  # section 4.2

    def _arm(self, split: nodes.Split) -> int:
        """Ruling 26: the n-th sample or split of the rule is a draw of its own."""
        drawn = self.person.settings.draw((self.rule.id, "split", split.ordinal), self.person.name) * 100
        reached = 0.0
        for number, arm in enumerate(split.arms):
            reached += arm.percent
            if drawn < reached:
                return number
        return len(split.arms) - 1

    # --------------------------------------------------------------------------------------- waits

    def _wait(self, step: nodes.Wait) -> Waiting:
        entered = self.now
        self.run.skipping, self.run.no_later_than = False, None
        match step:
            case nodes.WaitFor(duration=duration):
                yield from self._until(lambda: self.view(entered).shift(entered, duration))
            case nodes.WaitUntilTime(weekday=weekday, time=time, zone=zone):
                earliest = entered + 1 if self.run.went_on_at == entered else entered  # the time just used is over
                yield from self._until(lambda: times.next_time(earliest, weekday, time, self.view(entered).zone(zone)))
            case nodes.WaitUntilEvent():
                yield from self._wait_for_event(step, entered)
            case nodes.WaitUntilDate():
                yield from self._wait_for_date(step)
        self.run.went_on_at = self.now

    def _until(self, moment: Callable[[], int]) -> Waiting:
        while (at := moment()) > self.now:
            yield at

    def _wait_for_event(self, step: nodes.WaitUntilEvent, entered: int) -> Waiting:
        """Goes on at the event or at the end."""
        left_out = frozenset(self.run.decided_by)
        while True:
            view = dataclasses.replace(self.view(entered), left_out=left_out)
            end = view.shift(entered, step.at_most)
            found = forward(step.pattern, entered, end, view)
            if found:
                self._decided(frozenset(found[:1]))
                return
            if end <= self.now:
                return
            yield end

    def _wait_for_date(self, step: nodes.WaitUntilDate) -> Waiting:
        """Section 2, ruling 22: worked out again whenever the attribute or the zone changes."""
        while True:
            worked_out = self._date_moment(step)
            if worked_out is None:
                raise Ended("no_date")
            date, at = worked_out
            if at <= self.now:
                self.run.skipping = at < self.now and not step.or_now
                self.run.no_later_than = date if step.side == "before" else None
                return
            yield at

    def _date_moment(self, step: nodes.WaitUntilDate) -> tuple[int, int] | None:
        """The date a wait names, and the moment it waits for."""
        view = self.view(self.now)
        zone = view.zone(step.zone)
        dates = [times.read_date(value, zone) for value in values.leaves(view.field(step.path))]
        date = next((one for one in dates if one is not None), None)
        if date is None:
            return None
        sign = -1 if step.side == "before" else 1
        offset = step.offset or nodes.Duration()
        if step.time is None:
            return date, times.shift(date, offset, zone, sign)
        wall = times.shift_wall(times.to_local(date, zone), offset, sign)
        return date, times.at_time(wall.date(), step.time, zone)

    # ------------------------------------------------------------------------------------- actions

    def _action(self, step: nodes.Effect, name: str) -> Waiting:
        moment = yield from self._held()
        self.run.went_on_at = self.now
        self._leave(effect_of(step, self.now, name), moment, step)

    def _held(self) -> Generator[int | None, None, int]:
        """Ruling 21: while quiet hours hold an action the journey waits at it; gives the action's moment."""
        moment = self.now
        while (release := self._quiet_release()) > self.now:
            self.run.held_since = moment
            yield release
        self.run.held_since = None
        return moment

    def _quiet_release(self) -> int:
        view = self.view(self.now)
        of_settings = () if self.rule.purpose == "transactional" else self.person.settings.quiet
        lines = (*self.rule.quiet, *of_settings)
        return times.quiet_until(self.now, [(line, view.zone(line.zone)) for line in lines])

    def _leave(self, effect: Effect, moment: int, step: nodes.Effect | None) -> None:
        """An action is about to leave: what is asked then (section 5, rulings 21, 23, 25, 30)."""
        run, journey = self.run, self.run.journey
        why = self._why_not_sent(moment, step)
        if why is not None:
            journey.skipped.append(Skip(effect.at, effect.name, effect.template, effect.step, why))
            return
        if not self._only_while():
            raise Ended("only_while")
        if moment < self.now and self._overtaken():
            raise Ended("overtaken")
        if run.acted_at is None:
            if any(self._at_limit(limit) for limit in self.rule.limits):
                raise Ended("limited")
            run.acted_at = self.now
            self.person.ledger.append(Acted(self.now, self.person.name, run))
        journey.actions.append(effect)
        if step is not None and not journey.held_out:
            self._take_effect(step)

    def _why_not_sent(self, moment: int, step: nodes.Effect | None) -> str | None:
        end = self.person.active()[1]
        if isinstance(step, nodes.Action) and step.to is not None and not values.leaves(self._found(step.to)):
            return "no_recipient"  # ruling 30
        if self.run.no_later_than is not None and self.now > self.run.no_later_than:
            return "past_date"  # section 2: after a `before`, nothing leaves later than the date
        if end is not None and self.now >= end:
            return "inactive"  # section 2: nothing leaves after it
        if self.run.history_at == moment:
            return "skipped_history"  # ruling 13
        return "withdrawn" if self._withdrawn() else None

    def _withdrawn(self) -> bool:
        """Ruling 16: with a grace the action leaves that much later than its moment; an exit may come between."""
        leaves = self.now + self.person.settings.grace
        return any(
            isinstance(entry, Event) and entry.at <= leaves and self.person.is_exit(entry, self.run)
            for entry in self.person.coming
        )

    def _at_limit(self, limit: nodes.Limit) -> bool:
        """Ruling 25: journeys of the rule whose first action left in ``(now - D, now]``."""
        view = self.view(self.now)
        counted = [
            one
            for one in self.person.ledger
            if (limit.per == "all" or one.person == self.person.name)
            and (limit.per != "value" or limit_value(one.run, limit) == limit_value(self.run, limit))
            and (limit.duration is None or self.now < view.shift(one.at, limit.duration))
        ]
        return len(counted) >= limit.number

    def _take_effect(self, step: nodes.Effect) -> None:
        """Section 4.1: an action that left is an event too; ``set`` and ``track`` are effects on Lapse itself."""
        if isinstance(step, nodes.SetAttribute):
            change = nested(step.path.parts, self._argument(step.value), self.person.timeline, self.now)
            written = [one for one in walk(self.rule.steps) if isinstance(one, nodes.SetAttribute)]
            place = next(number for number, one in enumerate(written, 1) if one is step)
            self.person.make(Change(self.now, change, caused_by=(self.rule.id,), step=place))
            return
        properties: dict[str, Any] = {"template": step.template} if isinstance(step, nodes.Action) else {}
        if isinstance(step, nodes.TrackEvent):
            properties |= {name: self._argument(value) for name, value in step.arguments}
        else:
            properties |= {"rule": self.rule.id, "tag": list(self.rule.tags)}
        made = Event(self.now, step.name, properties, by_person=False, caused_by=(self.rule.id,))
        self.person.make(made)

    def _argument(self, value: nodes.Literal | nodes.Path | nodes.Total) -> Any:
        if isinstance(value, nodes.Literal):
            return value.value
        if isinstance(value, nodes.Total):
            view = dataclasses.replace(self.view(self.now), shown=True)
            return total_of(value, back(value.pattern, value.window, view))
        return next(iter(self._found(value)), None)

    def _found(self, path: nodes.Path) -> list[Any]:
        return self.view(self.now).field(path)

    # ----------------------------------------------------------------------------------- overtaken

    def _overtaken(self) -> bool:
        """Ruling 21: each plain NOT of the gate passed last, its window extended to the time of leaving."""
        if self.run.gate is None:
            return False
        gate, view = self.run.gate
        return self._again(nodes.And(gate), view) is False

    def _again(self, expression: nodes.Expression, view: View) -> bool | None:
        match expression:
            case nodes.And(items=items):
                worth = [self._again(item, view) for item in items]
                return False if False in worth else None if None in worth else True
            case nodes.Or(items=items):
                worth = [self._again(item, view) for item in items]
                return True if True in worth else None if None in worth else False
            case nodes.Group(item=item, window=window):
                return self._again(item, dataclasses.replace(view, groups=(*view.groups, window)))
            case nodes.Not(item=nodes.Or() | nodes.Group() as item):
                return self._again(not_each(item), view)
            case nodes.Not(item=nodes.Happened(count=None) as item):
                if self._happened_by_now(item, view):
                    return False
        return ask(expression, view)

    def _happened_by_now(self, item: nodes.Happened, view: View) -> bool:
        window = item.window or (view.groups[-1] if view.groups else None)
        if window is None or window.duration is None:
            return False
        if window.kind == "next" or (window.kind == "within" and not view.backward):
            return bool(forward(item.pattern, view.entered, self.now, view))
        later = [event for event in self.person.timeline.events if view.now < event.at <= self.now]
        return any(matches(event, item.pattern, view) for event in later)


# ------------------------------------------------------------------------------------------- helpers


def effect_of(step: nodes.Effect, at: int, name: str) -> Effect:
    if isinstance(step, nodes.SetAttribute):
        return Effect(at, "set", ".".join(step.path.parts), name)
    if isinstance(step, nodes.TrackEvent):
        return Effect(at, "track", step.name, name)
    return Effect(at, step.name, step.template, name)


def key_of(raw: Sequence[Any]) -> str | None:
    """A field's value as the text that tells journeys apart: a whole number is its digits."""
    if not values.leaves(list(raw)):
        return None
    value = raw[0]
    return value if isinstance(value, str) else values.canonical(value)


def limit_value(run: Run, limit: nodes.Limit) -> str | None:
    if limit.path is None:
        return None
    return key_of(values.raw_values(run.trigger.properties if run.trigger else {}, limit.path.parts))


def nested(parts: tuple[str, ...], value: Any, timeline: Timeline, at: int) -> dict[str, Any]:
    """``set person.a.b = v`` keeps what else ``a`` holds."""

    def put(holder: Any, rest: tuple[str, ...]) -> Any:
        if not rest:
            return value
        kept = dict(holder) if isinstance(holder, dict) else {}
        return kept | {rest[0]: put(kept.get(rest[0]), rest[1:])}

    return {parts[0]: put(timeline.attributes(at).get(parts[0]), parts[1:])}
