"""How many people rules act on: by the hour, and in a stretch of time one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import outbox, rule_hours

_of_rule = (rule_hours.c.workspace_id == bound("workspace"), rule_hours.c.rule == bound("of_rule"))
HOURS = Prepared(
    select(rule_hours.c.hour, rule_hours.c.acted).where(*_of_rule, rule_hours.c.hour >= bound("first")),
    "workspace", "of_rule", "first",
)  # fmt: skip
ADD = Prepared(
    rule_hours.update()
    .where(*_of_rule, rule_hours.c.hour == bound("at_hour"))
    .values(acted=rule_hours.c.acted + bound("more")),
    "workspace", "of_rule", "at_hour", "more",
)  # fmt: skip
_exempt = batch("exempt", name=str)
_earlier = outbox.alias("earlier")


def _counts(holder: FromClause) -> ColumnElement[bool]:
    """What a channel took up, and is not exempt. What is carried out at once, such as ``set``, has no channel."""
    return and_(holder.c.channel.is_not(None), holder.c.name.not_in(select(_exempt["name"])))


_before = exists().where(
    _earlier.c.person_id == outbox.c.person_id,
    _earlier.c.left_at <= bound("after"),
    _earlier.c.journey_id == outbox.c.journey_id,
    _counts(_earlier),
)
PEOPLE = Prepared(
    select(outbox.c.person_id)
    .distinct()
    .where(outbox.c.rule == bound("of_rule"), outbox.c.left_at > bound("after"), _counts(outbox), ~_before),
    "of_rule", "after", "exempt",
)  # fmt: skip
FORGET = Prepared(rule_hours.delete().where(rule_hours.c.hour < bound("first")), "first")
_INSERT = inserting(rule_hours, "workspace_id", "rule", "hour", "acted")


def hours(connection: Connection, workspace: int, rule: int, first: int) -> dict[int, int]:
    """How many journeys of a rule acted for the first time, by the hour since 1970, from ``first`` on."""
    return dict(HOURS.rows(connection, workspace, rule, first))


def add(connection: Connection, workspace: int, hour: int, acted: Mapping[int, int]) -> None:
    """So many more acted, by rule."""
    for rule, more in acted.items():
        if not ADD.run(connection, workspace, rule, hour, more):
            _INSERT.many(connection, [(workspace, rule, hour, more)])


def people(connection: Connection, rule: int, after: int, exempt: Iterable[str] = ()) -> set[int]:
    """Whom journeys of a rule acted on after a moment, microseconds UTC, for the first time each.

    Actions of the names that are ``exempt`` are none.
    """
    return {person for (person,) in PEOPLE.rows(connection, rule, after, listed(exempt))}


def forget(connection: Connection, first: int) -> int:
    """Drop what was counted before an hour, in all workspaces; gives how much."""
    return FORGET.run(connection, first)
