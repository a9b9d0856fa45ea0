"""Watches: when to look at a person next under a rule that starts by itself, or has triggers to work through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, literal_column, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed, paired, pairs, updating
from engine.store.rows import WatchRow
from engine.store.schema import people, watches

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

_known = watches.alias("known")
_unwatched = ~(
    select(_known.c.id)
    .where(_known.c.workspace_id == _workspace, _known.c.person_id == people.c.id, _known.c.rule == bound("rule"))
    .exists()
)
_everybody = select(
    people.c.workspace_id, bound("rule"), people.c.id, bound("due"), literal_column("-1"), literal_column("''")
).where(
    people.c.workspace_id == _workspace,
    people.c.merged_into.is_(None),
    people.c.erased_at.is_(None),
    people.c.first_seen.is_not(None),
    _unwatched,
)
SEED = Prepared(
    watches.insert().from_select(["workspace_id", "rule", "person_id", "due_at", "followed", "state"], _everybody),
    "workspace", "rule", "due",
)  # fmt: skip
FORGET = Prepared(watches.delete().where(watches.c.rule == bound("rule")), "rule")
ROUSE = Prepared(
    watches.update()
    .where(watches.c.rule == bound("of_rule"))
    .values(due_at=bound("due")),
    "of_rule", "due",
)  # fmt: skip


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


def seed_watches(connection: Connection, workspace: int, rule: int, due: int) -> None:
    """Watch everybody seen so far under a rule from ``due`` on, whoever was watched already included."""
    ROUSE.run(connection, rule, due)
    SEED.run(connection, workspace, rule, due)


def forget_watches(connection: Connection, rule: int) -> None:
    """Nobody stands under a rule any more."""
    FORGET.run(connection, rule)


def rouse_watches(connection: Connection, rule: int, at: int | None) -> int:
    """Make every watch of a rule due at ``at``, as after a pause, or never; gives how many."""
    return ROUSE.run(connection, rule, at)
