"""What is counted and leaves no journey: absorbed triggers, missing fields, and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import counters as _counters

NO_RULE: Final = 0
"""What stands for the rule where a counter is of none."""

_key = (
    _counters.c.workspace_id == bound("workspace"),
    _counters.c.rule == bound("of_rule"),
    _counters.c.name == bound("called"),
)
_ADD = Prepared(
    _counters.update().where(*_key).values(value=_counters.c.value + bound("more")),
    "workspace", "of_rule", "called", "more",
)  # fmt: skip
_INSERT = inserting(_counters, "workspace_id", "rule", "name", "value")
ALL = Prepared(
    select(_counters.c.rule, _counters.c.name, _counters.c.value).where(_counters.c.workspace_id == bound("workspace")),
    "workspace",
)


def count(connection: Connection, workspace: int, notes: Mapping[tuple[int, str], int]) -> None:
    """Add to the counters of (rule, name). Three statements, however many there are."""
    if not notes:
        return
    known = counters(connection, workspace)
    rows = [(workspace, rule, name, more) for (rule, name), more in notes.items()]
    _INSERT.many(connection, [row for row in rows if row[1:3] not in known])
    _ADD.many(connection, [row for row in rows if row[1:3] in known])


def counters(connection: Connection, workspace: int) -> dict[tuple[int, str], int]:
    """Every counter, by (rule, name)."""
    return {(rule, name): value for rule, name, value in ALL.rows(connection, workspace)}
