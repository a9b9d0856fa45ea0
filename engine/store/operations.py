"""Operations over many rows that are under way: they have taken effect, and their pages follow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, literal_column, select

from engine.store.prepared import Prepared, batch, bound, inserting, next_id
from engine.store.schema import operations


class OperationRow(NamedTuple):
    """An operation. ``since`` and ``ready_at``: microseconds UTC. ``place`` and ``tally``: JSON."""

    id: int
    workspace_id: int
    kind: str
    subject: int
    since: int
    ready_at: int
    stage: int = 0
    place: str = "null"
    tally: str = "{}"

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of each kind it has changed so far."""
        found: dict[str, int] = json.loads(self.tally)
        return found

    def at(self, stage: int, place: object) -> OperationRow:
        """The operation as its next page begins."""
        return self._replace(stage=stage, place=json.dumps(place))

    def counted(self, more: Mapping[str, int]) -> OperationRow:
        """The operation after it has changed more rows."""
        counts = self.counts
        for name, number in more.items():
            counts[name] = counts.get(name, 0) + number
        return self._replace(tally=json.dumps(counts))


_columns = [operations.c[one] for one in OperationRow._fields]
_under_way = operations.c.ended_at.is_(None)
_workspace, _row = bound("workspace"), bound("row")
UNDER_WAY = Prepared(
    select(*_columns).where(operations.c.workspace_id == _workspace, _under_way).order_by(operations.c.id),
    "workspace",
)
READY = Prepared(
    select(*_columns)
    .where(operations.c.workspace_id == _workspace, _under_way, operations.c.ready_at <= bound("now"))
    .order_by(operations.c.id)
    .limit(literal_column("1")),
    "workspace", "now",
)  # fmt: skip
NEXT = Prepared(
    select(operations.c.ready_at)
    .where(operations.c.workspace_id == _workspace, _under_way)
    .order_by(operations.c.ready_at)
    .limit(literal_column("1")),
    "workspace",
)
BY_ID = Prepared(select(*_columns, operations.c.ended_at).where(operations.c.id == _row), "row")
SAVE = Prepared(
    operations.update()
    .where(operations.c.id == _row)
    .values({one: bound(f"new_{one}") for one in ("ready_at", "stage", "place", "tally")}),
    "row", "new_ready_at", "new_stage", "new_place", "new_tally",
)  # fmt: skip
END = Prepared(operations.update().where(operations.c.id == _row).values(ended_at=bound("end")), "row", "end")
_kinds = batch("kinds", kind=str)
SUPERSEDE = Prepared(
    operations.update()
    .where(
        operations.c.workspace_id == _workspace,
        _under_way,
        operations.c.subject == bound("of_subject"),
        operations.c.kind.in_(select(_kinds["kind"])),
    )
    .values(ended_at=bound("end")),
    "workspace", "of_subject", "kinds", "end",
)  # fmt: skip
FORGET = Prepared(operations.delete().where(operations.c.ended_at < bound("before")), "before")
_INSERT = inserting(operations, *OperationRow._fields)


def begin(
    connection: Connection, workspace: int, kind: str, subject: int, since: int, ready_at: int | None = None
) -> OperationRow:
    """Write down an operation that has taken effect at ``since``; its pages follow from ``ready_at`` on."""
    row = OperationRow(
        next_id(connection, operations), workspace, kind, subject, since, since if ready_at is None else ready_at
    )
    _INSERT.many(connection, [row])
    return row


def under_way(connection: Connection, workspace: int) -> tuple[OperationRow, ...]:
    """Return the operations of which pages are still to follow, in the order in which they began."""
    return tuple(map(OperationRow._make, UNDER_WAY.rows(connection, workspace)))


def ready(connection: Connection, workspace: int, now: int) -> OperationRow | None:
    """Return the first operation whose next page may be carried out."""
    row = READY.row(connection, workspace, now)
    return None if row is None else OperationRow._make(row)


def next_ready(connection: Connection, workspace: int) -> int | None:
    """Return the moment from which the next page may be carried out; nothing where none is to follow."""
    row = NEXT.row(connection, workspace)
    return None if row is None else int(row[0])


def by_id(connection: Connection, id: int) -> tuple[OperationRow, bool] | None:
    """Return an operation, and whether it has ended; nothing once that is long past."""
    row = BY_ID.row(connection, id)
    return None if row is None else (OperationRow._make(row[:-1]), row[-1] is not None)


def save(connection: Connection, row: OperationRow) -> None:
    """Write how far an operation has come."""
    SAVE.run(connection, row.id, row.ready_at, row.stage, row.place, row.tally)


def end(connection: Connection, row: OperationRow, now: int) -> None:
    """Write that the last page of an operation is done."""
    save(connection, row)
    END.run(connection, row.id, now)


def supersede(connection: Connection, workspace: int, subject: int, kinds: Iterable[str], now: int) -> int:
    """End the operations of some kinds on a subject: one that begins now does all of theirs over; gives how many."""
    return SUPERSEDE.run(connection, workspace, subject, json.dumps(list(kinds)), now)


def forget(connection: Connection, before: int) -> int:
    """Drop what has ended before a moment, in all workspaces; gives how many."""
    return FORGET.run(connection, before)


def place_of(row: OperationRow) -> Any:
    """Return behind what the next page begins; nothing at the beginning of a stage."""
    return json.loads(row.place)
