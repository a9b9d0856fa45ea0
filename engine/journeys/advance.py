"""All journeys of one rule for one person, brought up to a moment: the decision core's single door.

    advance(rule, person, journeys, watch, since, ...) -> journeys', withdrawn, notes, next due moment

It serves an event that has just come, a due moment, a replay and an explanation alike. ``since`` is the
earliest instant at which something new is known. What was decided at or after it is decided again, unless an
action has left: then everything up to the last one that left stands (ruling 17).

Within one instant the order is fixed (ruling 4): attribute changes, exits of journeys started earlier, triggers,
exits of journeys just started, gates, then the ends of windows and waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from engine.journeys import rulebook, standing, values
from engine.journeys.calendar import LAST
from engine.journeys.conditions import ENDS, EVENTS
from engine.journeys.journey import CLOSED, FINAL, Journey
from engine.journeys.misread import Misread
from engine.journeys.rulebook import Ledger, Person, RuleLife, Settings
from engine.journeys.standing import Watch
from engine.journeys.steps import EXITS_BEFORE, Steps
from engine.journeys.timeline import Event
from engine.language.program import Program

REBUILT = "state_rebuilt"
"""What is counted when cached state could not be read, and was worked out again."""


@dataclass
class Advanced:
    """What became of the journeys: those that stand, rows to delete, keys of actions no longer wanted, and what
    is only counted (``absorbed``, ``missing_field``, ``self_caused``, ``chain_cut``, ``schedule_false``,
    ``late_after_fire``, ``state_rebuilt``, and what was :class:`~engine.journeys.misread.Misread`)."""

    journeys: list[Journey]
    watch: Watch
    gone: list[int] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    notes: Mapping[str, int] = field(default_factory=dict)


def advance(
    life: RuleLife,
    person: Person,
    journeys: list[Journey],
    watch: Watch | None,
    since: int,
    now: int,
    settings: Settings,
    ledger: Ledger,
    *,
    merged: bool = False,
) -> Advanced:
    """Decide everything up to ``now`` less the grace. ``journeys`` are those under way and those ended at or
    after ``since``; ``merged`` when two people have just become one."""
    work = _Work(life, person, settings, ledger, now, merged)
    work.take(journeys, since)
    return work.finish(watch)


class _Work:
    """One call of :func:`advance`."""

    def __init__(
        self, life: RuleLife, person: Person, settings: Settings, ledger: Ledger, now: int, merged: bool
    ) -> None:
        self.life, self.person, self.settings = life, person, settings
        self.until = now - settings.grace
        self.now = now
        self.merged = merged
        self.misread: set[Misread] = set()
        self.steps = Steps(life, person, settings, ledger, now, self.misread)
        self.scene = standing.scene_of(life, person, settings, self.until, self.misread)
        self.each = life.current.again.kind == "each"
        self.kept: list[Journey] = []
        self.under_way: list[Journey] = []
        """Those of the kept that wait or stand as they are: all that a trigger may meet."""
        self.known: set[tuple[str, int]] = set()
        self.dropped: list[Journey] = []
        self.notes: defaultdict[str, int] = defaultdict(int)
        self.pending_before: set[str] = set()
        self.held: dict[str, int] = {}
        self.begun: list[Journey] = []
        self.since = 0
        self.moments: list[int] = []

    # ------------------------------------------------------------------------------------ deciding again

    def take(self, journeys: list[Journey], since: int) -> None:
        """Keep what stands, take back what is decided again, and find the instant to begin at."""
        self.since = since
        self.kept = [self._rebuilt(one, since) if one.spoiled else one.copy() for one in journeys]
        if journeys:
            self._remember(journeys)
        while touched := [one for one in self.kept if not one.fixed and self._is_touched(one)]:
            for one in touched:
                self._take_back(one)

    def _remember(self, journeys: list[Journey]) -> None:
        """Keep what was settled as actions were about to leave: deciding again does not take that again."""
        effects = [effect for one in journeys for effect in one.effects]
        self.pending_before = set(_pending(self.kept))
        self.held = {effect.key: effect.held for effect in effects if effect.held is not None}
        self.steps.suppressed = {effect.key: effect for effect in effects if effect.taken == "suppressed"}
        self.steps.refused = dict(one.refused for one in journeys if one.refused is not None)

    def _rebuilt(self, one: Journey, since: int) -> Journey:
        """A journey whose state could not be read, as it stood before what is new."""
        self.notes[REBUILT] += 1
        return self.steps.rebuild(one, min(since - 1, self.until))

    def _is_touched(self, one: Journey) -> bool:
        return one.decided_at >= self.since or (self.merged and one.waiting and not _left(one))

    def _take_back(self, one: Journey) -> None:
        late, known = self.settings.late, self.life.knows(one.version)
        if one.ended_at is not None and (one.reason in CLOSED or one.ended_at + late < self.now or not known):
            one.fixed = True
        elif _left(one):
            one.fixed = True
            one.back_to_last_left()
        else:
            self.kept.remove(one)
            self.dropped.append(one)
            self.since = min(self.since, one.first_at)

    def _merge(self) -> None:
        """Of two that acted and still wait the newer trigger goes on (ruling 27)."""
        acted = [one for one in self.kept if one.waiting and _left(one)]
        for one, newer in pairwise(sorted(acted, key=lambda one: (one.value, one.start, one.trigger))):
            if one.value == newer.value:
                one.end(self.until, "merged")

    # ---------------------------------------------------------------------------------------- deciding

    def finish(self, watch: Watch | None) -> Advanced:
        watch = self._watched(watch)
        self._note_late_fires()
        self.under_way = _under_way(self.kept)
        self.known = {(one.trigger, one.start) for one in self.kept} if self.each else set()
        for at, triggers in self._agenda():
            self._run((at, EXITS_BEFORE))
            self._absorb(at)
            ignored = [(event, by) for event in triggers if (by := self._trigger(event, at)) is not None]
            self._admit()
            if ignored:
                self._run((at, EVENTS))
                self._start_after(ignored, at)
        self._run((self.until, ENDS))
        if self.merged and not self.each:
            self._merge()
        for one in self.kept:
            one.hold(self.held)
            self.steps.reach_goal(one, self.until)
        self._note_misread()
        return Advanced(
            self.kept,
            watch,
            [one.row for one in self.dropped if one.row is not None],
            sorted(self.pending_before.difference(_pending(self.kept))) if self.pending_before else [],
            self.notes,
        )

    def _note_misread(self) -> None:
        """Note what was met of another kind than the rule asks for, once a field and call."""
        if self.kept or self.life.current.stands:
            self.misread |= rulebook.misread(self.life.current, self.person, self.settings, self.until)
        for one in self.misread:
            self.notes[one.note] += 1

    def _watched(self, watch: Watch | None) -> Watch:
        """The watch after this call, and the moments at which the rule starts by itself.

        What lies ahead of the clock, or inside the grace, has its time later: the watch wakes the rule then.
        """
        if watch is not None and watch.spoiled:
            self.notes[REBUILT] += 1
            watch = standing.rebuilt(self.life, self.person, self.settings, watch, self.until)
        ahead = self.person.timeline.next_entry(self.until)
        if self.life.current.stands:
            if watch is not None and watch.due is not None and watch.due <= self.until:
                self.since = min(self.since, watch.due)
            watch = watch or Watch()
            find = standing.becoming_true if self.life.current.follows else standing.coming_round
            self.moments, due = find(
                self.life, self.person, self.settings, watch, self.since, self.until, self.kept, self.notes,
                self.misread,
            )  # fmt: skip
            watch.followed = max(self.until, watch.followed or 0)
            watch.due = min((at for at in (due, ahead) if at is not None), default=None)
        else:
            if watch is not None and watch.followed is not None:
                self.since = min(self.since, watch.followed + 1)
            row = None if watch is None else watch.row
            watch = Watch(row=row) if ahead is None else Watch(ahead - 1, due=ahead, row=row)
        return watch

    def _agenda(self) -> Iterator[tuple[int, list[Event | None]]]:
        """Every instant with a trigger, or at which a journey that stands had begun, and its triggers in order."""
        found: dict[int, list[Event | None]] = {}
        for event in self._trigger_events():
            found.setdefault(event.at, []).append(event)
        for at in {*self.moments, *self._former_moments()}:
            found.setdefault(at, []).append(None)
        for one in self.kept:
            if one.fixed and one.start >= self.since:
                found.setdefault(one.start, [])
        yield from sorted(found.items())

    def _trigger_events(self) -> list[Event]:
        rules = self.life.current
        found: dict[str, Event] = {}
        for pattern in rules.triggers:
            for event in self.person.timeline.between(pattern.name, self.since, self.until):
                if not event.historical and event.id not in found and self.scene.matches(pattern, event):
                    found[event.id] = event
        if former := {one.trigger for one in self.dropped if one.version != rules.digest}:
            every = self.person.timeline.between(None, self.since, self.until)
            found |= {event.id: event for event in every if event.id in former}
        return sorted(found.values(), key=lambda event: event.order)

    def _former_moments(self) -> set[int]:
        """The moments at which journeys began that nothing else finds again: those of a schedule, of which only the
        latest are remembered, and those at which opening Conditions that are others now became true."""
        current = self.life.current
        began = [one for one in self.dropped if not one.trigger]
        if current.stands and not current.follows:
            return {at for one in began for at in (one.first_at, one.start)}
        opening = current.opening_digest
        return {one.start for one in began if self.life.version(one.version).opening_digest != opening}

    def _admit(self) -> None:
        """Let in what this instant's triggers began, once all of them have had their say."""
        for one in self.begun:
            self.steps.admit(one)
        self.begun = []

    def _run(self, limit: tuple[int, int]) -> None:
        for one in self.under_way:
            self.steps.run(one, limit)
        self.under_way = _under_way(self.under_way)

    # ---------------------------------------------------------------------------------------- triggers

    def _trigger(self, event: Event | None, at: int) -> Journey | None:
        """What a trigger does; gives the journey because of which it was ignored."""
        former = self._former(event, at)
        if former is None and self._refuses(event, at):
            return None
        value = self._value(event) if former is None else former.value
        if self.each:
            if (event.id if event else "", at) not in self.known:
                self._start(event, at, value)
            return None
        blocker = self._blocker(value, at)
        if blocker is None:
            self._start(event, at, value)
            return None
        return self._meet(blocker, event, at)

    def _former(self, event: Event | None, at: int) -> Journey | None:
        """The journey, now decided again, that this trigger began under an older version: it finishes on that."""
        if not self.dropped:
            return None
        trigger, newest = event.id if event else "", self.life.current.digest
        began = (one for one in self.dropped if (one.trigger, one.start) == (trigger, at))
        return next((one for one in began if one.version != newest), None)

    def _rules(self, event: Event | None, at: int) -> Program:
        """The version a trigger belongs to."""
        former = self._former(event, at)
        return self.life.current if former is None else self.life.version(former.version)

    def _refuses(self, event: Event | None, at: int) -> bool:
        """Whether the rule takes no notice of a trigger."""
        if event is not None and self.life.current.id in event.causes:
            self.notes["self_caused"] += 1
            return True
        if not self.life.open_at(at, self.scene.zone) or (event is not None and self.life.before_opening(event)):
            return True
        if event is not None and any(self._lacks(event, path.parts) for path in self.life.current.correlated):
            self.notes["missing_field"] += 1
            return True
        if event is not None and len(event.causes) >= self.settings.chain:
            self.notes["chain_cut"] += 1
            return True
        return False

    def _blocker(self, value: str, at: int) -> Journey | None:
        """The newest journey under way at ``at``: one that waits, or one that stands and had not ended."""
        found = [
            one
            for one in self.under_way
            if one.value == value
            and (one.start if _left(one) else one.first_at) <= at
            and (one.waiting or (one.fixed and at <= (one.ended_at or LAST)))
        ]
        return max(found, key=lambda one: one.start, default=None)

    def _meet(self, blocker: Journey, event: Event | None, at: int) -> Journey | None:
        """A trigger while ``blocker`` is under way; gives it when the trigger was ignored because of it."""
        again, left_at = self.life.current.again, blocker.left_at
        if blocker.fixed and (at == blocker.start or not blocker.waiting or (left_at is not None and at <= left_at)):
            if at != blocker.start:
                self.notes["absorbed"] += 1
        elif again.kind == "replace" and blocker.start < at:
            blocker.end(at, "replaced")
            self._start(event, at, blocker.value)
        elif again.kind == "ignore" or blocker.acted or not self._may_move(blocker, at):
            return blocker
        else:
            self.steps.restart(blocker, event, at, self._rules(event, at))
            if blocker not in self.begun:
                self.begun.append(blocker)
        return None

    def _may_move(self, one: Journey, at: int) -> bool:
        """Whether ``restart for at most`` still lets a trigger at ``at`` move the start (ruling 24)."""
        most = self.life.current.again.at_most
        return most is None or at <= self.steps.scene(one).add(one.first_at, most)

    def _start(self, event: Event | None, at: int, value: str) -> Journey | None:
        journey = self.steps.begin(event, at, value, self._rules(event, at))
        if not self.life.current.follows and self.life.current.stands:
            self.steps.admit(journey)
            self.steps.run(journey, (at, EVENTS))
            if journey.reason == "false" and journey.ended_at == at:
                self.notes["schedule_false"] += 1
                return None
        before = next((one for one in self.dropped if one.trigger == journey.trigger and one.value == value), None)
        if before is not None:
            journey.row = before.row
            self.dropped.remove(before)
        self.kept.append(journey)
        self.under_way.append(journey)
        self.known.add((journey.trigger, journey.start))
        self.begun.append(journey)
        return journey

    def _start_after(self, ignored: list[tuple[Event | None, Journey]], at: int) -> None:
        """A trigger that was ignored, and whose own event then decided that journey's gate false, starts the next."""
        for event, blocker in ignored:
            decided = blocker.reason == "false" and blocker.start < at == blocker.ended_at
            if event is not None and decided and event.id in blocker.entry.left_out:
                self._trigger(event, at)
                self._admit()
                self._run((at, EVENTS))

    def _absorb(self, at: int) -> None:
        """A journey of a late trigger that would still run when one that stands began never was (ruling 18)."""
        if self.each or not self.under_way:
            return
        began = {one.value for one in self.under_way if one.fixed and one.start == at}
        for one in [one for one in self.under_way if one.value in began and one.waiting and one.start < at]:
            if not one.fixed:
                self.kept.remove(one)
                self.under_way.remove(one)
                self.dropped.append(one)
                self.notes["absorbed"] += 1
            elif self.life.current.again.kind == "replace":
                one.end(at, "replaced")

    def _value(self, event: Event | None) -> str:
        path = self.life.current.rule.for_each
        if path is None or event is None:
            return ""
        return values.text(values.read(event.fields, path.parts))

    def _lacks(self, event: Event, parts: tuple[str, ...]) -> bool:
        return values.read(event.fields, parts) is None

    # -------------------------------------------------------------------------------------- late fires

    def _note_late_fires(self) -> None:
        """Mark journeys of which an action left that, by what is known now, would not; what came late may end them."""
        for one in self.kept:
            if one.fixed and not one.late_after_fire and _left(one) and self.life.knows(one.version):
                wanted = self._keys_by_now(one)
                if any(effect.taken in FINAL and effect.key not in wanted for effect in one.effects):
                    one.late_after_fire = True
                    self.notes["late_after_fire"] += 1

    def _keys_by_now(self, one: Journey) -> set[str]:
        """The keys of what the journey would do if nothing of it had been decided yet."""
        instant = self.person.timeline.between(None, one.start, one.start)
        trigger = next((event for event in instant if event.id == one.trigger), None)
        unbounded = Person(self.person.name, self.person.timeline)
        steps = Steps(self.life, unbounded, self.settings, _NoCounts(), now=0)
        again = steps.begin(trigger, one.start, one.value, self.life.version(one.version))
        steps.run(again, (self.until, ENDS))
        return {effect.key for effect in again.effects}


class _NoCounts:
    """A ledger under which no limit is ever reached."""

    def everyone(self, rule: str, after: int, until: int) -> int:  # noqa: ARG002
        return 0

    def record(self, rule: str, at: int) -> None:
        pass


def _under_way(journeys: list[Journey]) -> list[Journey]:
    return [one for one in journeys if one.waiting or one.fixed]


def _left(one: Journey) -> bool:
    return any(effect.taken in FINAL for effect in one.effects)


def _pending(journeys: list[Journey]) -> list[str]:
    return [effect.key for one in journeys for effect in one.effects if effect.taken == "pending"]
