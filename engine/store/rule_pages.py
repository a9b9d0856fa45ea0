"""What an operation on a rule changes, a page at a time: journeys that wait, watches, actions that have not left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from engine.store.prepared import Prepared, batch, bound, listed, paired, pairs
from engine.store.schema import journeys, outbox, people, watches

Place = tuple[str, int]
"""Where a page of waiting journeys ends: the version they wait on, and the last one's row."""

BEGINNING: Final[Place] = ("", 0)

_workspace, _limit = bound("workspace"), bound("limit")
_waits = journeys.c.ended_at.is_(None)
_of_rule = journeys.c.rule == bound("rule")
_ids = batch("ids", id=int)

WAITING = Prepared(
    select(journeys.c.id)
    .where(_of_rule, journeys.c.version == bound("version"), _waits, journeys.c.id > bound("after"))
    .order_by(journeys.c.id)
    .limit(_limit),
    "rule", "version", "after", "limit",
)  # fmt: skip
NEXT_VERSION = Prepared(
    select(func.min(journeys.c.version)).where(_of_rule, _waits, journeys.c.version > bound("version")),
    "rule", "version",
)  # fmt: skip
_asked = pairs("asked", "person", "rule")
OF_PAIRS = Prepared(
    select(journeys.c.id).select_from(
        _asked.joined(
            journeys, and_(journeys.c.person_id == _asked["person"], journeys.c.rule == _asked["rule"], _waits)
        )
    ),
    "asked",
)
ROUSE = Prepared(
    journeys.update().where(journeys.c.id.in_(select(_ids["id"])), _waits).values(due_at=bound("due")), "ids", "due"
)
END = Prepared(
    journeys.update()
    .where(journeys.c.id.in_(select(_ids["id"])), _waits)
    .values(ended_at=bound("end"), reason=bound("why"), due_at=None),
    "ids", "end", "why",
)  # fmt: skip

ROUSE_WATCHES = Prepared(
    watches.update().where(watches.c.id.in_(select(_ids["id"]))).values(due_at=bound("due")), "ids", "due"
)
WATCHABLE = Prepared(
    select(people.c.id)
    .where(
        people.c.id > bound("after"),
        people.c.workspace_id + literal_column("0") == _workspace,  # by row, not by an index that has no order of rows
        people.c.merged_into.is_(None),
        people.c.erased_at.is_(None),
        people.c.first_seen.is_not(None),
    )
    .order_by(people.c.id)
    .limit(_limit),
    "after", "workspace", "limit",
)  # fmt: skip


def _actions(*states: str, more: Sequence[ColumnElement[bool]] = ()) -> Prepared:
    """A page of actions of a rule in one of some states; those that were changed are no longer in it."""
    found = outbox.c.status.in_([literal_column(f"'{state}'") for state in states])
    of_rule = (outbox.c.workspace_id == _workspace, found, outbox.c.rule == bound("of_rule"), *more)
    return Prepared(select(outbox.c.id).where(*of_rule).limit(_limit), "workspace", "of_rule", "limit")


_paused: ColumnElement[str] = literal_column("'paused'")
TO_HOLD = _actions("pending")
TO_RELEASE = _actions("held", more=(outbox.c.reason == _paused,))
TO_WITHDRAW = _actions("held", "pending")


def _changing(*order: str, **values: Any) -> Prepared:
    return Prepared(outbox.update().where(outbox.c.id.in_(select(_ids["id"]))).values(values), "ids", *order)


HOLD = _changing(status=literal_column("'held'"), reason=_paused, ready_at=None)
RELEASE = _changing(status=literal_column("'pending'"), reason=None, ready_at=outbox.c.due_at)
WITHDRAW = _changing("why", status=literal_column("'cancelled'"), reason=bound("why"), ready_at=None)


def waiting(
    connection: Connection, rule: int, after: Place, limit: int, *, but: str = ""
) -> tuple[list[int], Place | None]:
    """Return the rows of the next journeys that wait under a rule, and the place behind them; nothing at the end.

    Goes from version to version, leaving out ``but``, so that each page is read from where the last one ended.
    """
    found: list[int] = []
    version, row = after
    while True:
        if version != but:
            found += [id for (id,) in WAITING.rows(connection, rule, version, row, limit - len(found))]
        if len(found) == limit:
            return found, (version, found[-1])
        following = NEXT_VERSION.row(connection, rule, version)
        if following is None or following[0] is None:
            return found, None
        version, row = following[0], 0


def of_pairs(connection: Connection, wanted: Iterable[tuple[int, int]]) -> list[int]:
    """Return the rows of the journeys that wait under pairs of person and rule."""
    return [id for (id,) in OF_PAIRS.rows(connection, paired(wanted))]


def rouse(connection: Connection, ids: Sequence[int], at: int | None) -> int:
    """Have journeys that wait looked at from ``at`` on, or never; gives how many."""
    return ROUSE.run(connection, listed(ids), at) if ids else 0


def end(connection: Connection, ids: Sequence[int], at: int, reason: str) -> int:
    """End journeys that wait; gives how many."""
    return END.run(connection, listed(ids), at, reason) if ids else 0


def rouse_watches(connection: Connection, ids: Sequence[int], at: int | None) -> int:
    """Have people looked at from ``at`` on, or never, by the rows of their watches; gives how many."""
    return ROUSE_WATCHES.run(connection, listed(ids), at) if ids else 0


def watchable(connection: Connection, workspace: int, after: int, limit: int) -> list[int]:
    """Return the next people behind the row ``after`` who stand under a rule that starts by itself."""
    return [id for (id,) in WATCHABLE.rows(connection, after, workspace, limit)]


def hold(connection: Connection, workspace: int, rule: int, limit: int) -> int:
    """Hold back up to ``limit`` actions of a rule that no sender has taken up; gives how many."""
    ids = [id for (id,) in TO_HOLD.rows(connection, workspace, rule, limit)]
    return HOLD.run(connection, listed(ids)) if ids else 0


def release(connection: Connection, workspace: int, rule: int, limit: int) -> int:
    """Let up to ``limit`` actions leave that a pause held back; gives how many."""
    ids = [id for (id,) in TO_RELEASE.rows(connection, workspace, rule, limit)]
    return RELEASE.run(connection, listed(ids)) if ids else 0


def withdraw(connection: Connection, workspace: int, rule: int, reason: str, limit: int) -> int:
    """Cancel up to ``limit`` actions of a rule that no sender has taken up; gives how many."""
    ids = [id for (id,) in TO_WITHDRAW.rows(connection, workspace, rule, limit)]
    return WITHDRAW.run(connection, listed(ids), reason) if ids else 0
