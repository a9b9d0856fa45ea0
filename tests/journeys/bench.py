"""The decision core on its own: a rule, people, a clock that is moved, and no store.

Everything known of a person is handed to ``advance`` at each call, so what a journey keeps between calls goes
through its codec, as it does in the store. What an action does is on the timeline as soon as it left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from engine.journeys import consent, leaving, payload
from engine.journeys import journey as states
from engine.journeys.advance import advance
from engine.journeys.conditions import EVENTS, Entry, Scene, rules_out
from engine.journeys.journey import Journey
from engine.journeys.rulebook import DAY, Acted, Person, RuleLife, Settings
from engine.journeys.standing import Watch
from engine.journeys.steps import Steps
from engine.journeys.timeline import Change, Event, Timeline, changes_by
from engine.language import nodes, program
from engine.language.program import Program, attributes_in

Entries = list[Event | Change]


@dataclass
class Counts:
    """The ledger of one rule."""

    times: list[int] = field(default_factory=list)

    def everyone(self, rule: str, after: int, until: int) -> int:
        return sum(after < at <= until for at in self.times)

    def record(self, rule: str, at: int) -> None:
        self.times.append(at)


@dataclass
class Standing:
    """One person's state under the rule; ``journeys`` are all there ever were."""

    events: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    watch: Watch | None = None
    first_seen: int | None = None


@dataclass(frozen=True)
class Action:
    person: str
    at: int
    name: str
    step: str
    key: str


class Bench:
    """Runs one rule. ``ingest`` takes entries at the clock's time, ``run_to`` moves the clock through what is due.

    ``lazy`` leaves entries that can only end or delay something undecided until the due moment, as the store does.
    ``restarts`` says at each decision whether what is kept goes through its codec; otherwise it is kept as it is.
    """

    def __init__(
        self,
        rule: nodes.Rule,
        settings: Settings | None = None,
        live_at: int | None = None,
        *,
        lazy: bool = False,
        sends: bool = True,
        restarts: Callable[[], bool] = lambda: True,
    ) -> None:
        self.life = RuleLife(Program(rule), live_at=live_at, opened_at=live_at)
        self.settings = settings or Settings()
        self.live_at, self.lazy, self.sends, self.restarts = live_at, lazy, sends, restarts
        self.people: dict[str, Standing] = {}
        self.counts = Counts()
        self.actions: list[Action] = []
        self.notes: dict[str, int] = {}
        self.withdrawn: list[str] = []
        self.holds: dict[str, int] = {}
        """Until when what waits to leave is held, by its key."""
        self.paused = False
        self.now = 0

    # ---------------------------------------------------------------------------------------- in

    def ingest(self, arrivals: Mapping[str, Entries]) -> None:
        """Take in entries of several people at once; each arrives now. What is due now is decided with them."""
        since = {name: self._append(name, entries, self.now) for name, entries in arrivals.items()}
        if self.paused or (self.live_at is not None and self.now < self.live_at):
            return
        due = set(self._due_people(self.now - self.settings.grace))
        for name in sorted({*since, *due}):
            at = since.get(name)
            if at is not None or name in due:
                self.decide(name, self.now + 1 if at is None else at)
        self.send()

    def _append(self, name: str, entries: Entries, arrived: int) -> int | None:
        """Put entries on a timeline; gives the instant to decide from, or nothing when nobody need be told."""
        standing = self.people.setdefault(name, Standing())
        known = {id(one) for one in (*standing.events, *standing.changes)}
        entries = [one for one in {id(one): one for one in entries}.values() if id(one) not in known]
        if not entries:
            return None
        wakes = False
        entries += [change for one in entries if isinstance(one, Event) for change in changes_by(one)]
        for one in entries:
            one.arrived = arrived
            (standing.events if isinstance(one, Event) else standing.changes).append(one)  # type: ignore[arg-type]
            wakes = wakes or self._wakes(standing, one)
        earliest = min(one.at for one in entries)
        first, standing.first_seen = standing.first_seen, min(earliest, standing.first_seen or earliest)
        if self.life.current.stands and first != standing.first_seen:
            wakes = True
        fresh = min((one.at for one in entries if not one.historical), default=arrived + 1)
        if wakes or not self.lazy:
            return fresh
        ready = [self._note(standing, one) for one in entries]
        return fresh if any(ready) else None

    def _note(self, standing: Standing, one: Event | Change) -> bool:
        """Note a trigger that can lead to nothing yet; true where it already may."""
        program = self.life.current
        starts = isinstance(one, Event) and any(not rules_out(pattern, one) for pattern in program.triggers)
        if one.historical or not starts or not program.patience:
            return False
        watch = standing.watch = standing.watch or Watch()
        watch.followed = min(one.at - 1, one.at - 1 if watch.followed is None else watch.followed)
        watch.due = min(one.at + program.patience, one.at + program.patience if watch.due is None else watch.due)
        return one.at + program.patience <= self.now

    def _wakes(self, standing: Standing, one: Event | Change) -> bool:
        decided = [journey.decided_at for journey in standing.journeys]
        watch = standing.watch if self.life.current.stands else None
        if not one.historical and any(at >= one.at for at in decided):
            return True
        if watch is not None and (watch.due is None or (watch.followed or 0) >= one.at):
            return True
        if isinstance(one, Change):
            moved_by = self.life.current.moved_by | attributes_in(self.settings.quiet)
            return not moved_by.isdisjoint(one.values if one.said is None else (consent.ATTRIBUTE,))
        return bool({one.name, None} & self.life.current.waking)

    def go_live(self) -> None:
        """The rule is loaded now: everybody known stands under it."""
        self.look()

    def look(self) -> None:
        """Bring everybody up to now, as whoever shows the state of things does (ruling 35)."""
        for name in sorted(self.people):
            self.decide(name, self.now + 1)
        self.send()

    # ---------------------------------------------------------------------- what is done to the rule

    def edit(self, rule: nodes.Rule) -> None:
        """Load the rule anew, now: whoever waits finishes on the version they entered with."""
        self._work_through(*self.people)
        old, new = self.life.current, Program(rule)
        opened = self.life.opened_at if new.opening_digest == old.opening_digest else self.now
        versions = {**self.life.versions, old.digest: old, new.digest: new}
        self.life = replace(self.life, current=new, versions=versions, opened_at=opened)
        if new.stands and opened == self.now:
            for one in self.people.values():
                one.watch = one.watch or Watch()
                one.watch.due = self.now
            self.look()

    def _work_through(self, *names: str) -> None:
        """Decide triggers that were only noted, before the rule or the person is another."""
        for name in names:
            watch = self.people[name].watch
            if not self.life.current.stands and watch is not None and watch.followed is not None:
                self.decide(name, self.now + 1)

    def pause(self) -> None:
        self.paused = True
        self.life = replace(self.life, pauses=(*self.life.pauses, (self.now, None)))

    def resume(self) -> None:
        """Everything that fell due meanwhile is decided now."""
        self.paused = False
        *before, (start, _) = self.life.pauses
        self.life = replace(self.life, pauses=(*before, (start, self.now)))
        self.look()

    def merge(self, loser: str, winner: str) -> None:
        """Two people turn out to be one: what the loser was watched for is dropped, all else is the winner's."""
        self._work_through(loser)
        gone, kept = self.people.pop(loser), self.people.setdefault(winner, Standing())
        kept.events += gone.events
        kept.changes += gone.changes
        kept.journeys += gone.journeys
        kept.first_seen = min(at for at in (gone.first_seen, kept.first_seen) if at is not None)
        self.decide(winner, max(0, self.now - self.settings.max_event_age), merged=True)
        self.send()

    # -------------------------------------------------------------------------------------- time

    def run_to(self, until: int) -> None:
        """Move the clock from one due moment to the next, up to ``until``."""
        while (due := self.next_due()) is not None and due + self.settings.grace <= until:
            self.now = max(self.now, due + self.settings.grace)
            for name in self._due_people(self.now - self.settings.grace):
                self.decide(name, self.now + 1)
            self.send()
        self.now = max(self.now, until)

    def next_due(self) -> int | None:
        return min((due for one in self.people.values() for due in self._dues(one)), default=None)

    def _due_people(self, until: int) -> list[str]:
        found = [(min(dues), name) for name, one in self.people.items() if (dues := self._dues(one))]
        return [name for due, name in sorted(found) if due <= until]

    def _dues(self, one: Standing) -> list[int]:
        waits = [journey.due for journey in one.journeys if journey.waiting]
        pending = [one for journey in one.journeys for one in journey.effects if one.taken == "pending"]
        holds = [self.holds.get(effect.key) for effect in pending]
        dues = [*waits, one.watch and one.watch.due, *(at and at - self.settings.grace for at in holds)]
        return [at for at in dues if at is not None]

    # ---------------------------------------------------------------------------------- deciding

    def decide(self, name: str, since: int, merged: bool = False) -> None:
        one = self.people[name]
        goal = self.life.current.rule.goal
        reach = since - (goal.within.micros + goal.within.months * 31 * DAY if goal else 0)
        old = [journey for journey in one.journeys if not journey.waiting and (journey.ended_at or 0) < reach]
        given = [journey for journey in one.journeys if journey not in old]
        before = {effect.key: effect.taken for journey in given for effect in journey.effects}
        found = advance(
            self.life, self.person(name), given, one.watch, since, self.now, self.settings, self.counts, merged=merged
        )
        for note, count in found.notes.items():
            self.notes[note] = self.notes.get(note, 0) + count
        self.withdrawn += found.withdrawn
        restarts = self.restarts()
        one.journeys = [*old, *(_stored(journey) if restarts else journey for journey in found.journeys)]
        for number, journey in enumerate(one.journeys):
            journey.row = number
        watch = found.watch
        one.watch = Watch.restore(watch.dump(), watch.followed, watch.due, watch.row) if restarts else watch
        for journey in one.journeys:
            for effect in journey.effects:
                if effect.taken == "left" and before.get(effect.key) != "left" and journey not in old:
                    self._took_effect(name, journey, effect)

    def person(self, name: str) -> Person:
        one = self.people[name]
        acted = tuple(
            Acted(journey.acted_at, journey.trigger, journey.start, journey.limit_values)
            for journey in one.journeys
            if journey.acted_at is not None
        )
        return Person(name, Timeline(one.events, one.changes), acted)

    # --------------------------------------------------------------------------------------- out

    def send(self) -> None:
        """Ask every pending action whether it may leave now, in the order of the outbox."""
        while self.sends and (pending := self._pending()):
            _, name, _, number, place = min(pending)
            self._send(name, self.people[name].journeys[number], place)

    def _pending(self) -> list[tuple[int, str, str, int, int]]:
        return [
            (effect.moment, name, journey.trigger, number, place)
            for name, one in self.people.items()
            for number, journey in enumerate(one.journeys)
            for place, effect in enumerate(journey.effects)
            if effect.taken == "pending" and self.holds.get(effect.key, 0) <= self.now
        ]

    def _send(self, name: str, journey: Journey, place: int) -> None:
        effect, person = journey.effects[place], self.person(name)
        scene = Steps(self.life, person, self.settings, self.counts, self.now).scene(journey)
        answer = leaving.leaving(journey, effect, self.life, person, scene, self.settings, self.counts, self.now)
        first = journey.acted_at is None
        leaving.settle(journey, place, answer, self.now)
        if isinstance(answer, leaving.Holds):
            self.holds[effect.key] = answer.until
        if isinstance(answer, leaving.Leaves):
            if first:
                self.counts.record(self.life.current.id, self.now)
            self._took_effect(name, journey, effect)

    def _took_effect(self, name: str, journey: Journey, effect: states.Effect) -> None:
        """What left is an event of the timeline too, or a change of attributes."""
        rules = self.life.version(journey.version)
        written = payload.do_at(rules.code, effect.place)
        scene = Steps(self.life, self.person(name), self.settings, self.counts, self.now).scene(journey)
        self.actions.append(Action(name, effect.leave, payload.name_of(written), effect.step, effect.key))
        made = _made(written, effect, scene, rules.rule)
        if made is not None and (since := self._append(name, [made], self.now)) is not None:
            self.decide(name, since)


def _made(
    written: nodes.Effect | program.Match, effect: states.Effect, scene: Scene, rule: nodes.Rule
) -> Event | Change | None:
    if not isinstance(written, nodes.Action):
        return payload.caused(written, effect, scene)
    content = json.dumps({"template": written.template, "rule": rule.id, "tag": list(rule.tags)}, sort_keys=True)
    causes = payload.causes_of(scene)
    return Event(effect.leave, written.name, effect.key, content, causes=causes, made=False)


def _stored(journey: Journey) -> Journey:
    """The journey as the store would give it back."""
    fresh = Journey(
        journey.version, journey.value, journey.trigger, journey.first_at, journey.start,
        Entry((journey.start, EVENTS)), row=journey.row, ended_at=journey.ended_at, reason=journey.reason,
        held_out=journey.held_out, goal_at=journey.goal_at, due=journey.due,
    )  # fmt: skip
    return states.restore(fresh, states.dump(journey))


def entry(at: int, name: str, /, message_id: str | None = None, historical: bool = False, **fields: object) -> Event:
    """An event whose id tells it from its equals only by the message id."""
    content = json.dumps(fields, sort_keys=True)
    return Event(at, name, f"{at}-{name}-{message_id}-{content}", content, message_id=message_id, historical=historical)
