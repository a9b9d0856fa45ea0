"""How many people rules act on: by the hour, and in a stretch of time one by one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, literal_column, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import journeys, rule_hours

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
PEOPLE = Prepared(
    select(journeys.c.person_id).where(
        journeys.c.rule == bound("of_rule"),
        journeys.c.acted_at > bound("after"),
        journeys.c.held_out == literal_column("0"),
    ),
    "of_rule", "after",
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


def people(connection: Connection, rule: int, after: int) -> set[int]:
    """Whom journeys of a rule acted on after a moment, microseconds UTC, for the first time each."""
    return {person for (person,) in PEOPLE.rows(connection, rule, after)}


def forget(connection: Connection, first: int) -> int:
    """Drop what was counted before an hour, in all workspaces; gives how much."""
    return FORGET.run(connection, first)
