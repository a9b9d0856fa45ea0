"""Decisions and what they write, inside one transaction.

The decision core says what follows; this room reads what it needs, writes what it says, and carries out the
effects that live in the store itself (``set``, ``track``, a match). Their entries are on the timeline at once and
may concern other rules, so a call works in rounds until nothing new is touched.
"""

from __future__ import annotations

import logging
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count as counting

import orjson

from engine.journeys import journey as states
from engine.journeys import payload
from engine.journeys.advance import REBUILT, Advanced, advance
from engine.journeys.conditions import Scene
from engine.journeys.journey import Effect, Journey
from engine.journeys.rulebook import Settings
from engine.journeys.standing import Watch
from engine.language import nodes
from engine.language.program import MARKETING, Match
from engine.runtime.faults import keep
from engine.runtime.isolating import Isolation
from engine.runtime.live import Live
from engine.runtime.loading import Loaded, Pair, Touch, causes_text, load, watch_of
from engine.store import Connection, counters, journeys, outbox, watches
from engine.store.rows import JourneyRow, OutboxRow, WatchRow

_log = logging.getLogger("lapse.faults")


class StoreLedger:
    """The counts of ``Limit: ... over all people``: read once a transaction for each rule, then kept."""

    def __init__(self, connection: Connection, live: Live) -> None:
        self._connection = connection
        self._live = live
        self._acted: dict[str, list[int]] = {}
        self._recorded: dict[str, list[int]] = defaultdict(list)
        self._order: list[tuple[str, int]] = []

    def everyone(self, rule: str, after: int, until: int) -> int:
        if rule not in self._acted:
            found = self._live.by_id(rule)
            known = journeys.acted_times(self._connection, found.row, after) if found else []
            self._acted[rule] = sorted([*known, *self._recorded[rule]])
        times = self._acted[rule]
        return bisect_right(times, until) - bisect_right(times, after)

    def record(self, rule: str, at: int) -> None:
        self._order.append((rule, at))
        self._recorded[rule].append(at)
        if rule in self._acted:
            insort(self._acted[rule], at)

    @property
    def place(self) -> int:
        """How much has been recorded, for :meth:`back_to`."""
        return len(self._order)

    def back_to(self, place: int) -> None:
        """Forget what was recorded since, of a pair that failed."""
        for rule, at in self._order[place:]:
            self._recorded[rule].remove(at)
            if rule in self._acted:
                self._acted[rule].remove(at)
        del self._order[place:]


@dataclass(frozen=True)
class Caused:
    """An entry that an effect puts on a timeline: an event, or a change of attributes when ``name`` is empty.

    ``place`` is the change's among what its rule sets, from 1 on.
    """

    person: int
    at: int
    name: str
    values: Mapping[str, object]
    causes: frozenset[str]
    key: str
    place: int = 0


@dataclass
class Writing:
    """What one round has to write."""

    inserted: list[JourneyRow] = field(default_factory=list)
    updated: list[JourneyRow] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    watches: list[WatchRow] = field(default_factory=list)
    gone_watches: list[int] = field(default_factory=list)
    outgoing: list[OutboxRow] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    caused: list[Caused] = field(default_factory=list)
    notes: Counter[tuple[int, str]] = field(default_factory=Counter)

    def earliest(self) -> int | None:
        """The earliest due moment of the rows to write."""
        rows: Iterable[JourneyRow | WatchRow | OutboxRow] = (
            *self.inserted, *self.updated, *self.watches, *(row for row in self.outgoing if row.status == "pending")
        )  # fmt: skip
        return min((row.due_at for row in rows if row.due_at is not None), default=None)


class Deciding:
    """The decisions of one transaction at one reading of the clock."""

    def __init__(
        self, connection: Connection, workspace: int, live: Live, settings: Settings, now: int, isolation: Isolation
    ) -> None:
        self.connection = connection
        self.workspace = workspace
        self.live = live
        self.settings = settings
        self.now = now
        self.isolation = isolation
        self.ledger = StoreLedger(connection, live)
        self.earliest: int | None = None
        """The earliest moment that was written as due."""
        self._journey_ids = counting(journeys.next_id(connection))

    def decide(self, touches: Mapping[Pair, Touch]) -> list[Caused]:
        """Bring the pairs up to now and write what follows; gives the entries the effects put on timelines.

        A pair that fails contributes nothing to what is written, and is set aside.
        """
        if not touches:
            return []
        loaded = load(self.connection, self.workspace, self.live, touches)
        failed = loaded.failed
        in_turn = sorted(touches.items(), key=lambda item: (item[1].since, item[0]))
        recorded = self.ledger.place
        while (writing := self._decided(in_turn, loaded, failed)) is None:
            self.ledger.back_to(recorded)
        self._tell_rebuilt(writing)
        self.write(writing)
        self.isolation.decided(touches, failed)
        self.note_due(self.isolation.earliest)
        return writing.caused

    def _decided(
        self, touches: Iterable[tuple[Pair, Touch]], loaded: Loaded, failed: dict[Pair, Exception]
    ) -> Writing | None:
        """What follows of all pairs but those that have ``failed``; nothing where another one does on the way."""
        before, writing = len(failed), Writing()
        for pair, touch in touches:
            if pair not in failed:
                try:
                    self._decide(pair, touch, loaded, writing)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is this pair's
                    keep(failed, pair, error)
        return writing if len(failed) == before else None

    def _tell_rebuilt(self, writing: Writing) -> None:
        """Say whose cached state could not be read: from here on it can."""
        for (rule, note), number in writing.notes.items():
            if note == REBUILT:
                _log.warning(
                    "the rule '%s': stored state of %d could not be read and was worked out again from the timeline",
                    self.live.rules[rule].id, number,
                )  # fmt: skip

    def _decide(self, pair: Pair, touch: Touch, loaded: Loaded, writing: Writing) -> None:
        rule = self.live.rules[pair[1]]
        before, was, person = loaded.journeys.get(pair, []), loaded.watches.get(pair), loaded.person(pair)
        watch = None if was is None else watch_of(was)
        found = advance(
            rule.life, person, before, watch, touch.since, self.now, self.settings, self.ledger, merged=touch.merged
        )
        self._collect(pair, before, found, writing, person.record)
        self._collect_watch(pair, was, found, writing)
        for note, count in found.notes.items():
            writing.notes[pair[1], note] += count

    # -------------------------------------------------------------------------------------- collecting

    def _collect(
        self,
        pair: Pair,
        before: list[Journey],
        found: Advanced,
        writing: Writing,
        record: Mapping[str, states.Recorded],
    ) -> None:
        known: dict[int | None, JourneyRow | None] = {one.row: self._known(pair, one) for one in before}
        stored = {effect.key: (effect.taken, one.row) for one in before for effect in one.effects}
        stored |= {key: (one.taken, one.journey) for key, one in record.items()}
        for one in found.journeys:
            if one.row is None:
                one.row = next(self._journey_ids)
                known[one.row] = None
            row = self.row(pair, one)
            if known[one.row] is None:
                writing.inserted.append(row)
            elif row != known[one.row]:
                writing.updated.append(row)
            new = [effect for effect in one.effects if _is_to_write(effect, one.row, stored)]
            if new:
                self._collect_effects(pair, one, new, writing)
        writing.deleted += found.gone
        writing.withdrawn += found.withdrawn

    def _known(self, pair: Pair, one: Journey) -> JourneyRow:
        """The row as it stands in the store; of one that could not be read, a row like no other."""
        row = self.row(pair, one)
        return row._replace(id=-1) if one.spoiled else row

    def _collect_effects(self, pair: Pair, journey: Journey, new: list[Effect], writing: Writing) -> None:
        program = self.live.rules[pair[1]].life.version(journey.version)
        for effect in new:
            assert effect.scene is not None  # it was decided just now
            written = payload.do_at(program.code, effect.place)
            writing.outgoing.append(self._outgoing(pair, journey, effect, written, program.rule, effect.scene))
            if effect.taken == "left" and (said := payload.said(written, effect, effect.scene)) is not None:
                causes = payload.causes_of(effect.scene)
                writing.caused.append(
                    Caused(pair[0], effect.leave, said.name, said.values, causes, effect.key, said.place)
                )

    def _outgoing(
        self,
        pair: Pair,
        journey: Journey,
        effect: Effect,
        written: nodes.Effect | Match,
        rule: nodes.Rule,
        scene: Scene,
    ) -> OutboxRow:
        action = written if isinstance(written, nodes.Action) else None
        status, reason = _STATUS[effect.taken]
        variables = payload.variables(action, effect, journey, scene) if action and status == "pending" else {}
        return OutboxRow(
            id=0,
            workspace_id=self.workspace,
            key=effect.key,
            journey_id=journey.row or 0,
            rule=pair[1],
            person_id=pair[0],
            step=effect.step,
            name=payload.name_of(written),
            template=action.template if action else None,
            moment=effect.moment,
            due_at=effect.leave + self.settings.grace,
            status=status,
            reason=reason,
            attempts=0,
            left_at=effect.left_at,
            error=None,
            causes=causes_text(payload.causes_of(scene)),
            variables=orjson.dumps(variables).decode(),
            created_at=self.now,
            purpose=rule.purpose or MARKETING,
            tags=orjson.dumps(rule.tags).decode(),
        )

    def _collect_watch(self, pair: Pair, was: WatchRow | None, found: Advanced, writing: Writing) -> None:
        watch = found.watch
        if not self.live.rules[pair[1]].program.stands and watch.due is None:
            if watch.row is not None:
                writing.gone_watches.append(watch.row)
            return
        row = self._watch_row(pair, watch)
        if row != was:
            writing.watches.append(row)

    def _watch_row(self, pair: Pair, watch: Watch) -> WatchRow:
        followed = -1 if watch.followed is None else watch.followed
        return WatchRow(watch.row or 0, self.workspace, pair[1], pair[0], watch.due, followed, watch.dump())

    def row(self, pair: Pair, one: Journey) -> JourneyRow:
        """The row of a journey."""
        return JourneyRow(
            id=one.row or 0,
            workspace_id=self.workspace,
            rule=pair[1],
            version=one.version,
            person_id=pair[0],
            value=one.value,
            trigger_key=one.trigger,
            first_at=one.first_at,
            start=one.start,
            decided_at=one.decided_at,
            due_at=one.due,
            ended_at=one.ended_at,
            reason=one.reason,
            acted_at=one.acted_at,
            left_at=one.left_at,
            held_out=int(one.held_out),
            goal_at=one.goal_at,
            limit_values=orjson.dumps(one.limit_values).decode(),
            state=states.dump(one),
        )

    # ----------------------------------------------------------------------------------------- writing

    def note_due(self, at: int | None) -> None:
        """A moment that is written as due."""
        if at is not None and (self.earliest is None or at < self.earliest):
            self.earliest = at

    def write(self, writing: Writing) -> None:
        """Write a round: one statement for each kind of row."""
        self.note_due(writing.earliest())
        journeys.insert(self.connection, writing.inserted)
        journeys.update(self.connection, writing.updated)
        journeys.delete(self.connection, writing.deleted)
        watches.save_watches(self.connection, writing.watches)
        watches.delete_watches(self.connection, writing.gone_watches)
        outbox.withdraw(self.connection, self.workspace, writing.withdrawn, "decided_again")
        outbox.insert(self.connection, writing.outgoing)
        counters.count(self.connection, self.workspace, writing.notes)


def _is_to_write(effect: Effect, row: int | None, stored: Mapping[str, tuple[states.Taken, int | None]]) -> bool:
    """Return whether the outbox has an effect otherwise: not at all, of another journey, or as it was decided before.

    Deciding again may find the same effect in another journey's course, or with other values to carry.
    """
    decided_again = effect.taken == "pending" and effect.scene is not None
    return decided_again or stored.get(effect.key) != (effect.taken, row)


_STATUS: dict[states.Taken, tuple[str, str | None]] = {
    "pending": ("pending", None),
    "left": ("sent", None),
    "held_out": ("suppressed", "holdout"),
    "skipped_late": ("skipped_late", None),
    "skipped_history": ("suppressed", "history"),
    "no_recipient": ("suppressed", "no_recipient"),
    "date_passed": ("suppressed", "date_passed"),
    "suppressed": ("suppressed", None),
}
