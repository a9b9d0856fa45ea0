"""CSV: a header that names the columns, then one record a row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from engine.errors import InputFileError, RefusedError
from engine.files.lines import NumberedLine
from engine.strict_json import shown

_DELIMITERS: Final = ",;\t"

Record = dict[str, str]
"""A row: by column, its cell where that is not empty."""


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
    lines: Iterator[NumberedLine], check: Callable[[Sequence[str]], None]
) -> Iterator[tuple[int, Record | RefusedError]]:
    """Yield each row that is not blank as a record, with the number of the line it begins on.

    Columns are separated by commas, or by semicolons or tabs if the header is. ``check`` is told the names of the
    columns and raises :class:`~engine.errors.InputFileError` for a file that holds no events.

    Raises InputFileError for a header that is not one.
    """
    _, header = next(lines, (1, ""))
    if isinstance(header, RefusedError):
        raise InputFileError(f"line 1: {header.reason}")
    delimiter = max(_DELIMITERS, key=header.count)
    columns = [name.strip() for name in _header_cells(header, delimiter)]
    check(columns)
    _check_names(columns)
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
            yield feed.first, _record(row, columns)
        if row is None:
            return


def _header_cells(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise InputFileError(f"line 1: the header is not valid CSV: {error}") from None


def _check_names(columns: Sequence[str]) -> None:
    if "" in columns:
        raise InputFileError(f"line 1: column {columns.index('') + 1} has no name; name it or take it out")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputFileError(f"line 1: two columns are '{shown(twice)}'; rename one of them")


def _record(row: list[str], columns: Sequence[str]) -> Record | RefusedError:
    if len(row) != len(columns):
        reason = f"the row has {len(row)} cells, the header {len(columns)}; quote cells that hold separators"
        return RefusedError("bad_row", reason)
    return {column: cell for column, cell in zip(columns, row, strict=True) if cell}


def _bad_csv(error: csv.Error, first: int, last: int) -> RefusedError:
    where = f"lines {first} to {last} are" if last > first else "the row is"
    return RefusedError(
        "bad_row", f"{where} not valid CSV: {error}; look for a quote that is not closed or not doubled"
    )
