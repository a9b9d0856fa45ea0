"""What new entries touch: the pairs of person and rule to decide now, and those only to be noted for later.

An event wakes few of the rules that look at it. The others are told when it comes late, and a patient rule that has
it as a trigger works it through when that can lead to something (:class:`~engine.runtime.live.Concerned`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic_core import from_json

from engine.journeys import consent
from engine.journeys.conditions import rules_out
from engine.journeys.misread import Misread
from engine.journeys.timeline import Event
from engine.runtime.consenting import said_of
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.store import Connection, counters, journeys, people, watches
from engine.store.faults import SYSTEMIC
from engine.store.rows import ChangeRow, NewEvent, WatchRow

K = TypeVar("K")


@dataclass
class Entries:
    """What a batch put on timelines. ``names`` are those of its events' types, by row."""

    events: list[NewEvent] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    names: Mapping[int, str] = field(default_factory=dict)

    def parted(self, ids: Container[bytes]) -> tuple[Entries, Entries]:
        """Return those with these public ids, and all others."""
        inside, outside = Entries(names=self.names), Entries(names=self.names)
        for event in self.events:
            (inside if event.public_id in ids else outside).events.append(event)
        for change in self.changes:
            (inside if change.public_id in ids else outside).changes.append(change)
        return inside, outside


class Touching:
    """The pairs that one batch of entries touches, at a reading of the clock (``now``)."""

    def __init__(self, connection: Connection, workspace: int, live: Live, now: int) -> None:
        self.connection = connection
        self.workspace = workspace
        self.live = live
        self.now = now
        self.touches: dict[Pair, Touch] = {}
        """The pairs to decide."""
        self.noted_due: int | None = None
        """The earliest moment at which something that was only noted falls due."""
        self._bearing: dict[Pair, int] = {}
        self._noted: dict[Pair, int] = {}
        self._first: dict[int, int] = {}
        self._misread: Counter[tuple[int, str]] = Counter()
        self._timely: dict[int, int] = {}

    def add(self, entries: Entries, created: frozenset[int]) -> None:
        """Find the pairs and write the notes; ``created`` are the people who are new with this batch."""
        self._add_events(entries.events, entries.names)
        self._add_changes(entries.changes)
        self._add_standing(created)
        self._reopen()
        self._note()
        counters.count(self.connection, self.workspace, self._misread)

    def join(self, pair: Pair, since: int, *, merged: bool = False) -> None:
        """Have a pair decided from ``since`` on."""
        known = self.touches.get(pair)
        if known is None:
            self.touches[pair] = Touch(since, merged)
        else:
            known.join(since, merged)

    def _add_events(self, events: Sequence[NewEvent], names: Mapping[int, str]) -> None:
        """Of the events of a type and person the earliest stands for all, unless a rule has to look into each."""
        timely: dict[tuple[int, int], int] = {}
        historical: dict[tuple[int, int], int] = {}
        for event in events:
            found, key, at = historical if event.historical else timely, (event.person_id, event.type_id), event.at
            if at < found.get(key, at + 1):
                found[key] = at
        concerned = {type_id: self.live.concerned(name) for type_id, name in names.items()}
        for (person, type_id), at in timely.items():
            rules = concerned[type_id]
            _earliest(self._first, person, at)
            _earliest(self._timely, person, at)
            for row in rules.woken:
                self.join((person, row), at)
            for row in rules.patient:
                _earliest(self._noted, (person, row), at)
            for row in rules.touched:
                _earliest(self._bearing, (person, row), at)
        for (person, type_id), at in historical.items():
            _earliest(self._first, person, at)
            for row in concerned[type_id].woken:
                self.join((person, row), self.now + 1)
            for row in concerned[type_id].touched:
                if self.live.rules[row].program.stands:  # one that finds no due moment has to be told
                    _earliest(self._bearing, (person, row), self.now + 1)
        self._look_into(events, names, {row: rules.picky for row, rules in concerned.items() if rules.picky})

    def _look_into(
        self, events: Sequence[NewEvent], names: Mapping[int, str], picky: Mapping[int, Sequence[int]]
    ) -> None:
        """Note the events of some types that their picky rules may start with; nobody looks behind the earliest."""
        noted = self._noted
        for event in events:
            if event.type_id in picky and not event.historical:
                at, seen = event.at, _seen(event, names[event.type_id])
                for row in picky[event.type_id]:
                    pair = (event.person_id, row)
                    if at < noted.get(pair, at + 1) and not self._is_ruled_out(row, seen):
                        noted[pair] = at

    def _is_ruled_out(self, row: int, event: Event | None) -> bool:
        """Whether an event is surely no trigger. Where that cannot be told, deciding the pair tells."""
        if event is None:
            return False
        met: set[Misread] = set()
        try:
            ruled_out = all(rules_out(pattern, event, met) for pattern in self.live.rules[row].program.triggers)
        except Exception as error:
            if isinstance(error, SYSTEMIC):
                raise
            return False
        if ruled_out:  # else the decision meets them too
            self._misread.update((row, one.note) for one in met)
        return ruled_out

    def _add_changes(self, changes: Sequence[ChangeRow]) -> None:
        for change in changes:
            person, at = change.person_id, change.at
            _earliest(self._first, person, at)
            if not change.historical:
                _earliest(self._timely, person, at)
            for row in self._moved_by(change):
                self.join((person, row), self.now + 1 if change.historical else at)
            for row in () if change.historical else self.live.reading:
                _earliest(self._bearing, (person, row), at)

    def _moved_by(self, change: ChangeRow) -> Collection[int]:
        if not self.live.changes_matter:
            return ()
        said = said_of(change)
        return self.live.changing(from_json(change.properties) if said is None else (consent.ATTRIBUTE,))

    def _add_standing(self, created: frozenset[int]) -> None:
        """People seen for the first time, or at their first time or before it once more, stand anew under the rules
        without trigger: history alone has started nothing there."""
        lowered = people.lower_first_seen(self.connection, self._first) if self._first else frozenset()
        for person in lowered | (created & self._first.keys()):
            for row in self.live.standing:
                if person in created and self.live.rules[row].hints.patience:
                    _earliest(self._noted, (person, row), self._first[person])
                else:
                    self.join((person, row), self._timely.get(person, self.now + 1))

    def _reopen(self) -> None:
        """What comes late is told to the rules that have decided something at or after its time."""
        asked = self._bearing
        for pair, at in self._noted.items():
            _earliest(asked, pair, at)
        touches = self.touches
        late = {pair: at for pair, at in asked.items() if pair not in touches or touches[pair].since > at}
        for pair in journeys.decided_since(self.connection, self.workspace, late):
            self.join(pair, late[pair])

    def _note(self) -> None:
        """Have patient rules work through what began here when the first of it can lead to something.

        Where the pair is decided now, or that moment is past, they are worked through at once.
        """
        patience = {row: self.live.rules[row].hints.patience for _, row in self._noted}
        waiting = {}
        for pair, at in self._noted.items():
            if pair in self.touches or pair[1] in self.live.paused or at + patience[pair[1]] <= self.now:
                self.join(pair, at)
            else:
                waiting[pair] = at
        if not waiting:
            return
        known = watches.load_watches(self.connection, self.workspace, waiting)
        rows = {(row.person_id, row.rule): row for row in known}
        changed = []
        for pair, at in waiting.items():
            person, rule = pair
            row, due, followed = rows.get(pair), at + patience[rule], at - 1
            if row is None:
                changed.append(WatchRow(0, self.workspace, rule, person, due, followed, ""))
            elif row.due_at is None or due < row.due_at or followed < row.followed:
                due = due if row.due_at is None else min(due, row.due_at)
                changed.append(row._replace(followed=min(row.followed, followed), due_at=due))
        watches.save_watches(self.connection, changed)
        self.noted_due = min((row.due_at for row in changed if row.due_at is not None), default=None)


def _seen(event: NewEvent, name: str) -> Event | None:
    """The event as conditions see it; nothing where it cannot be seen."""
    try:
        return Event(event.at, name, "", event.properties)
    except Exception as error:
        if isinstance(error, SYSTEMIC):
            raise
        return None


def _earliest(found: dict[K, int], key: K, at: int) -> None:
    if at < found.get(key, at + 1):
        found[key] = at
