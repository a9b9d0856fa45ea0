"""Claiming actions from the outbox: asked once more, by the same core, in the transaction that claims them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.delivery.sender import LEASE, Outcome
from engine.journeys import leaving
from engine.journeys.journey import Effect, Journey
from engine.journeys.leaving import Answer, Ends, Holds, Leaves, Skips
from engine.journeys.rulebook import Acted, Person
from engine.journeys.steps import Steps
from engine.runtime.deciding import Caused
from engine.runtime.intake import Intake
from engine.runtime.loading import Pair, read_acted, read_people, revived
from engine.store import journeys, outbox, people, rules
from engine.store.rows import JourneyRow, OutboxRow

Claimed = tuple[OutboxRow, str, str]
"""A row that may be sent now, the rule's id, and what the person is called."""


class Claiming:
    """One claim: a transaction at one reading of the clock."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.deciding = intake.deciding
        self.connection, self.live, self.now = intake.connection, intake.live, intake.now
        self.journeys: dict[int, Journey] = {}
        self.pairs: dict[int, Pair] = {}
        self.people: dict[int, Person] = {}
        self.acted: dict[Pair, list[Acted]] = {}
        self.caused: list[Caused] = []
        self.asked = 0
        """How many were looked at: those that were claimed, and those that were settled."""

    def claim(self, limit: int) -> list[Claimed]:
        """Claim up to ``limit`` actions that may leave now; what may not is settled here."""
        ready = outbox.next_due(self.connection, self.intake.workspace)
        rows = outbox.claimable(self.connection, self.intake.workspace, ready, self.now, limit)
        rows = [row for row in rows if row.left_at is not None or row.rule in self.live.rules]
        self.asked = len(rows)
        fresh = [row for row in rows if row.left_at is None]
        self._load(fresh)
        asked = [self._ask(row) for row in sorted(fresh, key=lambda row: (row.moment, row.person_id, row.id))]
        again = [row for row in rows if row.left_at is not None]
        claimed = [self._sending(row) for row in (*again, *asked) if self._leaves(row)]
        outbox.save(self.connection, [*claimed, *(row for row in asked if not self._leaves(row))])
        journeys.update(self.connection, [self._row(id) for id in self.journeys])
        self.intake.put(self.caused)
        names = people.names(self.connection, {row.person_id for row in claimed})
        called = self._rules_of(claimed)
        return [(row, called[row.rule], names[row.person_id]) for row in claimed]

    def _rules_of(self, rows: Sequence[OutboxRow]) -> dict[int, str]:
        """The ids of the rules of some rows. What left before its rule was removed is sent under its name."""
        if all(row.rule in self.live.rules for row in rows):
            return {row: rule.id for row, rule in self.live.rules.items()}
        return {row.id: row.rule_id for row in rules.every(self.connection, self.intake.workspace).values()}

    def _load(self, rows: Sequence[OutboxRow]) -> None:
        for found in journeys.by_id(self.connection, {row.journey_id for row in rows}):
            self.journeys[found.id] = revived(found)
            self.pairs[found.id] = (found.person_id, found.rule)
        starts: dict[int, int] = {}
        for id, journey in self.journeys.items():
            person, rule = self.pairs[id]
            lookback = self.live.lookback(rule)
            start = 0 if lookback is None else journey.first_at - lookback
            starts[person] = min(start, starts.get(person, start))
        rules = {rule for _, rule in self.pairs.values()}
        self.people = read_people(self.connection, self.intake.workspace, self.live, rules, starts)
        self.acted = read_acted(self.connection, self.live, self.pairs.values())

    def _ask(self, row: OutboxRow) -> OutboxRow:
        """The row after its question: pending when it leaves, else what became of it."""
        journey = self.journeys.get(row.journey_id)
        place = None if journey is None else _place(journey, row.key)
        if journey is None or place is None:
            return row._replace(status="cancelled", reason="decided_again")
        effect = journey.effects[place]
        pair = self.pairs[row.journey_id]
        found = self.people[pair[0]]
        person = Person(found.name, found.timeline, tuple(self.acted.get(pair, ())))
        life = self.live.rules[pair[1]].life
        steps = Steps(life, person, self.intake.settings, self.deciding.ledger, self.now)
        scene = steps.scene(journey)
        ledger = self.deciding.ledger
        answer = leaving.leaving(journey, effect, life, person, scene, self.intake.settings, ledger, self.now)
        first = journey.acted_at is None
        fallen = leaving.settle(journey, place, answer, self.now)
        if isinstance(answer, Leaves):
            if first:
                ledger.record(life.current.id, self.now)
                acted = Acted(self.now, journey.trigger, journey.start, journey.limit_values)
                self.acted.setdefault(pair, []).append(acted)
            self.caused.append(self._left(row, life.current.rule.tags))
        return self._answered(row, answer, fallen)

    def _leaves(self, row: OutboxRow) -> bool:
        """Whether a row is sent now: it is neither settled nor held until later."""
        return row.status in ("failed", "sending", "pending") and row.due_at <= self.now

    def _answered(self, row: OutboxRow, answer: Answer, fallen: Sequence[Effect]) -> OutboxRow:
        match answer:
            case Leaves():
                return row
            case Holds(until=until):
                return row._replace(due_at=until)
            case Skips(taken="skipped_late"):
                return row._replace(status="skipped_late")
            case Skips(taken=taken):
                return row._replace(status="suppressed", reason=taken)
            case Ends(reason=reason):
                others = [one.key for one in fallen if one.key != row.key]
                outbox.withdraw(self.connection, self.intake.workspace, others, reason)
                return row._replace(status="cancelled", reason=reason)

    def _sending(self, row: OutboxRow) -> OutboxRow:
        left = row.left_at if row.left_at is not None else self.now
        return row._replace(
            status="sending", attempts=row.attempts + 1, left_at=left, due_at=self.now + LEASE, error=None
        )

    def _left(self, row: OutboxRow, tags: Sequence[str]) -> Caused:
        """An action that left is an event of the person, named as the action."""
        values = {"template": row.template, "rule": self.live.rules[row.rule].id, "tag": list(tags), "key": row.key}
        return Caused(row.person_id, self.now, row.name, values, frozenset(json.loads(row.causes)), row.key)

    def _row(self, id: int) -> JourneyRow:
        journey = self.journeys[id]
        journey.row = id
        return self.deciding.row(self.pairs[id], journey)


def _place(journey: Journey, key: str) -> int | None:
    """Where in the journey the pending effect of a key stands."""
    places = (place for place, one in enumerate(journey.effects) if one.key == key and one.taken == "pending")
    return next(places, None)


def recorded(rows: Sequence[OutboxRow], outcomes: Sequence[Outcome]) -> list[OutboxRow]:
    """The rows as they stand after their attempt."""
    return [
        row._replace(
            status=outcome.status,
            error=outcome.error,
            due_at=outcome.next_attempt_at if outcome.next_attempt_at is not None else row.due_at,
        )
        for row, outcome in zip(rows, outcomes, strict=True)
    ]
