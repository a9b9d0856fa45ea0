"""People as the doors name them: by a public id, or by what others know them as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.store import Connection, people

_FIELDS = {"user": "user_id", "contact": "contact_id", "anonymous": "anonymous_id"}
"""The field of an item for each kind of id, by how much it says."""


@dataclass(frozen=True)
class PersonRef:
    """A person: the 16 bytes of their public id, and their other ids by kind, the oldest first."""

    id: bytes
    identifiers: Mapping[str, tuple[str, ...]]

    @property
    def user(self) -> str | None:
        """The oldest user id."""
        return next(iter(self.identifiers.get("user", ())), None)

    @property
    def contact(self) -> str | None:
        """The oldest contact."""
        return next(iter(self.identifiers.get("contact", ())), None)

    def item(self) -> dict[str, str]:
        """The field by which an item names this person."""
        kind = next(kind for kind in _FIELDS if self.identifiers.get(kind))
        return {_FIELDS[kind]: self.identifiers[kind][0]}


def find(connection: Connection, workspace: int, text: str, kinds: Sequence[str]) -> PersonRef | None:
    """The person whose public id ``text`` spells, else who has it as an id of one of the ``kinds``, in their order."""
    row = people.by_public_id(connection, workspace, text)
    if row is None:
        known = people.resolve(connection, workspace, [(kind, text) for kind in kinds])
        row = next((known[kind, text][0] for kind in kinds if (kind, text) in known), None)
    return None if row is None else refs(connection, [row])[row]


def refs(connection: Connection, rows: Iterable[int]) -> dict[int, PersonRef]:
    """People by their rows. Two statements."""
    ids = people.public_ids(connection, rows)
    known = people.by_age(connection, ids)
    return {
        row: PersonRef(id, {kind: tuple(value for of, value in known[row] if of == kind) for kind in people.KINDS})
        for row, id in ids.items()
    }
