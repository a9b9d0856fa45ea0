"""Who an event belongs to: ids to people, links, and two people that turn out to be one (ruling 27).

An anonymous or contact id belongs to the first user it was linked to. Two people who both have a user id never merge,
except by an alias: whoever says who a user was before means just that.
An anonymous id goes with the first contact it was linked to in the same way: a browser that two contacts share makes
them no single person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.store import Connection, people

Key = tuple[str, str]
"""An identifier: its kind (``user``, ``anonymous``, ``contact``) and its value."""


class Named(NamedTuple):
    """The ids an item names.

    ``ids`` say whose it is. There is at least one, and the first says most: a user id, else a contact, else an
    anonymous id. With a user id, ``previous`` may be who that was before: another user, else a visitor.
    """

    ids: Sequence[Key]
    previous: str | None = None

    @property
    def keys(self) -> Sequence[Key]:
        """All that the item may mean."""
        return self.ids if self.previous is None else [*self.ids, ("user", self.previous), ("anonymous", self.previous)]


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
    users: frozenset[Key] = frozenset()
    """The users whom items of the batch name as theirs, where it holds an alias: its order is not to matter."""
    created: list[int] = field(default_factory=list)
    linked: list[tuple[Key, int]] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)
    conflicts: int = 0

    @classmethod
    def of(cls, connection: Connection, workspace: int, batch: Sequence[Named]) -> Identity:
        """What the store knows of the ids of a batch: one statement."""
        found = people.resolve(connection, workspace, sorted({key for one in batch for key in one.keys}))
        rows: dict[int, Known] = {}
        for row, user, contact in found.values():
            rows.setdefault(row, Known(row, False, False)).add(Known(row, user, contact))
        known = {key: rows[row] for key, (row, _, _) in found.items()}
        aliases = any(one.previous is not None for one in batch)
        users = {one.ids[0] for one in batch if one.ids[0][0] == "user"} if aliases else ()
        return cls(known, people.next_id(connection), frozenset(users))

    def person(self, named: Named) -> int:
        """The row of the person an item is of, who is created, linked or merged as its ids demand."""
        first = named.ids[0]
        for key in named.ids[1:]:
            self._join(first, key)
        person = self.people.get(first) or self._create(first)
        if named.previous is not None:
            self._alias(first, person, named.previous)
        return person.row

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

    def _alias(self, first: Key, person: Known, previous: str) -> None:
        """The user who was ``previous`` before is the ``person`` that ``first`` names; a visitor becomes theirs."""
        user = ("user", previous)
        other = self.people.get(user) or (self._create(user) if user in self.users else None)
        if other is None:
            self._join(first, ("anonymous", previous))
        elif other is not person:
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
