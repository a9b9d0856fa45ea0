"""Journeys that wait on other versions of their rule than the live one."""

from __future__ import annotations

from sqlalchemy import Connection, literal_column, select

from engine.store.prepared import Prepared, bound
from engine.store.rows import JourneyRow
from engine.store.schema import journeys

# The sum keeps SQLite from sorting all journeys of the rule for each page of them.
OTHERS = Prepared(
    select(*(journeys.c[one] for one in JourneyRow._fields))
    .where(
        journeys.c.workspace_id == bound("workspace"),
        journeys.c.rule + literal_column("0") == bound("rule"),
        journeys.c.version != bound("version"),
        journeys.c.ended_at.is_(None),
        journeys.c.id > bound("after"),
    )
    .order_by(journeys.c.id)
    .limit(bound("limit")),
    "workspace", "rule", "version", "after", "limit",
)  # fmt: skip


def waiting_on_others(
    connection: Connection, workspace: int, rule: int, version: str, after: int, limit: int
) -> list[JourneyRow]:
    """The next ``limit`` of them behind the row ``after``; reads all journeys once, by their rows."""
    return list(map(JourneyRow._make, OTHERS.rows(connection, workspace, rule, version, after, limit)))
