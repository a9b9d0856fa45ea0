"""People, their ids, and two people that turn out to be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from ulid import ULID

from engine.store.merging import merge
from engine.store.prepared import Prepared, batch, bound, inserting, listed, updating
from engine.store.prepared import next_id as _next_id
from engine.store.schema import identifiers as _links
from engine.store.schema import people

__all__ = [
    "KINDS",
    "Key",
    "by_age",
    "by_id",
    "by_public_id",
    "create",
    "find",
    "first_seen",
    "identifiers",
    "link",
    "links",
    "lower_first_seen",
    "merge",
    "names",
    "next_id",
    "public_ids",
    "resolve",
]

Key = tuple[str, str]
"""An identifier: its kind (``user``, ``anonymous``, ``contact``) and its value."""

KINDS = ("user", "anonymous", "contact")
"""In the order in which a person goes by them."""

_UUID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)

_ids = batch("ids", id=int)
_of = _links.alias("of")
_kind: dict[str, ColumnElement[Any]] = {kind: literal_column(f"'{kind}'") for kind in KINDS}


def _has(what: str, kind: str) -> ColumnElement[Any]:
    """Whether the person found by an id of a kind has one of a kind, ``what``."""
    if kind == what:
        return literal_column("1")
    return exists().where(_of.c.person_id == _links.c.person_id, _of.c.kind == _kind[what])


def _resolving(kind: str) -> Select[Any]:
    """One batch of plain values for each kind: half the price of a batch of pairs."""
    values = batch(f"{kind}s", value=str)
    return (
        select(_kind[kind], _links.c.value, _links.c.person_id, _has("user", kind), _has("contact", kind))
        .select_from(values.joined(_links, _links.c.value == values["value"]))
        .where(_links.c.workspace_id == bound("workspace"), _links.c.kind == _kind[kind])
    )


RESOLVE = Prepared(
    union_all(*map(_resolving, KINDS)),
    "workspace", *(f"{kind}s" for kind in KINDS),
)  # fmt: skip

_CREATE = inserting(people, "id", "workspace_id", "public_id", "first_arrived", "created_at")
_LINK = inserting(_links, "workspace_id", "kind", "value", "person_id", "linked_at")

_rank = case((_links.c.kind == _kind["user"], 0), (_links.c.kind == _kind["anonymous"], 1), else_=2)
NAMES = Prepared(
    select(_links.c.person_id, _links.c.kind, _links.c.linked_at, _links.c.value).select_from(
        _ids.joined(_links, _links.c.person_id == _ids["id"])
    ),
    "ids",
)
FIRST_SEEN = Prepared(
    select(people.c.id, people.c.first_seen).select_from(_ids.joined(people, people.c.id == _ids["id"])), "ids"
)

EARLIER = Prepared(
    select(people.c.id, people.c.first_seen)
    .select_from(_ids.joined(people, people.c.id == _ids["id"]))
    .where(or_(people.c.first_seen.is_(None), people.c.first_seen >= bound("lowest"))),
    "ids", "lowest",
)  # fmt: skip
_LOWER = updating(people, "id", "first_seen")

FIND = Prepared(
    select(_links.c.person_id)
    .where(
        _links.c.workspace_id == bound("workspace"),
        _links.c.kind.in_(_kind.values()),
        _links.c.value == bound("value"),
    )
    .order_by(_rank)
    .limit(literal_column("1")),
    "workspace", "value",
)  # fmt: skip

_winner = people.alias("winner")
_is = func.coalesce(people.c.merged_into, people.c.id)
BY_PUBLIC_ID = Prepared(
    select(_is).where(
        people.c.workspace_id == bound("workspace"),
        people.c.public_id == bound("public_id"),
        ~exists().where(_winner.c.id == _is, _winner.c.erased_at.is_not(None)),
    ),
    "workspace", "public_id",
)  # fmt: skip

PUBLIC_IDS = Prepared(
    select(people.c.id, people.c.public_id).select_from(_ids.joined(people, people.c.id == _ids["id"])), "ids"
)

IDENTIFIERS = Prepared(
    select(_links.c.kind, _links.c.value, _links.c.linked_at)
    .where(_links.c.person_id == bound("person"))
    .order_by(_rank, _links.c.linked_at, _links.c.value),
    "person",
)


def resolve(connection: Connection, workspace: int, keys: Iterable[Key]) -> dict[Key, tuple[int, bool, bool]]:
    """The people behind the ids that are known, and whether each has a user id and a contact. One statement."""
    values: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind, value in keys:
        values[kind].append(value)
    if not any(values.values()):
        return {}
    found = RESOLVE.rows(connection, workspace, *(listed(values[kind]) for kind in KINDS))
    return {(kind, value): (person, bool(user), bool(contact)) for kind, value, person, user, contact in found}


def next_id(connection: Connection) -> int:
    """The row the next new person gets."""
    return _next_id(connection, people)


def create(connection: Connection, workspace: int, rows: Iterable[tuple[int, bytes]], now: int) -> None:
    """New people, by row and public id; :func:`lower_first_seen` says when they were first seen."""
    _CREATE.many(connection, [(row, workspace, public_id, now, now) for row, public_id in rows])


def link(connection: Connection, workspace: int, links: Iterable[tuple[Key, int]], now: int) -> None:
    """New ids of people."""
    _LINK.many(connection, [(workspace, kind, value, person, now) for (kind, value), person in links])


def lower_first_seen(connection: Connection, first: Mapping[int, int]) -> frozenset[int]:
    """Note the times people were seen at; return those who had not been seen earlier."""
    if not first:
        return frozenset()
    lowest = min(first.values())  # most were seen before any of it, and are not looked at one by one
    found = EARLIER.rows(connection, listed(first), lowest)
    earlier = [person for person, seen in found if seen is None or seen >= first[person]]
    _LOWER.many(connection, [(person, first[person]) for person in earlier])
    return frozenset(earlier)


def first_seen(connection: Connection, ids: Iterable[int]) -> dict[int, int | None]:
    """The earliest time anything of these people is dated; None for those of whom nothing is."""
    return dict(FIRST_SEEN.rows(connection, listed(ids)))


def names(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """What people go by: the user id, else the anonymous id, else a contact; of several the oldest. One statement."""
    wanted = list(ids)
    best: dict[int, tuple[int, int, str]] = {}
    for person, kind, linked_at, value in NAMES.rows(connection, listed(wanted)):
        one = (KINDS.index(kind), linked_at, value)
        best[person] = min(one, best.get(person, one))
    return {person: best[person][2] if person in best else "" for person in wanted}


def find(connection: Connection, workspace: int, text: str) -> int | None:
    """The person with this user id, else anonymous id, contact, or public id (a ULID, also of a merged person)."""
    found = FIND.row(connection, workspace, text)
    return by_public_id(connection, workspace, text) if found is None else int(found[0])


def by_public_id(connection: Connection, workspace: int, text: str) -> int | None:
    """The person whose public id ``text`` spells, as a ULID with any prefix or as a UUID; a merged one's, too."""
    public_id = _public_id(text)
    return None if public_id is None else by_id(connection, workspace, public_id)


def by_id(connection: Connection, workspace: int, public_id: bytes) -> int | None:
    """The person with a public id, or that person who that one turned out to be."""
    found = BY_PUBLIC_ID.row(connection, workspace, public_id)
    return None if found is None else int(found[0])


def public_ids(connection: Connection, ids: Iterable[int]) -> dict[int, bytes]:
    """The public ids of people. One statement."""
    return dict(PUBLIC_IDS.rows(connection, listed(ids)))


def by_age(connection: Connection, ids: Iterable[int]) -> dict[int, list[Key]]:
    """All ids of people, the oldest first. One statement."""
    found: dict[int, list[tuple[int, str, str]]] = {person: [] for person in ids}
    for person, kind, linked_at, value in NAMES.rows(connection, listed(found)):
        found[person].append((linked_at, value, kind))
    return {person: [(kind, value) for _, value, kind in sorted(known)] for person, known in found.items()}


def identifiers(connection: Connection, person: int) -> list[Key]:
    """A person's ids, user ids first, then by age."""
    return [(kind, value) for kind, value, _ in links(connection, person)]


def links(connection: Connection, person: int) -> list[tuple[str, str, int]]:
    """A person's ids as :func:`identifiers` gives them, and since when they are theirs."""
    return [(kind, value, at) for kind, value, at in IDENTIFIERS.rows(connection, person)]


def _public_id(text: str) -> bytes | None:
    try:
        return UUID(text).bytes if _UUID.fullmatch(text) else ULID.from_str(text.rpartition("_")[2].upper()).bytes
    except ValueError:
        return None
