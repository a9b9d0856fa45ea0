"""CSV: a header that names the columns, then one event a row."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import InputFileError, RefusedError
from engine.files.lines import NumberedLine
from engine.strict_json import parse_json, shown

FIELDS: Final = ("event", "user_id", "anonymous_id", "contact_id", "timestamp", "message_id")
"""Columns that are fields of the event. ``properties`` is a JSON object; every other column is a property."""

_JSON_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false").fullmatch
_DELIMITERS: Final = ",;\t"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which cell of a row goes where."""

    width: int
    fields: tuple[tuple[int, str], ...]
    properties: tuple[tuple[int, str], ...]
    packed: int | None
    """The column that holds properties as JSON."""


class _Feed:
    """Hands text lines to the CSV reader and remembers their numbers, and what was wrong with them."""

    def __init__(self, lines: Iterable[NumberedLine]) -> None:
        self._lines = lines
        self._refused: RefusedError | None = None
        self.first = 0
        """The number of the first line of the row that is being read; 0 before there is one."""
        self.last = 0
        """That of its last line so far."""

    def __iter__(self) -> Iterator[str]:
        for number, text in self._lines:
            self.first = self.first or number
            self.last = number
            if isinstance(text, RefusedError):
                self._refused = text
                yield ""
            else:
                yield text

    def take_refused(self) -> RefusedError | None:
        """What was wrong with the lines since the last call."""
        refused, self._refused = self._refused, None
        return refused


def read_csv(
    lines: Iterator[NumberedLine], mapping: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, Any] | RefusedError]]:
    """The event of each row that is not blank, with the number of the line it begins on.

    Columns are separated by commas, or by semicolons or tabs if the header is. ``mapping`` says which column
    is which field. Cells of properties that read as a JSON number or boolean are that; empty cells are absent.

    Raises :class:`~engine.errors.InputFileError` if the header names no usable columns.
    """
    _, header = next(lines, (1, ""))
    if isinstance(header, RefusedError):
        raise InputFileError(f"line 1: {header.reason}")
    delimiter = max(_DELIMITERS, key=header.count)
    columns = _columns([name.strip() for name in _header_cells(header, delimiter)], mapping)
    feed = _Feed(lines)
    rows = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.first = 0
        try:
            row: list[str] | None = next(rows, None)
            refused = feed.take_refused()
        except csv.Error as error:
            row, refused = [], feed.take_refused() or _bad_csv(error, feed.first, feed.last)
        if refused is not None:
            yield feed.first, refused
        elif row:
            yield feed.first, _event(row, columns)
        if row is None:
            return


def _header_cells(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise InputFileError(f"line 1: the header is not valid CSV: {error}") from None


def _columns(header: Sequence[str], mapping: Mapping[str, str]) -> _Columns:
    for field, column in mapping.items():
        if column not in header:
            raise InputFileError(f"line 1: no column '{column}' for {field}; {_near(column, header)}")
    renamed = set(mapping.values())
    targets = [(header.index(column), field) for field, column in mapping.items()]
    targets += [(place, name) for place, name in enumerate(header) if name not in renamed]
    names = [name for _, name in targets]
    _check_names(header, names)
    return _Columns(
        width=len(header),
        fields=tuple((place, name) for place, name in targets if name in FIELDS),
        properties=tuple((place, name) for place, name in targets if name not in FIELDS and name != "properties"),
        packed=next((place for place, name in targets if name == "properties"), None),
    )


def _check_names(header: Sequence[str], names: list[str]) -> None:
    absent = [name for name in ("event", "timestamp") if name not in names]
    if not {"user_id", "anonymous_id", "contact_id"}.intersection(names):
        absent.append("user_id, anonymous_id or contact_id")
    if absent:
        found = ", ".join(shown(name) for name in header[:20]) or "nothing"
        reason = f"line 1 must name the columns, and has none for {', '.join(absent)}; it has: {found}"
        raise InputFileError(f"{reason}. Columns of other names can be mapped, as in --map timestamp=Date")
    if "" in header:
        raise InputFileError(f"line 1: column {header.index('') + 1} has no name; name it or take it out")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or len(set(header)) < len(header):
        twice = twice or next(name for name in header if header.count(name) > 1)
        raise InputFileError(f"line 1: two columns are '{shown(twice)}'; rename one of them")


def _near(column: str, header: Sequence[str]) -> str:
    close = difflib.get_close_matches(column, header, 1)
    return f"did you mean '{close[0]}'?" if close else f"the columns are {', '.join(shown(name) for name in header)}"


def _event(row: list[str], columns: _Columns) -> dict[str, Any] | RefusedError:
    if len(row) != columns.width:
        reason = f"the row has {len(row)} cells, the header {columns.width}; quote cells that hold separators"
        return RefusedError("bad_row", reason)
    item: dict[str, Any] = {name: row[place] for place, name in columns.fields if row[place]}
    properties = {name: _value(row[place]) for place, name in columns.properties if row[place]}
    if columns.packed is not None and row[columns.packed]:
        try:
            packed = parse_json(row[columns.packed])
        except RefusedError as refused:
            return RefusedError(refused.code, f"column properties: {refused.reason}", "properties")
        if not isinstance(packed, dict):
            item["properties"] = packed
            return item
        both = next((name for name in properties if name in packed), None)
        if both is not None:
            reason = f"'{shown(both)}' is a column and stands in properties too; keep one of them"
            return RefusedError("bad_row", reason, f"properties.{shown(both)}")
        properties |= packed
    if properties:
        item["properties"] = properties
    return item


def _value(cell: str) -> Any:
    return parse_json(cell) if _JSON_SCALAR(cell) else cell


def _bad_csv(error: csv.Error, first: int, last: int) -> RefusedError:
    where = f"lines {first} to {last} are" if last > first else "the row is"
    return RefusedError(
        "bad_row", f"{where} not valid CSV: {error}; look for a quote that is not closed or not doubled"
    )
