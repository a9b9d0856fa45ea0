"""Claiming actions from the outbox: asked once more, by the same core, in the transaction that claims them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.delivery.channels import SendError
from engine.delivery.routing import Route, Routes
from engine.delivery.sender import failed
from engine.delivery_settings import Cap, GuardSettings
from engine.journeys import leaving
from engine.journeys.consent import ATTRIBUTE
from engine.journeys.journey import Effect, Journey, StateError, Taken
from engine.journeys.leaving import Answer, Ends, Holds, Leaves, Skips
from engine.journeys.misread import Misread
from engine.journeys.payload import do_at
from engine.journeys.rulebook import Acted, Person
from engine.journeys.steps import Steps
from engine.journeys.timeline import Change, Event
from engine.language.nodes import Action
from engine.runtime import pausing
from engine.runtime.catching_up import catch_up
from engine.runtime.deciding import Caused
from engine.runtime.faults import keep
from engine.runtime.guarding import Guard
from engine.runtime.intake import Intake
from engine.runtime.live import LiveRule
from engine.runtime.loading import Pair, Touch, read_acted, read_people, revived
from engine.runtime.pressure import Pressure
from engine.runtime.reports import about
from engine.store import counters, journeys, outbox
from engine.store.rows import JourneyRow, OutboxRow

Asked = Callable[[OutboxRow], OutboxRow | None]
"""What a kind of action is asked: the row as it is afterwards, nothing where its rule stops."""


@dataclass(frozen=True)
class Terms:
    """What the settings say about leaving.

    ``lease`` is microseconds. Without a ``guard`` rules may act on as many people as they like.
    """

    lease: int
    caps: Mapping[str, Cap] = field(default_factory=dict)
    guard: GuardSettings | None = None


class Claiming:
    """One claim: a transaction at one reading of the clock."""

    def __init__(self, intake: Intake, routes: Routes, terms: Terms) -> None:
        self.intake = intake
        self.deciding = intake.deciding
        self.connection, self.live, self.now = intake.connection, intake.live, intake.now
        self.routes = routes
        self.terms = terms
        self.faults: Mapping[int, SendError] = {}
        self.failed: set[int] = set()
        """The rows of actions that would leave, and nothing could be made of them."""
        self._begin()

    def _begin(self) -> None:
        """Know nothing yet, or again: what a pass that somebody failed in has counted is not so."""
        self.pressure = Pressure(self.connection, self.intake.workspace, self.terms.caps, self.now)
        self.guard = Guard(self.connection, self.intake.workspace, self.terms.guard, self.now)
        self.journeys: dict[int, Journey] = {}
        self.pairs: dict[int, Pair] = {}
        self.people: dict[int, Person] = {}
        self.acted: dict[Pair, list[Acted]] = {}
        self.caused: list[Caused] = []
        self.withdrawn: dict[str, list[str]] = {}
        self.misread: Counter[tuple[int, str]] = Counter()
        """What asking again met of another kind than the rule asks for, by rule and note."""
        self.spoiled: dict[int, Pair] = {}
        """Journeys whose state cannot be read: their actions have their turn once it is worked out again."""

    def claim(self, rows: Sequence[OutboxRow], faults: Mapping[int, SendError]) -> list[OutboxRow]:
        """Claim those of some actions that may leave now; what may not is settled here.

        ``faults``, by row: why nothing could be made of an action. It has not left, and counts for nothing. An action
        that fails itself is set aside, and the others are asked again as if it were not there.
        """
        self.faults = faults
        failed: dict[int, Exception] = {}
        kept_back = []
        asked = []
        for row in rows:
            try:
                stopped = self._kept_back(row)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, row.id, error)
                stopped = None
            kept_back += [] if stopped is None else [stopped]
            asked += [row] if stopped is None else []
        recorded = self.deciding.ledger.place
        while (answers := self._answers([row for row in asked if row.id not in failed], failed)) is None:
            self.deciding.ledger.back_to(recorded)
            self._begin()
        for reason, keys in self.withdrawn.items():
            outbox.withdraw(self.connection, self.intake.workspace, keys, reason)
        failed |= self._rebuild(asked)
        aside = self.intake.isolation.failed(asked, "claim", failed)
        outbox.save(self.connection, [*answers, *kept_back, *aside])
        journeys.update(self.connection, self.rows)
        counters.count(self.connection, self.intake.workspace, self.misread)
        self.intake.isolation.succeeded(answers, "seal", "claim")
        self.intake.put(self.caused)
        self.deciding.note_due(self.intake.isolation.earliest)
        self.intake.isolation.stop_rules()
        self._stop_rules()
        return [row for row in answers if row.id in self.claimed]

    def _rebuild(self, rows: Sequence[OutboxRow]) -> dict[int, Exception]:
        """Have journeys worked out again that cannot be read; gives the actions of those that still cannot."""
        if not self.spoiled:
            return {}
        self.intake.settle({pair: Touch(self.now + 1) for pair in self.spoiled.values()})
        still = {one.id for one in journeys.by_id(self.connection, self.spoiled) if revived(one).spoiled}
        return {row.id: StateError() for row in rows if row.journey_id in still}

    def _kept_back(self, row: OutboxRow) -> OutboxRow | None:
        """The row as a pause or an erasure leaves it, where its page has not come by; nothing where there is none."""
        if row.person_id in self.live.erasing:
            return row._replace(status="held" if row.status == "pending" else "dead", reason=outbox.ERASED)
        if row.rule in self.live.paused and row.status == "pending":
            return row._replace(status="held", reason=pausing.PAUSED)
        return None

    def _answers(self, rows: Sequence[OutboxRow], failed: dict[int, Exception]) -> list[OutboxRow] | None:
        """What becomes of each action, in memory alone; nothing where one of them has ``failed`` on the way."""
        before = len(failed)
        fresh = [row for row in rows if row.left_at is None]
        given_back = [row for row in rows if row.left_at is not None and not row.attempts]
        self._load([row for row in (*fresh, *given_back) if row.rule in self.live.rules], failed)
        in_turn = sorted(fresh, key=lambda row: (row.moment, row.person_id, row.rule, row.id))
        asked: list[tuple[OutboxRow, Asked]] = [
            *((row, self._again) for row in rows if row.left_at is not None and row.attempts),
            *((row, self._once_more) for row in given_back),
            *((row, self._ask) for row in in_turn),
        ]
        self.claimed: set[int] = set()
        self.failed = set()
        answers = []
        for row, ask in asked:
            if row.id in failed or row.journey_id in self.spoiled:
                continue
            try:
                answer = ask(row)
                if answer is not None:
                    answers.append(self._gone(answer) if self._leaves(answer) else answer)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, row.id, error)
        self.rows = self._rows(rows, failed)
        return answers if len(failed) == before else None

    def _gone(self, row: OutboxRow) -> OutboxRow:
        """One that leaves: claimed, unless nothing could be made of it."""
        if row.id in self.faults:
            found = self._failed(row, self.faults[row.id])
            self.failed.add(row.id)
        else:
            found = self._sending(row)
            self.claimed.add(row.id)
        return found

    def _rows(self, rows: Sequence[OutboxRow], failed: dict[int, Exception]) -> list[JourneyRow]:
        """The journeys as they are to be written."""
        found = []
        for id in self.journeys:
            try:
                found.append(self._row(id))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this journey's
                for row in rows:
                    if row.journey_id == id:
                        keep(failed, row.id, error)
        return found

    def _load(self, rows: Sequence[OutboxRow], failed: dict[int, Exception]) -> None:
        """Read what the answers need; actions of which that cannot be read have ``failed``."""
        broken: dict[int, Exception] = {}
        if self.live.operations:
            pairs = {(row.person_id, row.rule) for row in rows}
            catch_up(self.connection, self.intake.workspace, self.live, pairs)
        for found in journeys.by_id(self.connection, {row.journey_id for row in rows}):
            try:
                journey = revived(found)
                if journey.spoiled:
                    self.spoiled[found.id] = (found.person_id, found.rule)
                    continue
                self.journeys[found.id] = journey
                self.pairs[found.id] = (found.person_id, found.rule)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this journey's
                keep(broken, found.id, error)
        starts: dict[int, int] = {}
        for id, journey in self.journeys.items():
            person, rule = self.pairs[id]
            lookback = self.live.lookback(rule)
            start = 0 if lookback is None else journey.first_at - lookback
            starts[person] = min(start, starts.get(person, start))
        rules = {rule for _, rule in self.pairs.values()}
        people: dict[int, Exception] = {}
        limited: dict[Pair, Exception] = {}
        self.people = read_people(self.connection, self.intake.workspace, self.live, rules, starts, people)
        self.acted = read_acted(self.connection, self.live, self.pairs.values(), limited)
        for row in rows:
            pair = (row.person_id, row.rule)
            cause = broken.get(row.journey_id) or people.get(row.person_id) or limited.get(pair)
            if cause is not None:
                failed[row.id] = cause
        self.pressure.load([row for row in rows if row.id not in failed], self._route, failed)

    # ------------------------------------------------------------------------------------------ asking

    def _ask(self, row: OutboxRow) -> OutboxRow | None:
        """The row after its question: pending when it leaves, else what became of it; nothing where its rule stops."""
        if row.rule not in self.live.rules:
            return row._replace(status="cancelled", reason="rule_removed")
        journey = self.journeys.get(row.journey_id)
        place = None if journey is None else _place(journey, row.key)
        if journey is None or place is None:
            return row._replace(status="cancelled", reason="decided_again")
        pair = self.pairs[row.journey_id]
        found = self.people[pair[0]]
        person = Person(found.name, found.timeline, tuple(self.acted.get(pair, ())))
        answer, reason = self._answer(row, journey, _taken_up(row, journey.effects[place]), person)
        if isinstance(answer, Leaves):
            if row.id in self.faults:
                return row
            if not self._may_act(row, journey, pair):
                return None
        fallen = leaving.settle(journey, place, answer, self.now)
        return self._answered(row, answer, fallen, reason)

    def _answer(self, row: OutboxRow, journey: Journey, effect: Effect, person: Person) -> tuple[Answer, str | None]:
        """What the rule says about leaving now; and then, what the person and the settings say, with their reason."""
        life, ledger = self.live.rules[row.rule].life, self.deciding.ledger
        settings = self.intake.settings
        met: set[Misread] = set()
        scene = Steps(life, person, settings, ledger, self.now, met).scene(journey)
        answer = leaving.leaving(journey, effect, life, person, scene, settings, ledger, self.now)
        self.misread.update((row.rule, one.note) for one in met)
        if not isinstance(answer, Leaves):
            return answer, None
        refusal = self._refusal(row)
        return (answer, None) if refusal is None else (Skips("suppressed"), refusal)

    def _refusal(self, row: OutboxRow) -> str | None:
        """Why the person and the settings let an action not leave now."""
        if row.person_id not in self.people:
            return None  # its rule was removed
        unsubscribed = self.people[row.person_id].timeline.attributes(self.now).get(ATTRIBUTE)
        return self.pressure.refusal(row, self._route(row), unsubscribed)

    def _may_act(self, row: OutboxRow, journey: Journey, pair: Pair) -> bool:
        """Whether nothing stops the rule; if so, the action is counted as one that leaves."""
        first = journey.acted_at is None
        rule = self.live.rules[row.rule]
        if not self.guard.lets(rule, row.person_id, row.name, _sent_before(journey, rule)):
            return False
        if first:
            self.deciding.ledger.record(rule.id, self.now)
            self.acted.setdefault(pair, []).append(
                Acted(self.now, journey.trigger, journey.start, journey.limit_values)
            )
        self.pressure.leaves(row)
        self.caused.append(self._left(row))
        return True

    def _answered(self, row: OutboxRow, answer: Answer, fallen: Sequence[Effect], reason: str | None) -> OutboxRow:
        match answer:
            case Leaves():
                return row
            case Holds(until=until):
                return row._replace(due_at=until)
            case Skips(taken="skipped_late"):
                return row._replace(status="skipped_late")
            case Skips(taken=taken):
                return row._replace(status="suppressed", reason=reason or taken)
            case Ends(reason=ended):
                self.withdrawn.setdefault(ended, []).extend(one.key for one in fallen if one.key != row.key)
                return row._replace(status="cancelled", reason=ended)

    def _once_more(self, row: OutboxRow) -> OutboxRow:
        """One that was claimed and given back before its first attempt: until then all that bears on leaving holds.

        It has its place under limits and the guard. What may not leave any more did not act.
        """
        journey = self.journeys.get(row.journey_id)
        place = None if journey is None else _place(journey, row.key, "left")
        if row.rule not in self.live.rules:
            settled = row._replace(status="cancelled", reason="rule_removed")
        elif journey is None or place is None:
            settled = row._replace(status="cancelled", reason="decided_again")
        else:
            found = self.people[row.person_id]
            others = found.timeline.where(lambda entry: not _is_of(row, entry)) or found.timeline
            effect = replace(journey.effects[place], taken="pending")
            answer, reason = self._answer(row, journey, effect, Person(found.name, others))
            fallen: Sequence[Effect] = ()
            if isinstance(answer, Holds):
                journey.effects[place] = leaving.held_back(journey.effects[place], answer.until)
            elif not isinstance(answer, Leaves):
                journey.effects[place] = replace(effect, left_at=None)
                fallen = leaving.settle(journey, place, answer, self.now)
            settled = self._answered(row, answer, fallen, reason)
        return settled if settled.status == row.status else settled._replace(left_at=None)

    def _again(self, row: OutboxRow) -> OutboxRow:
        """One that left before: where nobody knows whether it arrived, and it may not arrive twice, it is parked."""
        if row.status == "sending" and self._route(row).settings.delivery == "at_most_once":
            return row._replace(status="parked", error="its sender ended before it knew whether the action arrived")
        return row

    # ---------------------------------------------------------------------------------------- claiming

    def _leaves(self, row: OutboxRow) -> bool:
        """Whether a row is sent now: it is neither settled nor held until later."""
        return row.status in ("failed", "sending", "pending") and row.due_at <= self.now

    def _sending(self, row: OutboxRow) -> OutboxRow:
        left = row.left_at if row.left_at is not None else self.now
        return row._replace(
            status="sending",
            attempts=row.attempts + 1,
            left_at=left,
            due_at=self.now + self.terms.lease,
            error=None,
            channel=self._route(row).name,
        )

    def _failed(self, row: OutboxRow, fault: SendError) -> OutboxRow:
        """One of which nothing could be made: dead, or made later where that may help."""
        route = self._route(row)
        outcome = failed(row, fault, route.settings, self.now)
        if outcome.next_attempt_at is None:
            return row._replace(status="dead", error=outcome.error, channel=route.name)
        return row._replace(status="pending", error=outcome.error, due_at=outcome.next_attempt_at)

    def _left(self, row: OutboxRow) -> Caused:
        """An action that left is an event of the person, named as the action."""
        said = about(row, self.live.rules[row.rule].id)
        return Caused(row.person_id, self.now, row.name, said, frozenset(json.loads(row.causes)), row.key)

    def _row(self, id: int) -> JourneyRow:
        journey = self.journeys[id]
        journey.row = id
        return self.deciding.row(self.pairs[id], journey)

    def _route(self, row: OutboxRow) -> Route:
        return self.routes.of(row.name)

    def _stop_rules(self) -> None:
        """Pause the rules that would have acted on too many people: what they still hold waits untouched."""
        self.guard.save()
        for rule, reason in self.stopped.items():
            pausing.stop(self.connection, self.intake.workspace, rule, self.now, reason)

    @property
    def stopped(self) -> dict[str, str]:
        """The rules that were stopped, with the reason."""
        return {self.live.rules[rule].id: reason for rule, reason in self.guard.stopped.items()}


def _place(journey: Journey, key: str, taken: Taken = "pending") -> int | None:
    """Where in the journey the effect of a key stands, which is pending or what else is asked for."""
    places = (place for place, one in enumerate(journey.effects) if one.key == key and one.taken == taken)
    return next(places, None)


def _taken_up(row: OutboxRow, effect: Effect) -> Effect:
    """The effect of an action that was taken up by hand before it ever left: it is late from then on, not before."""
    return effect if row.redriven_at is None else replace(effect, held=max(effect.held or 0, row.redriven_at))


def _sent_before(journey: Journey, rule: LiveRule) -> list[str]:
    """The actions of a journey that left already, by their names."""
    code = rule.life.version(journey.version).code
    left = (do_at(code, effect.place) for effect in journey.effects if effect.taken == "left")
    return [written.name for written in left if isinstance(written, Action)]


def _is_of(row: OutboxRow, entry: Event | Change) -> bool:
    """Whether an entry of the timeline says that this very action left."""
    return isinstance(entry, Event) and not entry.made and entry.fields.get("key") == row.key
