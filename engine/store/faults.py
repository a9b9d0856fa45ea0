"""Pairs of person and rule that are set aside because deciding them, or taking one of their actions on, failed.

A row is one pair's decisions (``action`` is 0) or one action of it, by its row in the outbox. A pair whose decisions
are set aside stands in no index of due moments but the one here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, distinct, func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import LapseError
from engine.store.prepared import Prepared, batch, bound, inserting, listed, paired, pairs
from engine.store.schema import faults, journeys, outbox, rules, watches

Pair = tuple[int, int]
"""A person's row and a rule's row."""

DECISIONS: Final = 0
"""What stands for the action where it is the pair's decisions that failed."""

SYSTEMIC: Final = (LapseError, MemoryError, OSError, SQLAlchemyError, sqlite3.Error)
"""Errors of the store, the process or the settings: nobody's own."""


class FaultRow(NamedTuple):
    """What is set aside. Moments are microseconds UTC; ``next_at`` is None while the rule is paused.

    ``version`` is the digest of the rule's version, ``error`` its kind and place, without its text. ``since`` is the
    earliest instant of what has not been decided, ``merged`` 1 when the person has become one with another.
    """

    rule: int
    person_id: int
    action: int
    version: str
    stage: str
    error: str
    since: int
    merged: int
    failed_at: int
    tries: int
    next_at: int | None


_workspace, _rule = bound("workspace"), bound("of_rule")
_columns = [faults.c[one] for one in FaultRow._fields]
_decisions = faults.c.action == literal_column(str(DECISIONS))
_pairs = pairs("pairs", "person", "rule")
ANY = Prepared(select(faults.c.rule).where(faults.c.workspace_id == _workspace).limit(literal_column("1")), "workspace")
OF_PAIRS = Prepared(
    select(*_columns).select_from(
        _pairs.joined(
            faults,
            and_(
                faults.c.workspace_id == _workspace,
                faults.c.rule == _pairs["rule"],
                faults.c.person_id == _pairs["person"],
            ),
        )
    ),
    "workspace", "pairs",
)  # fmt: skip
OF_WORKSPACE = Prepared(
    select(*_columns).where(faults.c.workspace_id == _workspace).order_by(faults.c.rule, faults.c.failed_at),
    "workspace",
)
DUE = Prepared(
    select(faults.c.person_id, faults.c.rule, faults.c.next_at)
    .where(faults.c.workspace_id == _workspace, faults.c.next_at <= bound("until"), _decisions)
    .order_by(faults.c.next_at, faults.c.person_id)
    .limit(bound("limit")),
    "workspace", "until", "limit",
)  # fmt: skip
PEOPLE = Prepared(
    select(func.count(distinct(faults.c.person_id))).where(
        faults.c.workspace_id == _workspace, faults.c.rule == _rule, faults.c.version == bound("of_version")
    ),
    "workspace", "of_rule", "of_version",
)  # fmt: skip
_INSERT = inserting(faults, "workspace_id", *FaultRow._fields)
_DELETE = Prepared(
    faults.delete().where(
        faults.c.workspace_id == _workspace,
        faults.c.rule == _rule,
        faults.c.person_id == bound("of_person"),
        faults.c.action == bound("of_action"),
    ),
    "workspace", "of_rule", "of_person", "of_action",
)  # fmt: skip
_ids = batch("ids", id=int)
FORGET_PEOPLE = Prepared(
    faults.delete().where(
        faults.c.workspace_id == _workspace,
        faults.c.rule.in_(select(rules.c.id).where(rules.c.workspace_id == _workspace)),
        faults.c.person_id.in_(select(_ids["id"])),
    ),
    "workspace", "ids",
)  # fmt: skip
FORGET_RULE = Prepared(
    faults.delete().where(faults.c.workspace_id == _workspace, faults.c.rule == _rule), "workspace", "of_rule"
)
ROUSE = Prepared(
    faults.update()
    .where(faults.c.workspace_id == _workspace, faults.c.rule == _rule, _decisions)
    .values(next_at=bound("new_next_at")),
    "workspace", "of_rule", "new_next_at",
)  # fmt: skip
_waits = outbox.c.status.in_([literal_column(f"'{one}'") for one in ("held", "pending", "sending", "failed")])
EXPIRE = Prepared(
    faults.delete().where(
        ~_decisions, ~select(outbox.c.id).where(outbox.c.id == faults.c.action, _waits).correlate(faults).exists()
    )
)
_of_pair = and_(journeys.c.person_id == bound("of_person"), journeys.c.rule == _rule)
REST_JOURNEYS = Prepared(
    journeys.update().where(_of_pair, journeys.c.ended_at.is_(None)).values(due_at=None), "of_person", "of_rule"
)
REST_WATCHES = Prepared(
    watches.update()
    .where(
        watches.c.workspace_id == _workspace, watches.c.person_id == bound("of_person"), watches.c.rule == _rule
    )
    .values(due_at=None),
    "workspace", "of_person", "of_rule",
)  # fmt: skip


def any_fault(connection: Connection, workspace: int) -> bool:
    """Return whether anything is set aside."""
    return ANY.row(connection, workspace) is not None


def of_pairs(connection: Connection, workspace: int, wanted: Iterable[Pair]) -> list[FaultRow]:
    """Return what is set aside of pairs, decisions and actions. One statement."""
    return list(map(FaultRow._make, OF_PAIRS.rows(connection, workspace, paired(wanted))))


def every(connection: Connection, workspace: int) -> list[FaultRow]:
    """Return all that is set aside, by rule, the longest first."""
    return list(map(FaultRow._make, OF_WORKSPACE.rows(connection, workspace)))


def due(connection: Connection, workspace: int, until: int, limit: int) -> list[tuple[int, int, int]]:
    """Return the pairs to try again at or before ``until``: person, rule, moment; the oldest first."""
    return [(person, rule, at) for person, rule, at in DUE.rows(connection, workspace, until, limit)]


def people(connection: Connection, workspace: int, rule: int, version: str) -> int:
    """Return how many people are set aside under a version of a rule."""
    row = PEOPLE.row(connection, workspace, rule, version)
    return 0 if row is None else int(row[0])


def save(connection: Connection, workspace: int, rows: Sequence[FaultRow]) -> None:
    """Write what is set aside, each pair or action once."""
    delete(connection, workspace, rows)
    _INSERT.many(connection, [(workspace, *row) for row in rows])


def delete(connection: Connection, workspace: int, rows: Iterable[FaultRow]) -> None:
    """Forget what is set aside no more."""
    _DELETE.many(connection, [(workspace, row.rule, row.person_id, row.action) for row in rows])


def rest(connection: Connection, workspace: int, wanted: Sequence[Pair]) -> None:
    """Take pairs out of the indexes of due journeys and watches."""
    REST_JOURNEYS.many(connection, wanted)
    REST_WATCHES.many(connection, [(workspace, *pair) for pair in wanted])


def rouse(connection: Connection, workspace: int, rule: int, at: int | None) -> None:
    """Have everybody set aside under a rule tried again at ``at``, or never."""
    ROUSE.run(connection, workspace, rule, at)


def forget_rule(connection: Connection, workspace: int, rule: int) -> None:
    """Set nobody aside under a rule any more."""
    FORGET_RULE.run(connection, workspace, rule)


def forget_people(connection: Connection, workspace: int, ids: Iterable[int]) -> None:
    """Set people aside no more."""
    FORGET_PEOPLE.run(connection, workspace, listed(ids))


def expire(connection: Connection) -> int:
    """Forget, in all workspaces, actions that wait no longer; gives how many."""
    return EXPIRE.run(connection)
