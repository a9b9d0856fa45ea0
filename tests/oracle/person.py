"""One person's timeline, walked through for one rule: triggers, exits and the policies between journeys."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator

from engine.language import nodes

from . import times, values
from .conditions import DrawKey, Subject, View, ask, edges, matches, not_each, walk
from .life import Acted, Ended, Life, Run, key_of
from .records import Journey, Settings
from .timeline import Entry, Event, Timeline, event_order

ActingOrder = tuple[int, str, tuple[int, str, str, str], int]


class Person:
    """One person's timeline walked through for one rule."""

    def __init__(
        self, rule: nodes.Rule, name: str, entries: list[Entry], settings: Settings, ledger: list[Acted]
    ) -> None:
        self.rule = rule
        self.name = name
        self.settings = settings
        self.ledger = ledger
        self.timeline = Timeline()
        self.coming = sorted(entries, key=lambda entry: entry.at)
        self.produced: list[Entry] = []
        self.now = -(2**62)
        self.runs: list[Run] = []
        self.was_true = False
        self.occurred: set[object] = set()
        self.held_out = self._draws_holdout()

    # ------------------------------------------------------------------------------------ moments

    def next_moment(self, now: int) -> int | None:
        """The next moment at which anything could be different for this person."""
        moments = [self.coming[0].at] if self.coming else []
        moments += [run.due for run in self.under_way() if run.due is not None and run.due > now]
        if self.timeline.first_seen() is not None:
            view = self.view(None, now)
            if isinstance(self.rule.trigger, nodes.NoTrigger):
                moments += edges(self.opening(), view)
                if self.settings.live_at is not None and self.settings.live_at > now:
                    moments.append(self.settings.live_at)
            if isinstance(self.rule.trigger, nodes.Schedule):
                moments += [at for at in [self.next_occurrence(now)] if at is not None]
        return min(moments, default=None)

    def under_way(self) -> list[Run]:
        return [run for run in self.runs if run.life is not None]

    def more_to_receive(self) -> bool:
        return bool(self.produced)

    def receive(self, now: int) -> None:
        """Ruling 4: one instant, up to and without its gates and deadlines."""
        first_pass = now != self.now
        self.now = now
        arrived = self._arrivals(now)
        events = sorted((entry for entry in arrived if isinstance(entry, Event)), key=event_order)
        self._exits(events, lambda run: run.journey.start < now)
        self._triggers(events, frozenset(arrived), first_pass)
        self._exits(events, lambda run: run.journey.start == now)

    def _arrivals(self, now: int) -> list[Entry]:
        arrived = self.produced
        self.produced = []
        while self.coming and self.coming[0].at == now:
            arrived.append(self.coming.pop(0))
            self.timeline.add(arrived[-1])
        return arrived

    def make(self, entry: Entry) -> None:
        """What an action did: on the timeline at once, and an arrival of this same instant."""
        self.timeline.add(entry)
        self.produced.append(entry)

    def order_of_acting(self, run: Run) -> ActingOrder:
        """Ruling 25: by moment (a held action keeps its own), person, trigger."""
        trigger = (run.journey.trigger_at, "", "", "") if run.trigger is None else event_order(run.trigger)
        return self.now if run.held_since is None else run.held_since, self.name, trigger, run.number

    # ------------------------------------------------------------------------------------ triggers

    def opening(self) -> list[nodes.Expression]:
        """Section 2: the Condition lines before the first Wait, Action, If or Split."""
        found = []
        for step in self.rule.steps:
            if not isinstance(step, nodes.Condition):
                break
            found.append(step.expression)
        return found

    def _triggers(self, events: list[Event], arrived: frozenset[Entry], first_pass: bool) -> None:
        trigger = self.rule.trigger
        if isinstance(trigger, nodes.EventTrigger):
            for event in events:
                if self._is_trigger(event):
                    self._trigger(event)
        elif isinstance(trigger, nodes.NoTrigger):
            if self._becomes_true(arrived):
                self._trigger(None)
        elif first_pass and self._occurs():
            self._trigger(None)

    def _is_trigger(self, event: Event) -> bool:
        """Historical events and those the rule itself caused trigger nothing (rulings 13 and 29)."""
        if event.historical or self.rule.id in event.caused_by:
            return False
        assert isinstance(self.rule.trigger, nodes.EventTrigger)
        view = self.view(None, event.at)
        return any(matches(event, pattern, view) for pattern in self.rule.trigger.patterns)

    def _becomes_true(self, arrived: frozenset[Entry]) -> bool:
        """Ruling 10: the opening Conditions go from not true to true at this moment."""
        before, self.was_true = self.was_true, self._opening_true(self.timeline)
        live_at = self.settings.live_at
        if not self.was_true:
            return False
        if live_at is not None and self.now == live_at and before:
            return self.rule.existing == "include"  # going live (section 4)
        if before:
            return False
        barren = frozenset(entry for entry in arrived if entry.historical or self.rule.id in entry.caused_by)
        return not barren or self._opening_true(self.timeline.without(barren))  # rulings 13 and 29

    def _opening_true(self, timeline: Timeline) -> bool:
        if timeline.first_seen() is None:
            return False
        view = dataclasses.replace(self.view(None, self.now), timeline=timeline, backward=True, guarded=True)
        return all(ask(one, view) is True for one in self.opening())

    def _occurs(self) -> bool:
        """Ruling 12: an occurrence is a trigger for whoever was seen by then; once per person and local date."""
        if self.timeline.first_seen() is None or self.next_occurrence(self.now - 1) != self.now:
            return False
        assert isinstance(self.rule.trigger, nodes.Schedule)
        self.occurred.add(times.to_local(self.now, self.view(None, self.now).zone(self.rule.trigger.zone)).date())
        return True

    def next_occurrence(self, after: int) -> int | None:
        """The schedule's next moment later than ``after``, as the attributes stand now."""
        schedule = self.rule.trigger
        assert isinstance(schedule, nodes.Schedule)
        view = self.view(None, max(self.now, after))
        zone = view.zone(schedule.zone)
        yearly = None
        if schedule.path is not None:
            found = [times.read_day(value, zone) for value in values.leaves(view.field(schedule.path))]
            yearly = next((day for day in found if day is not None), None)
        for day in times.schedule_days(schedule, times.to_local(after, zone).date(), yearly):
            at = times.at_time(day, schedule.time, zone)
            if at > after and day not in self.occurred:
                return at
        return None

    def _trigger(self, event: Event | None) -> None:
        """Section 5: what a trigger does, given the journey of its person and value that is under way."""
        if not self._live() or not self._active_start():
            return
        value = self._value(event)
        if event is not None and self._lacks_field(event):
            self._record_missing(value)
            return
        rivals = [run for run in self.under_way() if run.journey.value == value]
        again = self.rule.again or nodes.Again("ignore" if isinstance(self.rule.trigger, nodes.Schedule) else "restart")
        run = rivals[0] if rivals else None
        if run is None or again.kind == "each":
            self._start(event, value)
        elif again.kind == "replace" and run.journey.start < self.now:
            self._end(run, "replaced")
            self._start(event, value)
        elif again.kind == "replace" or (again.kind == "restart" and self._may_move(run, again)):
            self._stand_on(run, event)
        elif event is not None:
            run.ignored.append(event)

    def _may_move(self, run: Run, again: nodes.Again) -> bool:
        """Ruling 24: until its first action, and no further than ``for at most`` from its first trigger."""
        if run.acted_at is not None:
            return False
        return again.at_most is None or self.now <= self.view(None, self.now).shift(run.journey.first_at, again.at_most)

    def _live(self) -> bool:
        return self.settings.live_at is None or self.now >= self.settings.live_at

    def _active_start(self) -> bool:
        """Triggers outside ``Active:`` are ignored."""
        start, end = self.active()
        return (start is None or self.now >= start) and (end is None or self.now < end)

    def active(self) -> tuple[int | None, int | None]:
        """From the first day's midnight to the one after the last day, in the rule's zone."""
        active = self.rule.active or nodes.Active()
        zone = self.view(None, self.now).zone()
        start = times.midnight(_day(active.start), zone) if active.start else None
        end = times.midnight(_day(active.end, 1), zone) if active.end else None
        return start, end

    def _value(self, event: Event | None) -> str | None:
        """Section 2: a trigger without the field has the value "none"."""
        if self.rule.for_each is None:
            return None
        return key_of(values.raw_values(event.properties if event else {}, self.rule.for_each.parts)) or "none"

    def _lacks_field(self, event: Event) -> bool:
        """Ruling 30: a field the rule compares with in a ``where``, or that of ``Limit: once per x``."""
        needed = [limit.path for limit in self.rule.limits if limit.per == "value" and limit.path is not None]
        clauses = (self.rule.steps, self.rule.only_while, self.rule.exit, self.rule.goal)
        for pattern in walk(clauses):
            if isinstance(pattern, nodes.Pattern):
                right = [operand for one in pattern.where for operand in one.right]
                needed += [path for path in right if isinstance(path, nodes.Path) and path.scope == "trigger"]
        return any(not values.leaves(values.raw_values(event.properties, path.parts)) for path in needed)

    def _record_missing(self, value: str | None) -> None:
        journey = Journey(value, self.now, self.now, self.now, "ended", self.now, "missing_field")
        self.runs.append(Run(journey, None, len(self.runs)))

    def _start(self, event: Event | None, value: str | None) -> Run:
        run = Run(Journey(value, self.now, self.now, self.now, held_out=self.held_out), event, len(self.runs))
        self.runs.append(run)
        self._stand_on(run, event)
        return run

    def _stand_on(self, run: Run, event: Event | None) -> None:
        """Begin at the first step with this trigger (ruling 24)."""
        run.begin_again()
        run.trigger = event
        run.journey.trigger_at = run.journey.start = self.now
        run.decided_by |= self._others_at_start(event)
        run.beside = frozenset(self._others_at_start(event)) if event is not None else frozenset()
        run.opened = isinstance(self.rule.trigger, nodes.NoTrigger) or not self.opening()
        run.life = Life(self, run).live()

    def _others_at_start(self, event: Event | None) -> set[Event]:
        """Ruling 5: the trigger, other triggers of its instant; for None the events that made it true."""
        here = [one for one in self.timeline.events if one.at == self.now]
        if event is not None:
            return {one for one in here if one is event or self._is_trigger(one)}
        if not isinstance(self.rule.trigger, nodes.NoTrigger):
            return set()
        patterns = [node for node in walk(tuple(self.opening())) if isinstance(node, nodes.Pattern)]
        view = self.view(None, self.now)
        return {one for one in here if any(matches(one, pattern, view) for pattern in patterns)}

    # --------------------------------------------------------------------------------------- exits

    def exit_patterns(self) -> tuple[nodes.Pattern, ...]:
        """Section 2: as written, else those under a plain NOT in the opening Conditions, or of ``last ... ago``."""
        if self.rule.exit is not None:
            return self.rule.exit.patterns
        return tuple(_plainly_negated(tuple(self.opening())))

    def _exits(self, events: list[Event], chosen: Callable[[Run], bool]) -> None:
        for run in self.under_way():
            if chosen(run) and any(self.is_exit(event, run) for event in events):
                self._end(run, "exit")

    def is_exit(self, event: Event, run: Run) -> bool:
        """The default exit stands behind the opening gate: until that is passed, the gate itself decides."""
        if event is run.trigger:
            return False
        in_view = isinstance(self.rule.trigger, nodes.NoTrigger) and event.at == run.journey.start
        if self._says_no(event) and not in_view:  # else it may be what began the journey
            return True
        if self.rule.exit is None and (in_view or not run.opened):
            return False
        return any(matches(event, pattern, self.view(run, self.now)) for pattern in self.exit_patterns())

    def _says_no(self, event: Event) -> bool:
        """Who unsubscribes leaves every journey but transactional ones, or those of the topic that is named."""
        if event.name != "unsubscribed" or self.rule.purpose == "transactional":
            return False
        topic = event.properties.get("topic")
        return not isinstance(topic, str) or topic in ("", self.rule.purpose or "marketing")

    # -------------------------------------------------------------------------------- going on, end

    def view(self, run: Run | None, entered: int) -> View:
        subject = Subject(
            self.rule,
            self.name,
            self.settings.draw,
            self.settings.default_zone,
            run.trigger if run else None,
            run.journey.trigger_at if run else entered,
            run.beside if run else frozenset(),
            self.settings.declared,
        )
        left_out = frozenset(run.decided_by) if run else frozenset()
        return View(subject, self.timeline, self.now, entered, left_out=left_out)

    def resume(self, run: Run) -> None:
        """Let a journey ask its question again at this moment."""
        if run.life is None:
            return
        try:
            run.due = next(run.life)
        except Ended as end:
            self._end(run, end.reason)
            self._start_from_blocker(run, end)

    def _start_from_blocker(self, run: Run, end: Ended) -> None:
        """Ruling 4: an ignored trigger whose own event decided the gate false starts the next journey."""
        blockers = [event for event in run.ignored if event.at == self.now and event in end.deciding]
        if end.reason == "false" and blockers:
            here = [event for event in self.timeline.events if event.at == self.now]
            following = self._start(blockers[0], run.journey.value)
            if any(self.is_exit(event, following) for event in here):
                self._end(following, "exit")
            self.resume(following)

    def _end(self, run: Run, reason: str) -> None:
        run.life, run.due, run.held_since = None, None, None
        run.journey.status, run.journey.ended_at, run.journey.reason = "ended", self.now, reason

    def _draws_holdout(self) -> bool:
        """Ruling 26: a draw of its own, or one shared by name."""
        holdout = self.rule.holdout
        if holdout is None:
            return False
        key: DrawKey = (None, holdout.name, 0) if holdout.name is not None else (self.rule.id, "holdout", 0)
        return self.settings.draw(key, self.name) * 100 < holdout.percent

    def result(self) -> list[Journey]:
        for run in self.runs:
            run.journey.goal_at = self._goal(run)
        return [run.journey for run in self.runs if not self._never_was(run.journey)]

    def _never_was(self, journey: Journey) -> bool:
        """Ruling 12: an occurrence whose opening gate is false at once leaves no journey."""
        return (
            isinstance(self.rule.trigger, nodes.Schedule)
            and journey.reason == "false"
            and journey.ended_at == journey.first_at
        )

    def _goal(self, run: Run) -> int | None:
        """Ruling 34: once, in ``(left, left + D]`` of the first action."""
        goal, left = self.rule.goal, run.acted_at
        if goal is None or left is None:
            return None
        view = self.view(run, left)
        end = view.shift(left, goal.within)
        found = [e.at for e in self.timeline.events if left < e.at <= end and matches(e, goal.pattern, view)]
        return min(found, default=None)


def _day(date: nodes.Date, later: int = 0) -> datetime.date:
    return datetime.date(date.year, date.month, date.day) + datetime.timedelta(days=later)


def _plainly_negated(expression: object) -> Iterator[nodes.Pattern]:
    """The events that stand directly under a NOT, without a count; and those whose last one is to be long ago."""
    match expression:
        case nodes.And(items=items) | nodes.Or(items=items):
            yield from _plainly_negated(items)
        case nodes.Group(item=item):
            yield from _plainly_negated(item)
        case nodes.Not(item=nodes.Happened(pattern=pattern, count=None)):
            yield pattern
        case nodes.LastEvent(pattern=pattern):
            yield pattern
        case nodes.Not(item=nodes.Or() | nodes.Group() as item):
            yield from _plainly_negated(not_each(item))
        case tuple():
            for item in expression:
                yield from _plainly_negated(item)
