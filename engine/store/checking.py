"""Whether a store's file is sound: its pages, its references, its tables, and figures that have to agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from engine.store import expected, sqlite

MOST: Final = 20
"""Findings of one check that are told."""

_AGREEMENTS: Final = {
    "{n} events of people who are not there": (
        "SELECT count(*) FROM events AS one LEFT JOIN people ON people.id = one.person_id WHERE people.id IS NULL"
    ),
    "{n} events of a type that is not there": (
        "SELECT count(*) FROM events AS one LEFT JOIN event_types ON event_types.id = one.type_id "
        "WHERE event_types.id IS NULL"
    ),
    "{n} people merged into somebody who is not there": (
        "SELECT count(*) FROM people AS one LEFT JOIN people AS other ON other.id = one.merged_into "
        "WHERE one.merged_into IS NOT NULL AND other.id IS NULL"
    ),
    "{n} journeys of a rule that is not there": (
        "SELECT count(*) FROM journeys AS one LEFT JOIN rules ON rules.id = one.rule WHERE rules.id IS NULL"
    ),
    "{n} actions of a rule that is not there": (
        "SELECT count(*) FROM outbox AS one LEFT JOIN rules ON rules.id = one.rule WHERE rules.id IS NULL"
    ),
}
"""Counts that are nothing in a sound store, and what is wrong where they are not."""


def pages(connection: Connection, *, deep: bool) -> list[str]:
    """Find what is wrong with pages and rows; ``deep`` compares every index with its table too."""
    return _guarded(partial(_told, connection, f"PRAGMA {'integrity' if deep else 'quick'}_check({MOST})"))


def contents(connection: Connection) -> list[str]:
    """Find references that lead nowhere, and counts that do not agree."""
    return _guarded(lambda: [*_broken(connection), *_disagreements(connection)])


def deep(connection: Connection) -> Iterator[str]:
    """Find all that is wrong with a copy; reads the whole file."""
    found = pages(connection, deep=True) or expected.differences(connection) or contents(connection)
    yield from found


def counts(connection: Connection) -> dict[str, int]:
    """Count the rows of every table."""
    names = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return {name: _number(connection, f'SELECT count(*) FROM "{name}"') for (name,) in names.fetchall()}


def _guarded(check: Callable[[], list[str]]) -> list[str]:
    """A file may be too damaged for the check itself."""
    try:
        return check()
    except DatabaseError as error:
        if not sqlite.is_damage(error):
            raise
        return [str(error.orig)]


def _broken(connection: Connection) -> Iterator[str]:
    for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST):
        yield f"a row of '{table}' refers to a row of '{parent}' that is not there"


def _disagreements(connection: Connection) -> Iterator[str]:
    for told, statement in _AGREEMENTS.items():
        if number := _number(connection, statement):
            yield told.format(n=f"{number:,}")


def _told(connection: Connection, pragma: str) -> list[str]:
    found = [str(row[0]) for row in connection.exec_driver_sql(pragma)]
    return [] if found == ["ok"] else found


def _number(connection: Connection, statement: str) -> int:
    found: Any = connection.exec_driver_sql(statement).scalar_one()
    return int(found)
