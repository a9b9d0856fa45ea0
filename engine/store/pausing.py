"""What is set aside: pairs of person and rule that are to be decided later, and since when something new is known."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, func, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import people
from engine.store.schema import set_aside as _aside

Touched = tuple[int, int, int, int]
"""A person and a rule, by their rows; the earliest instant; 1 when the person has become one with another."""

_workspace = bound("workspace")
_pairs = batch("pairs", person=int, rule=int)
KNOWN = Prepared(
    select(_aside.c.person_id, _aside.c.rule, _aside.c.since, _aside.c.merged).select_from(
        _pairs.joined(
            _aside,
            and_(
                _aside.c.workspace_id == _workspace,
                _aside.c.rule == _pairs["rule"],
                _aside.c.person_id == _pairs["person"],
            ),
        )
    ),
    "workspace", "pairs",
)  # fmt: skip
_ADD = inserting(_aside, "workspace_id", "person_id", "rule", "since", "merged")
_LOWER = Prepared(
    _aside.update()
    .where(
        _aside.c.workspace_id == _workspace,
        _aside.c.rule == bound("of_rule"),
        _aside.c.person_id == bound("of_person"),
    )
    .values(since=bound("new_since"), merged=bound("new_merged")),
    "workspace", "of_person", "of_rule", "new_since", "new_merged",
)  # fmt: skip
_person = func.coalesce(people.c.merged_into, people.c.id)
OF_RULE = Prepared(
    select(_aside.c.person_id, _person, _aside.c.since, _aside.c.merged)
    .select_from(_aside)
    .join(people, people.c.id == _aside.c.person_id)
    .where(_aside.c.workspace_id == _workspace, _aside.c.rule == bound("of_rule"))
    .order_by(_aside.c.person_id)
    .limit(bound("limit")),
    "workspace", "of_rule", "limit",
)  # fmt: skip
COUNT = Prepared(
    select(func.count())
    .select_from(_aside)
    .where(_aside.c.workspace_id == _workspace, _aside.c.rule == bound("of_rule")),
    "workspace", "of_rule",
)  # fmt: skip
FORGET = Prepared(
    _aside.delete().where(
        _aside.c.workspace_id == _workspace, _aside.c.rule == bound("of_rule"), _aside.c.person_id == bound("of_person")
    ),
    "workspace", "of_rule", "of_person",
)  # fmt: skip


def set_aside(connection: Connection, workspace: int, touched: Iterable[Touched]) -> None:
    """Keep what has touched people, each pair once. A constant number of statements."""
    rows = list(touched)
    if not rows:
        return
    asked = [row[:2] for row in rows]
    before_these = {(one, rule): (since, merged) for one, rule, since, merged in known(connection, workspace, asked)}
    _ADD.many(connection, [(workspace, *row) for row in rows if row[:2] not in before_these])
    lowered = []
    for person, rule, since, merged in rows:
        if (person, rule) in before_these:
            before = before_these[person, rule]
            lowered.append((workspace, person, rule, min(since, before[0]), max(merged, before[1])))
    _LOWER.many(connection, lowered)


def known(connection: Connection, workspace: int, wanted: Iterable[tuple[int, int]]) -> list[Touched]:
    """Return what is set aside of some pairs of person and rule. One statement."""
    found = KNOWN.rows(connection, workspace, listed(wanted))
    return [(person, rule, since, merged) for person, rule, since, merged in found]


def page(connection: Connection, workspace: int, rule: int, limit: int) -> list[tuple[int, int, int, int]]:
    """Return some of what is set aside under a rule: whose it was, who that is now, since, merged."""
    found = OF_RULE.rows(connection, workspace, rule, limit)
    return [(row, person, since, merged) for row, person, since, merged in found]


def forget(connection: Connection, workspace: int, taken: Iterable[tuple[int, int]]) -> None:
    """Drop what is set aside of pairs of person and rule."""
    FORGET.many(connection, [(workspace, rule, person) for person, rule in taken])


def count(connection: Connection, workspace: int, rule: int) -> int:
    """Return how many people are set aside under a rule."""
    row = COUNT.row(connection, workspace, rule)
    return 0 if row is None else int(row[0])
