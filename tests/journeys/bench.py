"""The decision core on its own: a rule, people, a clock that is moved, and no store.

Everything known of a person is handed to ``advance`` at each call, so what a journey keeps between calls goes
through its codec, as it does in the store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from engine.journeys import leaving
from engine.journeys import journey as states
from engine.journeys.advance import advance
from engine.journeys.conditions import EVENTS, Entry
from engine.journeys.journey import Journey
from engine.journeys.rulebook import Acted, Person, RuleLife, Settings
from engine.journeys.standing import Watch
from engine.journeys.steps import Steps
from engine.journeys.timeline import Change, Event, Timeline
from engine.language import nodes
from engine.language.program import Program


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
    """One person's state under the rule."""

    events: list[Event] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    watch: Watch | None = None


@dataclass(frozen=True)
class Action:
    person: str
    at: int
    name: str
    step: str
    key: str


class Bench:
    """Runs one rule. ``ingest`` takes entries at the clock's time, ``run_to`` moves the clock through what is due."""

    def __init__(self, rule: nodes.Rule, settings: Settings | None = None, live_at: int | None = None) -> None:
        self.life = RuleLife(Program(rule), live_at=live_at, opened_at=live_at)
        self.settings = settings or Settings()
        self.people: dict[str, Standing] = {}
        self.counts = Counts()
        self.actions: list[Action] = []
        self.now = 0

    def ingest(self, arrivals: dict[str, list[Event | Change]]) -> None:
        """Take in entries of several people at once; each arrives now."""
        for name, entries in arrivals.items():
            standing = self.people.setdefault(name, Standing())
            fresh = [one for one in entries if not one.historical]
            for one in entries:
                one.arrived = self.now
                (standing.events if isinstance(one, Event) else standing.changes).append(one)  # type: ignore[arg-type]
            self.decide(name, min((one.at for one in fresh), default=self.now + 1))
        self.send()

    def run_to(self, until: int) -> None:
        """Move the clock from one due moment to the next, up to ``until``."""
        while (due := self.next_due()) is not None and due + self.settings.grace <= until:
            self.now = max(self.now, due + self.settings.grace)
            for name in self._due_people(self.now - self.settings.grace):
                self.decide(name, self.now + 1)
            self.send()
        self.now = max(self.now, until)

    def next_due(self) -> int | None:
        return min((due for one in self.people.values() for due in _dues(one)), default=None)

    def _due_people(self, until: int) -> list[str]:
        found = [(min(dues), name) for name, one in self.people.items() if (dues := _dues(one))]
        return [name for due, name in sorted(found) if due <= until]

    def decide(self, name: str, since: int, merged: bool = False) -> None:
        one = self.people[name]
        found = advance(
            self.life, self._person(name), one.journeys, one.watch, since, self.now, self.settings, self.counts,
            merged=merged,
        )  # fmt: skip
        for number, journey in enumerate(found.journeys):
            journey.row = number
        one.journeys = [_stored(journey) for journey in found.journeys]
        watch = found.watch
        one.watch = watch and Watch.restore(watch.dump(), watch.due, watch.row)
        for journey in found.journeys:
            self._at_once(name, journey)

    def _at_once(self, name: str, journey: Journey) -> None:
        known = {action.key for action in self.actions}
        for effect in journey.effects:
            if effect.taken == "left" and effect.key not in known:
                self._record(name, journey, effect)

    def _record(self, name: str, journey: Journey, effect: states.Effect) -> None:
        step = self.life.version(journey.version).code[effect.place]
        written = getattr(step.effect, "name", "match")  # type: ignore[union-attr]
        self.actions.append(Action(name, effect.moment, written, effect.step, effect.key))

    def _person(self, name: str) -> Person:
        one = self.people[name]
        acted = tuple(
            Acted(journey.acted_at, journey.trigger, journey.start, journey.limit_values)
            for journey in one.journeys
            if journey.acted_at is not None
        )
        return Person(name, Timeline(one.events, one.changes), acted)

    def send(self) -> None:
        """Ask every pending action whether it may leave now, in the order of the outbox."""
        pending = [
            (effect.moment, name, journey.trigger, number, place)
            for name, one in self.people.items()
            for number, journey in enumerate(one.journeys)
            for place, effect in enumerate(journey.effects)
            if effect.taken == "pending"
        ]
        for _, name, _, number, place in sorted(pending):
            self._send(name, self.people[name].journeys[number], place)

    def _send(self, name: str, journey: Journey, place: int) -> None:
        effect = journey.effects[place]
        if effect.taken != "pending":
            return
        person = self._person(name)
        steps = Steps(self.life, person, self.settings, self.counts, self.now)
        scene = steps.scene(journey)
        answer = leaving.leaving(journey, effect, self.life, person, scene, self.settings, self.counts, self.now)
        first = journey.acted_at is None
        leaving.settle(journey, place, answer, self.now)
        if isinstance(answer, leaving.Leaves):
            if first:
                self.counts.record(self.life.current.id, self.now)
            self._record(name, journey, effect)


def _dues(one: Standing) -> list[int]:
    dues = [journey.due for journey in one.journeys if journey.waiting and journey.due is not None]
    return [*dues, one.watch.due] if one.watch and one.watch.due is not None else dues


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


