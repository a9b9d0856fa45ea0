"""Who an event belongs to: ids to people, links, and two people that turn out to be one (ruling 27).

An anonymous or contact id belongs to the first user it was linked to. Two people who both have a user id never merge,
except by an alias: whoever says who a user was before means just that.
An anonymous id goes with the first contact it was linked to in the same way: a browser that two contacts share makes
them no single person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from engine.store import Connection, people

Key = tuple[str, str]
"""An identifier: its kind (``user``, ``anonymous``, ``contact``) and its value."""


Named = tuple[str | None, str | None, str | None, str | None]
"""The ids an item names: a user, a contact, anonymous, and who the user was before (another user, else a visitor).

At least one of the first three is there. Plain, because every item makes one.
"""


def ids_of(named: Named) -> list[Key]:
    """The ids that say whose an item is, by how much each of them says."""
    kinds = zip(("user", "contact", "anonymous"), named[:3], strict=True)
    return [(kind, value) for kind, value in kinds if value is not None]


def keys_of(named: Named) -> list[Key]:
    """All that an item may mean."""
    previous = named[3]
    return ids_of(named) if previous is None else [*ids_of(named), ("user", previous), ("anonymous", previous)]


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
    def of(cls, connection: Connection, workspace: int, batch: Collection[Named]) -> Identity:
        """What the store knows of the ids of a batch, which are given once each: one statement."""
        found = people.resolve(connection, workspace, sorted({key for one in batch for key in keys_of(one)}))
        rows: dict[int, Known] = {}
        for row, user, contact in found.values():
            rows.setdefault(row, Known(row, False, False)).add(Known(row, user, contact))
        known = {key: rows[row] for key, (row, _, _) in found.items()}
        aliases = any(previous is not None for *_, previous in batch)
        users = {("user", user) for user, *_ in batch if user is not None} if aliases else ()
        return cls(known, people.next_id(connection), frozenset(users))

    def owners(self, batch: Iterable[Named]) -> list[int]:
        """The rows of the people whom items are of, as they are when all of the batch is known."""
        found: dict[Named, int] = {}
        owners = []
        for named in batch:
            row = found.get(named)
            if row is None:
                row = self._person(named)
                if len(keys_of(named)) == 1:
                    found[named] = row  # a single id joins nobody: it need not be looked at again
            owners.append(row)
        return [self.final(row) for row in owners] if self.merged else owners

    def _person(self, named: Named) -> int:
        """The person an item is of, who is created, linked or merged as its ids demand."""
        first, *lesser = ids_of(named)
        for key in lesser:
            self._join(first, key)
        person = self.people.get(first) or self._create(first)
        if (previous := named[3]) is not None:
            self._alias(first, person, previous)
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

    def joining(self, named: Named) -> str | None:
        """Return the field by which an item would make one of two who are known; None where it does not.

        Known is whom a user id or a contact names: a visitor may become anybody, but a contact nobody knows yet is
        not given to somebody who is known.
        """
        user, contact, anonymous, previous = named
        first = ids_of(named)[0]
        person = self.people.get(first)
        if previous is not None and self._is_user(previous):
            return None if self.people.get(("user", previous)) is person is not None else "previous_id"
        if contact is not None and user is not None and self._would_join(first, ("contact", contact)):
            return "contact_id"
        visitors = (("anonymous_id", anonymous), ("previous_id", previous))
        lesser = [(name, ("anonymous", value)) for name, value in visitors if value is not None]
        return next((name for name, key in lesser if key != first and self._would_join(first, key)), None)

    def _is_user(self, value: str) -> bool:
        key = ("user", value)
        return key in self.people or key in self.users

    def _would_join(self, first: Key, lesser: Key) -> bool:
        """Whether who has the ``first`` id and who has a ``lesser`` one, both known, would become one."""
        person, other = self.people.get(first), self.people.get(lesser)
        if other is None:
            return lesser[0] == "contact" and person is not None
        return other is not person and (other.user or other.contact) and not _somebody_elses(first, person, other)

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
