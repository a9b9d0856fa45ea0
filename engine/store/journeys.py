"""Journeys: those of a person and rule, those that are due, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, and_, case, distinct, func, literal_column, or_, select, union_all

from engine.store import faults as set_aside
from engine.store.prepared import Prepared, batch, bound, inserting, listed, paired, pairs, updating
from engine.store.prepared import next_id as _next_id
from engine.store.rows import ActedRow, JourneyRow, Tally, WatchRow
from engine.store.schema import faults, journeys, rules, watches
from engine.store.watches import load_watches

Pair = tuple[int, int]
"""A person's row and a rule's row."""

NEVER: Final = -(2**63)
"""Before every moment there is."""

_columns = [journeys.c[one] for one in JourneyRow._fields]
_workspace, _limit = bound("workspace"), bound("limit")
_since = batch("pairs", person=int, rule=int, since=int)
_of_pair = and_(journeys.c.person_id == _since["person"], journeys.c.rule == _since["rule"])
_waits = journeys.c.ended_at.is_(None)

LOAD = Prepared(
    union_all(
        select(*_columns).select_from(_since.joined(journeys, and_(_of_pair, _waits))),
        select(*_columns).select_from(_since.joined(journeys, and_(_of_pair, journeys.c.ended_at >= _since["since"]))),
    ),
    "pairs",
)

_earliest = bound("earliest")
_asked = pairs("asked", "person", "rule")
_under_asked = and_(journeys.c.person_id == _asked["person"], journeys.c.rule == _asked["rule"])
_who = (journeys.c.person_id, journeys.c.rule)
DECIDED_SINCE = Prepared(
    union_all(
        select(*_who, journeys.c.decided_at)
        .select_from(_asked.joined(journeys, and_(_under_asked, _waits, journeys.c.decided_at >= _earliest))),
        select(*_who, journeys.c.ended_at)
        .select_from(_asked.joined(journeys, and_(_under_asked, journeys.c.ended_at >= _earliest))),
        select(watches.c.person_id, watches.c.rule, case((watches.c.due_at.is_not(None), watches.c.followed)))
        .select_from(_asked.joined(
            watches,
            and_(
                watches.c.workspace_id == _workspace,
                watches.c.person_id == _asked["person"],
                watches.c.rule == _asked["rule"],
                or_(watches.c.followed >= _earliest, watches.c.due_at.is_(None)),
            ),
        )),
    ),
    "workspace", "earliest", "asked",
)  # fmt: skip
"""Until when pairs are decided, none: for ever; of those that are beyond the earliest moment asked for."""

_ids = batch("ids", id=int)
BY_ID = Prepared(select(*_columns).select_from(_ids.joined(journeys, journeys.c.id == _ids["id"])), "ids")
_INSERT = inserting(journeys, *JourneyRow._fields)
_UPDATE = updating(journeys, *JourneyRow._fields)
DELETE = Prepared(journeys.delete().where(journeys.c.id.in_(select(_ids["id"]))), "ids")

_after = bound("after")
DUE = Prepared(
    select(journeys.c.person_id, journeys.c.rule, journeys.c.due_at)
    .where(journeys.c.workspace_id == _workspace, journeys.c.due_at > _after, journeys.c.due_at <= bound("until"))
    .order_by(journeys.c.due_at, journeys.c.person_id, journeys.c.id)
    .limit(_limit),
    "workspace", "after", "until", "limit",
)  # fmt: skip
WATCHES_DUE = Prepared(
    select(watches.c.person_id, watches.c.rule, watches.c.due_at)
    .where(watches.c.workspace_id == _workspace, watches.c.due_at > _after, watches.c.due_at <= bound("until"))
    .order_by(watches.c.due_at, watches.c.person_id, watches.c.id)
    .limit(_limit),
    "workspace", "after", "until", "limit",
)  # fmt: skip
DUE_OF_PAIRS = Prepared(
    select(*_who)
    .distinct()
    .select_from(_asked.joined(journeys, and_(_under_asked, _waits, journeys.c.due_at <= bound("until")))),
    "asked", "until",
)  # fmt: skip
NEXT = Prepared(
    union_all(
        *(
            select(func.min(one.c.due_at)).where(one.c.workspace_id == _workspace, one.c.due_at.is_not(None))
            for one in (journeys, watches)
        ),
        select(func.min(faults.c.next_at)).where(
            faults.c.workspace_id == _workspace,
            faults.c.next_at.is_not(None),
            faults.c.action == literal_column(str(set_aside.DECISIONS)),
        ),
    ),
    "workspace",
)

_pairs = batch("pairs", person=int, rule=int)
ACTED = Prepared(
    select(*(journeys.c[one] for one in ActedRow._fields))
    .select_from(
        _pairs.joined(journeys, and_(journeys.c.person_id == _pairs["person"], journeys.c.rule == _pairs["rule"]))
    )
    .where(journeys.c.acted_at.is_not(None)),
    "pairs",
)
ACTED_TIMES = Prepared(
    select(journeys.c.acted_at).where(journeys.c.rule == bound("rule"), journeys.c.acted_at > bound("after")),
    "rule", "after",
)  # fmt: skip

_has_acted = journeys.c.acted_at.is_not(None)
_is_held_out = journeys.c.held_out == literal_column("1")
TALLY = Prepared(
    select(
        journeys.c.rule,
        func.count(),
        func.count(journeys.c.acted_at),
        func.count(journeys.c.ended_at) - func.count(case((_has_acted, journeys.c.ended_at))),
        func.count(case((and_(_waits, ~_has_acted), journeys.c.id))),
        func.count(distinct(case((_has_acted, journeys.c.person_id)))),
        func.sum(journeys.c.held_out),
        func.count(journeys.c.goal_at),
        func.count(case((journeys.c.reason == literal_column("'exit'"), journeys.c.id))),
        func.count(case((_is_held_out, journeys.c.acted_at))),
        func.count(case((_is_held_out, journeys.c.goal_at))),
    )
    .select_from(rules)
    .join(journeys, journeys.c.rule == rules.c.id)
    .where(rules.c.workspace_id == _workspace)
    .group_by(journeys.c.rule),
    "workspace",
)
OF_PERSON = Prepared(
    select(*_columns).where(journeys.c.person_id == bound("person")).order_by(journeys.c.start, journeys.c.id),
    "person",
)

_next_people = (
    select(journeys.c.person_id)
    .distinct()
    .where(journeys.c.person_id > bound("after"), journeys.c.workspace_id == _workspace, _waits)
    .order_by(journeys.c.person_id)
    .limit(_limit)
)
WAITING = Prepared(
    select(*_who)
    .distinct()
    .where(journeys.c.person_id.in_(_next_people), _waits)
    .order_by(journeys.c.person_id, journeys.c.rule),
    "workspace", "after", "limit",
)  # fmt: skip


def load(connection: Connection, pairs: Iterable[tuple[int, int, int]]) -> list[JourneyRow]:
    """The journeys of (person, rule, since): those that wait, and those that ended at or after ``since``."""
    return list(map(JourneyRow._make, LOAD.rows(connection, listed(pairs))))


def by_id(connection: Connection, ids: Iterable[int]) -> list[JourneyRow]:
    """Journeys by their rows."""
    return list(map(JourneyRow._make, BY_ID.rows(connection, listed(ids))))


def decided_since(connection: Connection, workspace: int, asked: Mapping[Pair, int]) -> set[Pair]:
    """Those of the pairs under which anything was decided at or after their moment. One statement."""
    if not asked:
        return set()
    found = DECIDED_SINCE.rows(connection, workspace, min(asked.values()), paired(asked))
    return {(person, rule) for person, rule, until in found if until is None or until >= asked[person, rule]}


def next_id(connection: Connection) -> int:
    """The row the next new journey gets."""
    return _next_id(connection, journeys)


def insert(connection: Connection, rows: Iterable[JourneyRow]) -> None:
    """Add journeys, under the rows they name."""
    _INSERT.many(connection, rows)


def update(connection: Connection, rows: Iterable[JourneyRow]) -> None:
    """Write journeys anew, by their rows."""
    _UPDATE.many(connection, rows)


def delete(connection: Connection, ids: Iterable[int]) -> None:
    """Remove journeys that, decided again, never were."""
    wanted = list(ids)
    if wanted:
        DELETE.run(connection, listed(wanted))


def due(connection: Connection, workspace: int, until: int, limit: int) -> list[Pair]:
    """Pairs due at or before ``until``: by a journey, a watch, or to be tried again; the oldest first (due, person)."""
    retries = set_aside.due(connection, workspace, until, limit)
    return _oldest([*_due(connection, workspace, NEVER, until, limit), *retries], limit)


def due_after(connection: Connection, workspace: int, after: int, until: int, limit: int) -> list[Pair]:
    """Pairs that fell due later than ``after``, up to ``until``, by a journey or a watch; the oldest first."""
    return _oldest(_due(connection, workspace, after, until, limit), limit)


def _due(connection: Connection, workspace: int, after: int, until: int, limit: int) -> list[Any]:
    journeys_due = DUE.rows(connection, workspace, after, until, limit)
    return [*journeys_due, *WATCHES_DUE.rows(connection, workspace, after, until, limit)]


def _oldest(rows: list[Any], limit: int) -> list[Pair]:
    """The pairs of the first ``limit`` rows of person, rule and due moment."""
    rows.sort(key=lambda row: (row[2], row[0]))
    return list(dict.fromkeys((person, rule) for person, rule, _ in rows[:limit]))


def due_of_pairs(connection: Connection, workspace: int, asked: Collection[Pair], until: int) -> set[Pair]:
    """Those of the pairs that are due at or before ``until``, by a journey or a watch."""
    if not asked:
        return set()
    noted = load_watches(connection, workspace, asked)
    waiting = DUE_OF_PAIRS.rows(connection, paired(asked), until)
    return {(row.person_id, row.rule) for row in noted if _is_due(row, until)} | {
        (person, rule) for person, rule in waiting
    }


def _is_due(row: WatchRow, until: int) -> bool:
    return row.due_at is not None and row.due_at <= until


def next_due(connection: Connection, workspace: int) -> int | None:
    """The earliest due moment of a journey or watch, or of a pair to be tried again."""
    return min((at for (at,) in NEXT.rows(connection, workspace) if at is not None), default=None)


def acted(connection: Connection, pairs: Iterable[Pair]) -> list[ActedRow]:
    """The journeys of the pairs that have acted."""
    return list(map(ActedRow._make, ACTED.rows(connection, listed(pairs))))


def acted_times(connection: Connection, rule: int, after: int) -> list[int]:
    """When journeys of a rule acted, whoever's, later than ``after``; in order."""
    return [at for (at,) in ACTED_TIMES.rows(connection, rule, after)]


def tally(connection: Connection, workspace: int) -> dict[int, Tally]:
    """What became of the journeys of each rule that has any. Reads them all."""
    return {row[0]: Tally(*row[1:]) for row in TALLY.rows(connection, workspace)}


def of_person(connection: Connection, person: int) -> list[JourneyRow]:
    """All journeys of a person, by start."""
    return list(map(JourneyRow._make, OF_PERSON.rows(connection, person)))


def waiting(connection: Connection, workspace: int, after: int, limit: int) -> list[Pair]:
    """The pairs under which a journey waits, of the next ``limit`` people behind the row ``after``."""
    return [(person, rule) for person, rule in WAITING.rows(connection, workspace, after, limit)]
