"""Who an event belongs to: ids to people, links, and two people that turn out to be one (ruling 27).

An anonymous id belongs to the first user it was linked to. Two people who both have a user id never merge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.store import Connection, people

Key = tuple[str, str]
"""An identifier: its kind (``user``, ``anonymous``, ``contact``) and its value."""


@dataclass
class Known:
    """A person as far as identity goes: their row, and whether they have a user id."""

    row: int
    user: bool


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
        known = {key: rows.setdefault(row, Known(row, bool(user))) for key, (row, user) in found.items()}
        return cls(known, people.next_id(connection))

    def person(self, user_id: str | None, anonymous_id: str | None) -> int:
        """The row of the person with these ids, who is created, linked or merged as they demand."""
        user = ("user", user_id) if user_id else None
        anonymous = ("anonymous", anonymous_id) if anonymous_id else None
        if user is None or anonymous is None:
            key = user or anonymous
            assert key is not None, "the validator lets no event pass without an id"
            return (self.people.get(key) or self._create(key)).row
        return self._both(user, anonymous)

    def _both(self, user: Key, anonymous: Key) -> int:
        person, visitor = self.people.get(user), self.people.get(anonymous)
        if visitor is None:
            person = person or self._create(user)
            self._link(anonymous, person)
        elif person is None and not visitor.user:
            person = visitor
            self._link(user, person)
        elif person is None:
            person = self._create(user)
            self.conflicts += 1
        elif visitor is not person and visitor.user:
            self.conflicts += 1
        elif visitor is not person:
            self._merge(person, visitor)
        return person.row

    def _create(self, key: Key) -> Known:
        person = Known(self.next_row, False)
        self.next_row += 1
        self.created.append(person.row)
        self._link(key, person)
        return person

    def _link(self, key: Key, person: Known) -> None:
        person.user = person.user or key[0] == "user"
        self.people[key] = person
        self.linked.append((key, person.row))

    def _merge(self, winner: Known, loser: Known) -> None:
        self.merged.append((winner.row, loser.row))
        for key, person in self.people.items():
            if person is loser:
                self.people[key] = winner

    def final(self, row: int) -> int:
        """The row a person has become after the merges of this batch."""
        for winner, loser in self.merged:
            row = winner if row == loser else row
        return row
