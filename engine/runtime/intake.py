"""Taking events in: who they belong to, which are new, what they touch. One transaction for a whole batch.

Everything of a batch is in the store before anything is decided, so no decision sees half of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic_core import to_json

from engine.journeys.conditions import rules_out
from engine.journeys.rulebook import Settings
from engine.journeys.timeline import Event
from engine.model import ValidEvent, ValidIdentify
from engine.receipt import Rejection
from engine.runtime.deciding import Caused, Deciding
from engine.runtime.identity import Identity, Key
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch, causes_text, event_of
from engine.runtime.pausing import awake
from engine.store import Connection, events, journeys, outbox, people, watches
from engine.store.rows import ChangeRow, EventRow, WatchRow

Valid = ValidEvent | ValidIdentify


@dataclass(frozen=True, slots=True)
class Arrival:
    """One valid item as it comes in. ``received_at`` is microseconds UTC."""

    item: Valid
    received_at: int
    source: str = "api"
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival: the public id it has, and whether it was new, a repeat, or a repeat that differs.

    With a ``refusal`` nothing of it was stored, and it has no id.
    """

    id: bytes
    outcome: str = "accepted"
    refusal: Rejection | None = None


@dataclass
class _Stored:
    """What a batch put on timelines."""

    events: list[EventRow] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)


class Intake:
    """One batch in one transaction, at one reading of the clock."""

    def __init__(self, connection: Connection, workspace: int, live: Live, settings: Settings, now: int) -> None:
        self.connection = connection
        self.workspace = workspace
        self.live = live
        self.settings = settings
        self.now = now
        self.deciding = Deciding(connection, workspace, live, settings, now)

    def take(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Store what is new and decide what it touches; gives what became of each arrival, in order."""
        ids = public_ids(len(arrivals), self.now)
        taken = self._claim(arrivals, ids)
        fresh = [(one, id) for one, id, what in zip(arrivals, ids, taken, strict=True) if what.outcome == "accepted"]
        identity = self._identify([one for one, _ in fresh])
        self._work_through(loser for _, loser in identity.merged)
        stored = self._store(fresh, identity)
        touches = self._touched(stored, identity)
        self.settle(touches)
        return taken

    def put(self, caused: Iterable[Caused]) -> None:
        """Entries that effects and actions put on timelines, and all that follows from them."""
        entries = list(caused)
        if entries:
            self.settle(self._touches(self._append(entries), frozenset()))

    def settle(self, touches: dict[Pair, Touch]) -> None:
        """Decide until nothing new is touched. A rule is never woken by what it caused, so this ends."""
        while touches:
            caused = self.deciding.decide(awake(self.connection, self.workspace, self.live, touches))
            touches = self._touches(self._append(caused), frozenset()) if caused else {}

    # ---------------------------------------------------------------------------------- what is new

    def _claim(self, arrivals: Sequence[Arrival], ids: list[bytes]) -> list[Taken]:
        """Which arrivals are new: the first holder of a message id wins."""
        named = [
            (one.item.message_id, one.item.digest, id)
            for one, id in zip(arrivals, ids, strict=True)
            if one.item.message_id is not None
        ]
        holders = events.claim_messages(self.connection, self.workspace, "message", named) if named else {}
        taken = []
        for one, id in zip(arrivals, ids, strict=True):
            holder = holders.get(one.item.message_id) if one.item.message_id is not None else None
            if holder is None or holder.public_id == id:
                taken.append(Taken(id))
            else:
                same = holder.digest == one.item.digest
                taken.append(Taken(holder.public_id, "duplicate" if same else "conflict"))
        return taken

    def _identify(self, arrivals: list[Arrival]) -> Identity:
        return Identity.of(self.connection, self.workspace, _keys(arrivals))

    def _work_through(self, losers: Iterable[int]) -> None:
        """What was only noted of people about to merge is decided first: their watches end with them."""
        pairs = [(loser, rule) for loser in losers for rule in self.live.patient]
        noted = watches.load_watches(self.connection, self.workspace, pairs) if pairs else ()
        self.settle({(row.person_id, row.rule): Touch(self.now + 1) for row in noted})

    def _store(self, fresh: list[tuple[Arrival, bytes]], identity: Identity) -> _Stored:
        owners = [identity.person(one.item.user_id, one.item.anonymous_id) for one, _ in fresh]
        fresh_ids = public_ids(len(identity.created), self.now)
        people.create(self.connection, self.workspace, list(zip(identity.created, fresh_ids, strict=True)), self.now)
        people.link(self.connection, self.workspace, identity.linked, self.now)
        for winner, loser in identity.merged:
            people.merge(self.connection, winner, loser)
        causes = self._causes([one.item for one, _ in fresh])
        stored = _Stored()
        for (one, id), owner in zip(fresh, owners, strict=True):
            person, cause = identity.final(owner), causes.get(_cause(one.item) or "")
            historical = one.historical or one.item.at < one.received_at - self.settings.max_event_age
            if isinstance(one.item, ValidEvent):
                stored.events.append(
                    EventRow(
                        0, id, person, one.item.name, one.item.at, one.received_at, one.source, int(historical),
                        one.item.message_id, cause, one.item.properties_json,
                    )
                )  # fmt: skip
            elif one.item.traits:
                stored.changes.append(
                    ChangeRow(
                        0, id, person, one.item.at, one.received_at, one.source, int(historical),
                        int(one.item.user_id is not None), cause, one.item.traits_json,
                    )
                )  # fmt: skip
        self._write(stored)
        return stored

    def _causes(self, items: Iterable[Valid]) -> dict[str, str]:
        """The rules behind the actions that events name as their cause."""
        keys = sorted({key for one in items if (key := _cause(one))})
        return outbox.causes(self.connection, self.workspace, keys) if keys else {}

    def _write(self, stored: _Stored) -> None:
        names = [row.name for row in stored.events]
        types = events.intern(self.connection, self.workspace, names, self.now, public_ids) if names else {}
        events.insert(self.connection, self.workspace, stored.events, types)
        events.insert_changes(self.connection, self.workspace, stored.changes)

    def _append(self, caused: list[Caused]) -> _Stored:
        """The entries of effects, as rows; they arrive now."""
        stored = _Stored()
        ids = public_ids(len(caused), self.now)
        for one, id in zip(caused, ids, strict=True):
            values, cause = to_json(one.values).decode(), causes_text(one.causes)
            if one.name:
                stored.events.append(
                    EventRow(0, id, one.person, one.name, one.at, self.now, "action", 0, None, cause, values)
                )
            else:
                stored.changes.append(ChangeRow(0, id, one.person, one.at, self.now, "action", 0, 1, cause, values))
        self._write(stored)
        return stored

    # ------------------------------------------------------------------------------- what it touches

    def _touched(self, stored: _Stored, identity: Identity) -> dict[Pair, Touch]:
        touches = self._touches(stored, frozenset(map(identity.final, identity.created)))
        since = self.now - self.settings.max_event_age
        for winner, _ in identity.merged:
            for row in self.live.rules:
                _join(touches, (identity.final(winner), row), max(0, since), merged=True)
        return touches

    def _touches(self, stored: _Stored, created: frozenset[int]) -> dict[Pair, Touch]:
        """The pairs to decide: woken rules, rules a late entry bears on, and rules that stand by themselves."""
        touches: dict[Pair, Touch] = {}
        bearing: dict[Pair, int] = {}
        noted: dict[Pair, int] = {}
        first: dict[int, int] = {}
        for event in stored.events:
            since = event.at if not event.historical else self.now + 1
            first[event.person_id] = min(event.at, first.get(event.person_id, event.at))
            concerned = self.live.concerned(event.name)
            for row in concerned.woken:
                _join(touches, (event.person_id, row), since)
            if not event.historical:
                for row in self._starting(concerned.patient, event):
                    _earliest(noted, (event.person_id, row), event.at)
                for row in concerned.touched:
                    _earliest(bearing, (event.person_id, row), event.at)
        for change in stored.changes:
            since = change.at if not change.historical else self.now + 1
            first[change.person_id] = min(change.at, first.get(change.person_id, change.at))
            for row in self.live.changing:
                _join(touches, (change.person_id, row), since)
            if not change.historical:
                for row in self.live.reading:
                    _earliest(bearing, (change.person_id, row), change.at)
        self._stand(touches, noted, first, created)
        self._reopen(touches, bearing, noted)
        self._note(touches, noted)
        return touches

    def _starting(self, patient: Iterable[int], event: EventRow) -> Iterator[int]:
        """Those of the patient rules that the event may start."""
        seen: Event | None = None
        for row in patient:
            program = self.live.rules[row].program
            if program.picky:
                seen = seen or event_of(event)
                if all(rules_out(pattern, seen) for pattern in program.triggers):
                    continue
            yield row

    def _reopen(self, touches: dict[Pair, Touch], bearing: dict[Pair, int], noted: dict[Pair, int]) -> None:
        """What comes late is told to the rules that have decided something at or after its time."""
        asked = dict(bearing)
        for pair, at in noted.items():
            _earliest(asked, pair, at)
        late = {pair: at for pair, at in asked.items() if pair not in touches or touches[pair].since > at}
        for pair in journeys.decided_since(self.connection, self.workspace, late) if late else ():
            _join(touches, pair, late[pair])

    def _note(self, touches: dict[Pair, Touch], noted: dict[Pair, int]) -> None:
        """Have patient rules work through what began here when the first of it can lead to something.

        Where the pair is decided now, or that moment is past, they are worked through at once.
        """
        patience = {row: self.live.rules[row].program.patience for _, row in noted}
        for pair, at in noted.items():
            if pair in touches or pair[1] in self.live.paused or at + patience[pair[1]] <= self.now:
                _join(touches, pair, at)
        waiting = {pair: at for pair, at in noted.items() if pair not in touches}
        if not waiting:
            return
        known = {
            (row.person_id, row.rule): row for row in watches.load_watches(self.connection, self.workspace, waiting)
        }
        rows = []
        for (person, rule), at in waiting.items():
            row = known.get((person, rule)) or WatchRow(0, self.workspace, rule, person, None, at - 1, "")
            due = at + patience[rule] if row.due_at is None else min(row.due_at, at + patience[rule])
            noted_row = row._replace(followed=min(row.followed, at - 1), due_at=due)
            if noted_row != row:
                rows.append(noted_row)
                self.deciding.note_due(due)
        watches.save_watches(self.connection, rows)

    def _stand(
        self, touches: dict[Pair, Touch], noted: dict[Pair, int], first: dict[int, int], created: frozenset[int]
    ) -> None:
        """People seen for the first time, or from an earlier time on, stand anew under the rules without trigger."""
        lowered = people.lower_first_seen(self.connection, first) if first else frozenset()
        for person in lowered | (created & first.keys()):
            for row in self.live.standing:
                if person in created and self.live.rules[row].program.patience:
                    _earliest(noted, (person, row), first[person])
                else:
                    _join(touches, (person, row), self.now + 1)


def public_ids(count: int, now: int) -> list[bytes]:
    """ULIDs as bytes: 48 bits of milliseconds, 80 of chance."""
    if not count:
        return []
    head = (max(now, 0) // 1000).to_bytes(6)
    chance = os.urandom(10 * count)
    return [head + chance[10 * index : 10 * index + 10] for index in range(count)]


def _cause(item: Valid) -> str | None:
    """The key of the action an item names as its cause."""
    return item.caused_by if isinstance(item, ValidEvent) else None


def _keys(arrivals: Iterable[Arrival]) -> list[Key]:
    found: list[Key] = []
    for one in arrivals:
        if one.item.user_id:
            found.append(("user", one.item.user_id))
        if one.item.anonymous_id:
            found.append(("anonymous", one.item.anonymous_id))
    return found


def _join(touches: dict[Pair, Touch], pair: Pair, since: int, *, merged: bool = False) -> None:
    known = touches.get(pair)
    if known is None:
        touches[pair] = Touch(since, merged)
    else:
        known.join(since, merged)


def _earliest(found: dict[Pair, int], pair: Pair, at: int) -> None:
    found[pair] = min(at, found.get(pair, at))
