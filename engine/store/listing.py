"""Journeys and actions for those who look: newest first, page by page, of a person, of a rule, or of all."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, literal_column, select

from engine.store.prepared import Prepared, bound
from engine.store.rows import JourneyRow, OutboxRow
from engine.store.schema import journeys, outbox


def _pages(table: Table, fields: tuple[str, ...]) -> dict[tuple[bool, bool], Prepared]:
    """One statement for each choice of filters, so that each goes by its own index."""
    return {
        (person, rule): _page(table, fields, person, rule) for person, rule in product((False, True), (False, True))
    }


def _page(table: Table, fields: tuple[str, ...], of_person: bool, of_rule: bool) -> Prepared:
    own = table.c.workspace_id + literal_column("0") == bound("workspace")  # no index that begins with it is meant
    wanted: Select[Any] = select(table.c.id).where(own, table.c.id < bound("before"))
    names = ["workspace", "before"]
    if of_person:
        wanted = wanted.where(table.c.person_id == bound("person"))
        names.append("person")
    if of_rule:
        wanted = wanted.where(table.c.rule == bound("of_rule"))
        names.append("of_rule")
    found = wanted.order_by(table.c.id.desc()).limit(bound("limit"))
    return Prepared(
        select(*(table.c[one] for one in fields)).where(table.c.id.in_(found)).order_by(table.c.id.desc()),
        *names,
        "limit",
    )


JOURNEYS: Final = _pages(journeys, JourneyRow._fields)
ACTIONS: Final = _pages(outbox, OutboxRow._fields)


def journey_page(
    connection: Connection, workspace: int, *, person: int | None, rule: int | None, before: int, limit: int
) -> list[JourneyRow]:
    """Journeys older than the row ``before``, newest first. One statement."""
    statement = JOURNEYS[person is not None, rule is not None]
    return list(map(JourneyRow._make, statement.rows(connection, *_values(workspace, person, rule, before, limit))))


def action_page(
    connection: Connection, workspace: int, *, person: int | None, rule: int | None, before: int, limit: int
) -> list[OutboxRow]:
    """Actions decided before the row ``before``, newest first. One statement."""
    statement = ACTIONS[person is not None, rule is not None]
    return list(map(OutboxRow._make, statement.rows(connection, *_values(workspace, person, rule, before, limit))))


def _values(workspace: int, person: int | None, rule: int | None, before: int, limit: int) -> list[int]:
    given = [workspace, before, person, rule, limit]
    return [one for one in given if one is not None]
