"""What a store's tables should be, by its migrations, and where a file differs from that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, create_engine

from engine.store import migrations


class _Table(NamedTuple):
    """A table: its columns' declarations by name, whether it is STRICT, and whether it is WITHOUT ROWID."""

    columns: dict[str, tuple[Any, ...]]
    strict: bool
    keyed: bool


class _Schema(NamedTuple):
    """Tables by name; of each index, and of each trigger or view, the words of the statement that makes it."""

    tables: dict[str, _Table]
    others: dict[str, tuple[str, ...]]


def differences(connection: Connection) -> list[str]:
    """Name what in a store is not as its migrations make it: tables, columns, strictness, indexes."""
    found = _schema(connection)
    revision = migrations.revision(connection)
    if revision is None:
        return ["it has no tables of a store"]
    if not migrations.is_known(revision):
        return [f"its version '{revision}' is not known to this Lapse, which is older"]
    return list(_differences(found, _expected(revision)))


def _differences(found: _Schema, expected: _Schema) -> Iterator[str]:
    yield from _by_name("table", found.tables.keys(), expected.tables.keys())
    for name in sorted(found.tables.keys() & expected.tables.keys()):
        yield from _of_table(name, found.tables[name], expected.tables[name])
    yield from _by_name("index", found.others.keys(), expected.others.keys())
    for name in sorted(found.others.keys() & expected.others.keys()):
        if found.others[name] != expected.others[name]:
            yield f"the index '{name}' is another one"


def _of_table(name: str, found: _Table, expected: _Table) -> Iterator[str]:
    yield from _by_name("column", *({f"{name}.{one}" for one in table.columns} for table in (found, expected)))
    for column in sorted(found.columns.keys() & expected.columns.keys()):
        if found.columns[column] != expected.columns[column]:
            yield f"the column '{name}.{column}' is declared in another way"
    if found.strict != expected.strict:
        yield f"the table '{name}' is {'' if found.strict else 'not '}STRICT"
    if found.keyed != expected.keyed:
        yield f"the table '{name}' is {'' if found.keyed else 'not '}WITHOUT ROWID"


def _by_name(kind: str, found: Any, expected: Any) -> Iterator[str]:
    for name in sorted(expected - found):
        yield f"the {kind} '{name}' is missing"
    for name in sorted(found - expected):
        yield f"the {kind} '{name}' is none of Lapse's"


@cache
def _expected(revision: str) -> _Schema:
    """The schema that the migrations up to a revision make, looked up in a store in memory."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            migrations.upgrade_to(connection, revision)
            return _schema(connection)
    finally:
        engine.dispose()


def _schema(connection: Connection) -> _Schema:
    tables = {}
    for row in connection.exec_driver_sql("PRAGMA main.table_list"):
        _, name, kind, _, keyed, strict = row
        if kind == "table" and not name.startswith("sqlite_"):
            columns = connection.exec_driver_sql("SELECT * FROM pragma_table_xinfo(?)", (name,))
            tables[name] = _Table({one[1]: tuple(one[2:]) for one in columns}, bool(strict), bool(keyed))
    made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type != 'table' AND sql IS NOT NULL")
    return _Schema(tables, {name: tuple(re.findall(r"\w+|[^\w\s\"`\[\]]", text)) for name, text in made})
