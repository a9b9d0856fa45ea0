"""Actions that were given up, taken up again by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, literal_column, select

from engine.store.listing import FILTERS, Wanted, filtered, newest, paired
from engine.store.outbox import ERASED
from engine.store.prepared import Prepared, batch, bound, listed
from engine.store.schema import outbox, people

STATES: Final = ("dead", "parked")
"""States in which an action is tried no more by itself, and can be taken up again."""


def _of_the_living(holder: FromClause) -> ColumnElement[bool]:
    """Whoever was erased has left empty actions behind, also such as were dead before."""
    gone = exists().where(people.c.id == holder.c.person_id, people.c.erased_at.is_not(None))
    return and_(holder.c.reason.is_distinct_from(literal_column(f"'{ERASED}'")), ~gone)


_keys, _states = batch("keys", key=str), batch("states", state=str)
_rules, _rows = batch("rules", rule=int), batch("rows", id=int)
PAGE: Final = Prepared(newest(_of_the_living), "workspace", "before", "pairs", *FILTERS, "limit")
OF_KEYS: Final = Prepared(
    select(outbox.c.id)
    .select_from(
        _keys.joined(outbox, and_(outbox.c.workspace_id == bound("workspace"), outbox.c.key == _keys["key"]))
    )
    .where(
        outbox.c.status.in_(select(_states["state"])),
        outbox.c.rule.in_(select(_rules["rule"])),
        filtered(outbox),
        _of_the_living(outbox),
    ),
    "workspace", "keys", "states", "rules", *FILTERS,
)  # fmt: skip
_taken_up: dict[str, Any] = {
    "status": literal_column("'failed'"),
    "reason": None,
    "due_at": bound("now"),
    "redriven_at": bound("now"),
    "ready_at": bound("now"),
}
TAKE_UP: Final = Prepared(outbox.update().where(outbox.c.id.in_(select(_rows["id"]))).values(_taken_up), "rows", "now")


def page(
    connection: Connection, workspace: int, every_rule: Iterable[int], wanted: Wanted, before: int, limit: int
) -> list[int]:
    """The rows of actions that can be taken up again, the newest first, behind the row ``before``. One statement."""
    pairs = paired(wanted, every_rule)
    found = PAGE.rows(connection, workspace, before, pairs, wanted.channel, wanted.name, limit)
    return [row for (row,) in found]


def of_keys(
    connection: Connection, workspace: int, every_rule: Iterable[int], wanted: Wanted, keys: Iterable[str]
) -> list[int]:
    """Of the actions of some keys the rows of those that can be taken up again. One statement."""
    states = listed(STATES if wanted.states is None else wanted.states)
    rules = listed(every_rule if wanted.rules is None else wanted.rules)
    found = OF_KEYS.rows(connection, workspace, listed(keys), states, rules, wanted.channel, wanted.name)
    return [row for (row,) in found]


def take_up(connection: Connection, rows: Iterable[int], now: int) -> int:
    """Have actions sent again from ``now`` on, as the same bytes under the same keys; gives how many."""
    return TAKE_UP.run(connection, listed(rows), now)
