"""Who an event belongs to: ids to people, links, and two people that turn out to be one (ruling 27).

An anonymous or contact id belongs to the first user it was linked to. Two people who both have a user id never merge.
An anonymous id goes with the first contact it was linked to in the same way: a browser that two contacts share makes
them no single person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.store import Connection, people

Key = tuple[str, str]
"""An identifier: its kind (``user``, ``anonymous``, ``contact``) and its value."""


@dataclass
class Known:
    """A person as far as identity goes: their row, and whether they have a user id and a contact."""

    row: int
    user: bool
    contact: bool

    def add(self, more: Known) -> None:
        """What is known of them under another id."""
        self.user = self.user or more.user
        self.contact = self.contact or more.contact


@dataclass
class Identity:
    """The people of one batch. ``created`` are new rows, ``linked`` new identifiers, ``merged`` pairs of
    (winner, loser), each in the order in which it came about."""

    people: dict[Key, Known]
    next_row: int
    created: list[int] = field(default_factory=list)
    linked: list[tuple[Key, int]] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)
    conflicts: int = 0

    @classmethod
    def of(cls, connection: Connection, workspace: int, keys: Iterable[Key]) -> Identity:
        """What the store knows of the ids of a batch: one statement."""
        found = people.resolve(connection, workspace, sorted(set(keys)))
        rows: dict[int, Known] = {}
        for row, user, contact in found.values():
            rows.setdefault(row, Known(row, False, False)).add(Known(row, user, contact))
        return cls({key: rows[row] for key, (row, _, _) in found.items()}, people.next_id(connection))

    def person(self, ids: Sequence[Key]) -> int:
        """The row of the person with these ids, who is created, linked or merged as they demand.

        There is at least one, and the first says most: a user id, else a contact, else an anonymous id.
        """
        first = ids[0]
        for key in ids[1:]:
            self._join(first, key)
        return (self.people.get(first) or self._create(first)).row

    def _join(self, first: Key, lesser: Key) -> None:
        person, other = self.people.get(first), self.people.get(lesser)
        if other is None:
            self._link(lesser, person or self._create(first))
        elif other is person:
            return
        elif _somebody_elses(first, person, other):
            self.conflicts += 1
            if person is None:
                self._create(first)
        elif person is None:
            self._link(first, other)
        elif other.user:
            self._merge(other, person)
        else:
            self._merge(person, other)

    def _create(self, key: Key) -> Known:
        person = Known(self.next_row, False, False)
        self.next_row += 1
        self.created.append(person.row)
        self._link(key, person)
        return person

    def _link(self, key: Key, person: Known) -> None:
        person.add(Known(person.row, key[0] == "user", key[0] == "contact"))
        self.people[key] = person
        self.linked.append((key, person.row))

    def _merge(self, winner: Known, loser: Known) -> None:
        winner.add(loser)
        self.merged.append((winner.row, loser.row))
        for key, person in self.people.items():
            if person is loser:
                self.people[key] = winner

    def final(self, row: int) -> int:
        """The row a person has become after the merges of this batch."""
        for winner, loser in self.merged:
            row = winner if row == loser else row
        return row


def _somebody_elses(first: Key, person: Known | None, other: Known) -> bool:
    """Whether ``other``, found under a lesser id, is somebody else than the ``person`` that ``first`` names."""
    if first[0] == "user":
        return other.user
    return other.contact or (person is not None and person.user and other.user)
