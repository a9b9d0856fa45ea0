"""Watches: when to look at a person next under a rule that starts by itself, or has triggers to work through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed, paired, pairs, updating
from engine.store.rows import WatchRow
from engine.store.schema import watches

_workspace = bound("workspace")
_pairs = pairs("pairs", "person", "rule")
LOAD = Prepared(
    select(*(watches.c[one] for one in WatchRow._fields))
    .select_from(_pairs.joined(
        watches,
        and_(
            watches.c.workspace_id == _workspace,
            watches.c.person_id == _pairs["person"],
            watches.c.rule == _pairs["rule"],
        ),
    )),
    "workspace", "pairs",
)  # fmt: skip
_INSERT = inserting(watches, *WatchRow._fields[1:])
_UPDATE = updating(watches, *WatchRow._fields)
_ids = batch("ids", id=int)
OF_RULE = Prepared(
    select(watches.c.id, watches.c.person_id)
    .where(watches.c.rule == bound("rule"), watches.c.id > bound("after"))
    .order_by(watches.c.id)
    .limit(bound("limit")),
    "rule", "after", "limit",
)  # fmt: skip
DELETE = Prepared(watches.delete().where(watches.c.id.in_(select(_ids["id"]))), "ids")


def load_watches(connection: Connection, workspace: int, wanted: Iterable[tuple[int, int]]) -> list[WatchRow]:
    """The watches of (person, rule). One statement."""
    return list(map(WatchRow._make, LOAD.rows(connection, workspace, paired(wanted))))


def watches_of(connection: Connection, rule: int, after: int, limit: int) -> list[tuple[int, int]]:
    """The next ``limit`` watches under a rule behind the row ``after``: their rows and people."""
    return [(row, person) for row, person in OF_RULE.rows(connection, rule, after, limit)]


def save_watches(connection: Connection, rows: Sequence[WatchRow]) -> None:
    """Insert watches without a row of their own, write the others anew."""
    _INSERT.many(connection, [row[1:] for row in rows if not row.id])
    _UPDATE.many(connection, [row for row in rows if row.id])


def delete_watches(connection: Connection, ids: Iterable[int]) -> None:
    """Stop watching."""
    wanted = list(ids)
    if wanted:
        DELETE.run(connection, listed(wanted))
