"""What a pause keeps back: nothing of the rule is due or leaves, and what touches it late is set aside."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, select

from engine.store.journeys import rouse
from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import outbox, people
from engine.store.schema import set_aside as _aside
from engine.store.watches import rouse_watches

Touched = tuple[int, int, int, int]
"""A person and a rule, by their rows; the earliest instant; 1 when the person has become one with another."""

_workspace = bound("workspace")
_reason: ColumnElement[str] = literal_column("'paused'")
HOLD = Prepared(
    outbox.update()
    .where(
        outbox.c.workspace_id == _workspace,
        outbox.c.status == literal_column("'pending'"),
        outbox.c.rule == bound("of_rule"),
    )
    .values(status=literal_column("'held'"), reason=_reason, ready_at=None),
    "workspace", "of_rule",
)  # fmt: skip
RELEASE = Prepared(
    outbox.update()
    .where(
        outbox.c.workspace_id == _workspace,
        outbox.c.status == literal_column("'held'"),
        outbox.c.rule == bound("of_rule"),
        outbox.c.reason == _reason,
    )
    .values(status=literal_column("'pending'"), reason=None, ready_at=outbox.c.due_at),
    "workspace", "of_rule",
)  # fmt: skip

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
    select(_person, func.min(_aside.c.since), func.max(_aside.c.merged))
    .select_from(_aside)
    .join(people, people.c.id == _aside.c.person_id)
    .where(_aside.c.workspace_id == _workspace, _aside.c.rule == bound("rule"))
    .group_by(_person),
    "workspace", "rule",
)  # fmt: skip
FORGET = Prepared(
    _aside.delete().where(_aside.c.workspace_id == _workspace, _aside.c.rule == bound("of_rule")),
    "workspace", "of_rule",
)  # fmt: skip


def rest(connection: Connection, workspace: int, rule: int) -> None:
    """Have nothing of a rule fall due or leave. An action that left already is tried again as usual."""
    rouse(connection, workspace, rule, None)
    rouse_watches(connection, rule, None)
    HOLD.run(connection, workspace, rule)


def go_on(connection: Connection, workspace: int, rule: int, at: int) -> None:
    """Have every journey and watch of a rule looked at from ``at`` on, and its actions leave again."""
    rouse(connection, workspace, rule, at)
    rouse_watches(connection, rule, at)
    RELEASE.run(connection, workspace, rule)


def set_aside(connection: Connection, workspace: int, touched: Iterable[Touched]) -> None:
    """Keep what has touched people under paused rules, each pair once. A constant number of statements."""
    rows = list(touched)
    if not rows:
        return
    known = {
        (person, rule): (since, merged)
        for person, rule, since, merged in KNOWN.rows(connection, workspace, listed(row[:2] for row in rows))
    }
    _ADD.many(connection, [(workspace, *row) for row in rows if row[:2] not in known])
    lowered = []
    for person, rule, since, merged in rows:
        if (person, rule) in known:
            before = known[person, rule]
            lowered.append((workspace, person, rule, min(since, before[0]), max(merged, before[1])))
    _LOWER.many(connection, lowered)


def taken_up(connection: Connection, workspace: int, rule: int) -> list[tuple[int, int, int]]:
    """What was set aside under a rule, by the person everybody is now, and no more: person, since, merged."""
    found = [(person, since, merged) for person, since, merged in OF_RULE.rows(connection, workspace, rule)]
    forget(connection, workspace, rule)
    return found


def forget(connection: Connection, workspace: int, rule: int) -> None:
    """Drop what was set aside under a rule."""
    FORGET.run(connection, workspace, rule)
