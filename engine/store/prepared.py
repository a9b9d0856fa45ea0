"""Statements that are compiled once and run on the driver.

They are SQLAlchemy Core, so the schema checks their names and each database gets its own text; but they are
compiled once, at first use or before a process first writes to a file, and then handed to the driver with plain
tuples. A batch of one event runs some fifteen statements: at 2 microseconds each instead of 17, and an executemany
without a dictionary for each row.

A batch is handed to a statement as *one* value, a JSON list that :func:`batch` turns into rows, so that a
statement's text never depends on how many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final
from weakref import WeakSet

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromClause, Join
from sqlalchemy.types import TypeEngine

Row = tuple[Any, ...]
Arranged = Callable[[Sequence[Any]], Sequence[Any]]

TOGETHER: Final = (500, 25, 1)
"""How many rows an insert takes at once. Of any table's columns, 500 are within what every SQLite binds, 32,766."""


class Unfolded(FunctionElement[Any]):
    """A JSON list as rows with one column, ``value``. Each dialect's file says how."""

    name = "unfolded"
    inherit_cache = True


class Keyed(FunctionElement[Any]):
    """A JSON object as rows with two columns, ``key`` (text) and ``value``. Each dialect's file says how."""

    name = "keyed"
    inherit_cache = True


class Item(ColumnElement[Any]):
    """The item at ``position`` of a JSON list; each dialect's file says how."""

    inherit_cache = False

    def __init__(self, value: ColumnElement[Any], position: int, type_: TypeEngine[Any]) -> None:
        self.value = value
        self.position = position
        self.type = type_


class RowByRow(Join):
    """A join that takes the rows of its left side one by one.

    Left to itself, SQLite without statistics takes ``workspace_id = ?`` for a rare find, and walks a whole table
    of the one workspace there is. Each dialect's file says how to keep it from that.
    """

    inherit_cache = True


class Batch:
    """The rows of a batch inside a statement; ``rows`` goes into FROM, ``batch["name"]`` is a column."""

    def __init__(self, rows: FromClause, columns: dict[str, ColumnElement[Any]]) -> None:
        self.rows = rows
        self._columns = columns

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self._columns[name]

    def joined(self, table: FromClause, condition: ColumnElement[bool]) -> RowByRow:
        """For FROM: each row of the batch with the rows of the table it finds."""
        return RowByRow(self.rows, table, condition)


def batch(name: str, /, **columns: type[int] | type[str]) -> Batch:
    """A batch bound as ``name``: a list of scalars for one column, a list of lists for several."""
    kinds: dict[str, TypeEngine[Any]] = {one: Integer() if kind is int else Text() for one, kind in columns.items()}
    first = next(iter(kinds.values()))
    rows = Unfolded(bindparam(name, type_=Text)).table_valued(column("value", first if len(kinds) == 1 else Text()))
    alias = rows.alias(name)
    value = alias.c.value
    if len(kinds) == 1:
        return Batch(alias, dict.fromkeys(kinds, value))
    return Batch(alias, {one: Item(value, place, kind) for place, (one, kind) in enumerate(kinds.items())})


def pairs(name: str, first: str, second: str) -> Batch:
    """A batch of pairs of integers bound as ``name``, to what :func:`paired` makes of them.

    For pairs of which few ``second`` ones stand with many ``first`` ones: each is one plain value for the database, at
    half the price of a list of two.
    """
    groups = Keyed(bindparam(name, type_=Text)).table_valued(column("key", Text), column("value", Text))
    by_second = groups.alias(f"{name}_by_{second}")
    members = Unfolded(by_second.c.value).table_valued(column("value", Integer)).alias(name)
    return Batch(
        RowByRow(by_second, members, true()),
        {first: members.c.value, second: cast(by_second.c.key, Integer)},
    )


def bound(name: str) -> BindParameter[Any]:
    """A value given when the statement runs."""
    return bindparam(name)


def listed(values: Iterable[object]) -> str:
    """The text a batch is bound to."""
    return orjson.dumps(list(values)).decode()


def paired(values: Iterable[tuple[int, int]]) -> str:
    """The text a batch of :func:`pairs` is bound to."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for first, second in values:
        groups[second].append(first)
    return orjson.dumps(groups, option=orjson.OPT_NON_STR_KEYS).decode()


_EVERY: Final[WeakSet[Prepared]] = WeakSet()


class Prepared:
    """A statement and the order in which its values are given."""

    __slots__ = ("__weakref__", "_order", "_statement", "_texts")

    def __init__(self, statement: ClauseElement, *order: str) -> None:
        _EVERY.add(self)
        self._statement = statement
        self._order = order
        self._texts: dict[str, tuple[str, Arranged]] = {}

    def rows(self, connection: Connection, *values: object) -> list[Row]:
        """What the statement gives."""
        return self._run(connection, values).fetchall()  # type: ignore[no-any-return]

    def row(self, connection: Connection, *values: object) -> Row | None:
        """The first row it gives."""
        return self._run(connection, values).fetchone()  # type: ignore[no-any-return]

    def run(self, connection: Connection, *values: object) -> int:
        """How many rows it changed."""
        return self._run(connection, values).rowcount  # type: ignore[no-any-return]

    def many(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Run it for each row of values."""
        text, arranged = self.text(connection)
        _driver(connection).executemany(text, rows if arranged is _as_is else [arranged(row) for row in rows])

    def text(self, connection: Connection) -> tuple[str, Arranged]:
        """Its text on this database, and what brings values into the order of its marks."""
        name = connection.dialect.name
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = self._compiled(connection)
        return found

    def _run(self, connection: Connection, values: Sequence[object]) -> Any:
        text, arranged = self.text(connection)
        return _driver(connection).execute(text, arranged(values))

    def _compiled(self, connection: Connection) -> tuple[str, Arranged]:
        compiled: Any = self._statement.compile(dialect=connection.dialect)
        marks: list[str] = list(compiled.positiontup)
        constants = {mark: compiled.params[mark] for mark in marks if mark not in self._order}
        if set(marks) - constants.keys() != set(self._order) or any(compiled.binds[one].required for one in constants):
            raise TypeError(f"the statement binds {marks}, its order names {list(self._order)}")
        if marks == list(self._order):
            return str(compiled), _as_is
        places = [self._order.index(mark) if mark in self._order else -1 for mark in marks]
        return str(compiled), partial(_arranged, places, [constants.get(mark) for mark in marks])


class Inserting(Prepared):
    """An insert of one row, which takes many of them hundreds at a time.

    A row a statement costs a quarter more. Worse, the driver lets go of Python's lock for each statement: with every
    row the writer would wait in line behind the threads that check what comes next.
    """

    __slots__ = ()

    def many(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Insert all rows: at most one run of the driver for each of :data:`TOGETHER`."""
        text, arranged = self.text(connection)
        before, values, marks = text.rpartition(" VALUES ")
        rest = list(rows if arranged is _as_is else map(arranged, rows))
        for size in TOGETHER:
            whole = len(rest) - len(rest) % size
            if whole:
                wide = before + values + ", ".join([marks] * size)
                _driver(connection).executemany(wide, _joined(rest[:whole], size))
                rest = rest[whole:]


def compile_all(connection: Connection, tables: Iterable[Table]) -> None:
    """Compile the statements of all modules that are loaded, and those of :func:`next_id` for ``tables``.

    So nobody waits for it in a transaction.
    """
    for table in tables:
        if "id" in table.c:
            _next(table)
    for one in tuple(_EVERY):
        one.text(connection)


def inserting(table: Table, *columns: str) -> Inserting:
    """An insert of rows whose values come in the order of ``columns``."""
    return Inserting(insert(table).values({one: bound(one) for one in columns}), *columns)


def updating(table: Table, *columns: str) -> Prepared:
    """Write rows anew by their ``id``; values come in the order of ``columns``, ``id`` being the first."""
    new = {one: bound(f"new_{one}") for one in columns[1:]}
    return Prepared(
        update(table).where(table.c.id == bound("row")).values(new), "row", *(f"new_{one}" for one in columns[1:])
    )


def next_id(connection: Connection, table: Table) -> int:
    """The next integer key of a table; only for the holder of the write lock."""
    row = _next(table).row(connection)
    assert row is not None
    return int(row[0]) + 1


def _next(table: Table) -> Prepared:
    found = _NEXT.get(table.name)
    if found is None:
        found = _NEXT[table.name] = Prepared(select(func.coalesce(func.max(table.c.id), literal_column("0"))))
    return found


_NEXT: dict[str, Prepared] = {}


def _arranged(places: Sequence[int], constants: Sequence[Any], values: Sequence[Any]) -> Sequence[Any]:
    """Values where the statement's marks want them, and its own constants between."""
    return [constants[mark] if place < 0 else values[place] for mark, place in enumerate(places)]


def _joined(rows: Sequence[Sequence[Any]], size: int) -> Iterator[list[Any]]:
    """The values of ``size`` rows after one another."""
    for start in range(0, len(rows), size):
        yield list(chain.from_iterable(rows[start : start + size]))


def _as_is(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _driver(connection: Connection) -> Any:
    """The driver's connection, inside a transaction."""
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.driver_connection
