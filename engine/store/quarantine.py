"""What was refused and is kept all the same, to be looked at and tried again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed, updating
from engine.store.schema import quarantine


class QuarantineRow(NamedTuple):
    """An item as it came, and why it was refused. ``id`` is the store's to give; the ids are those it named itself."""

    id: int
    public_id: bytes
    received_at: int
    source: str
    code: str
    reason: str
    field: str | None
    event: str | None
    user_id: str | None
    anonymous_id: str | None
    contact_id: str | None
    previous_id: str | None
    body: str


_workspace, _limit = bound("workspace"), bound("limit")
_columns = [quarantine.c[one] for one in QuarantineRow._fields]
_own = quarantine.c.workspace_id == _workspace
_INSERT = inserting(quarantine, "workspace_id", *QuarantineRow._fields[1:], "size")
_REFUSE = updating(quarantine, "id", "code", "reason", "field")
_newest = select(quarantine.c.id).where(_own, quarantine.c.id < bound("behind")).order_by(quarantine.c.id.desc())
PAGE = Prepared(
    select(*_columns).where(quarantine.c.id.in_(_newest.limit(_limit))).order_by(quarantine.c.id.desc()),
    "workspace", "behind", "limit",
)  # fmt: skip
TOTAL = Prepared(select(func.count(), func.coalesce(func.sum(quarantine.c.size), 0)).where(_own), "workspace")
_oldest = select(quarantine.c.id).where(_own).order_by(quarantine.c.id).limit(_limit)
DROP_OLDEST = Prepared(quarantine.delete().where(quarantine.c.id.in_(_oldest)), "workspace", "limit")
SIZES = Prepared(select(quarantine.c.size).where(_own).order_by(quarantine.c.id), "workspace")
_ids = batch("ids", id=int)
DELETE = Prepared(quarantine.delete().where(quarantine.c.id.in_(select(_ids["id"]))), "ids")
ROWS_OF = Prepared(select(quarantine.c.public_id, quarantine.c.id).where(_own), "workspace")
BY_ID = Prepared(select(*_columns).select_from(_ids.joined(quarantine, quarantine.c.id == _ids["id"])), "ids")
NAMED = Prepared(
    select(
        quarantine.c.id,
        quarantine.c.user_id,
        quarantine.c.anonymous_id,
        quarantine.c.contact_id,
        quarantine.c.previous_id,
    ).where(_own),
    "workspace",
)


def add(connection: Connection, workspace: int, rows: Sequence[QuarantineRow], most: int, most_bytes: int) -> int:
    """Keep items, ``most`` of a workspace with ``most_bytes`` in all: the oldest go. Return how many went."""
    fitting = len(rows) - _first_to_go([_size(row) for row in rows], most, most_bytes)
    kept = rows[len(rows) - fitting :]
    _INSERT.many(connection, [(workspace, *row[1:], _size(row)) for row in kept])
    number, size = _totals(connection, workspace)
    beyond = 0
    if number > most or size > most_bytes:
        beyond = _first_to_go([size for (size,) in SIZES.rows(connection, workspace)], most, most_bytes)
        DROP_OLDEST.run(connection, workspace, beyond)
    return beyond + len(rows) - fitting


def _size(row: QuarantineRow) -> int:
    return len(row.body.encode())


def _first_to_go(sizes: Sequence[int], most: int, most_bytes: int) -> int:
    """How many of the first must go so that the rest are no more than ``most``, and no larger than ``most_bytes``."""
    going, total = max(len(sizes) - most, 0), sum(sizes)
    total -= sum(sizes[:going])
    while total > most_bytes:
        total -= sizes[going]
        going += 1
    return going


def page(connection: Connection, workspace: int, behind: int, limit: int) -> list[QuarantineRow]:
    """Items kept before the row ``behind``, newest first."""
    return list(map(QuarantineRow._make, PAGE.rows(connection, workspace, behind, limit)))


def total(connection: Connection, workspace: int) -> int:
    """How many there are."""
    return _totals(connection, workspace)[0]


def _totals(connection: Connection, workspace: int) -> tuple[int, int]:
    """How many there are, and how many bytes they have."""
    row = TOTAL.row(connection, workspace)
    assert row is not None
    return int(row[0]), int(row[1])


def by_public_id(connection: Connection, workspace: int, ids: Iterable[bytes]) -> list[QuarantineRow]:
    """Those of the ids that are there, in the order in which they were kept."""
    wanted = set(ids)
    rows = [row for public_id, row in ROWS_OF.rows(connection, workspace) if public_id in wanted]
    return by_row(connection, rows)


def by_row(connection: Connection, rows: Iterable[int]) -> list[QuarantineRow]:
    """Items by their rows, in the order in which they were kept."""
    return sorted(map(QuarantineRow._make, BY_ID.rows(connection, listed(rows))))


def named(connection: Connection, workspace: int) -> list[tuple[int, list[tuple[str, str]]]]:
    """The rows of all items, and the ids of people that each of them names."""
    return [(row, _keys(*ids)) for row, *ids in NAMED.rows(connection, workspace)]


def names(row: QuarantineRow) -> list[tuple[str, str]]:
    """The ids of people that an item names."""
    return _keys(row.user_id, row.anonymous_id, row.contact_id, row.previous_id)


def _keys(user: str | None, anonymous: str | None, contact: str | None, previous: str | None) -> list[tuple[str, str]]:
    """A previous id may be a user's or an anonymous one."""
    ids = (("user", user), ("anonymous", anonymous), ("contact", contact), ("user", previous), ("anonymous", previous))
    return [(kind, id) for kind, id in ids if id]


def refuse(connection: Connection, rows: Iterable[QuarantineRow]) -> None:
    """Write anew why items are refused."""
    _REFUSE.many(connection, [(row.id, row.code, row.reason, row.field) for row in rows])


def delete(connection: Connection, rows: Iterable[int]) -> int:
    """Let items go; gives how many."""
    return DELETE.run(connection, listed(rows))
