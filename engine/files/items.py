"""Numbered lines of a file to the events and identifies that they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.errors import InputFileError, RefusedError
from engine.files.csv_rows import read_csv
from engine.files.json_lines import read_json_lines
from engine.files.lines import NumberedLine
from engine.files.reading import ALL_FIELDS, IDS, Kind, Reading, Shape, near
from engine.files.translate import Notes, Translator
from engine.strict_json import shown

Item = dict[str, Any] | RefusedError | None
"""What a record says, what is wrong with it, or None for one that a preset leaves out."""


def read_items(lines: Iterator[NumberedLine], kind: Kind, reading: Reading, notes: Notes) -> Iterator[tuple[int, Item]]:
    """Yield the item of each record, with the number of the line it begins on. ``notes`` is added to on the way.

    Raises :class:`~engine.errors.InputFileError` for a CSV file whose columns are not those of any event.
    """
    if kind == "jsonl" and reading.is_plain:
        yield from read_json_lines(lines)
        return
    translator = Translator(reading, kind, notes)
    records = read_csv(lines, _column_check(reading)) if kind == "csv" else read_json_lines(lines)
    for number, record in records:
        yield number, record if isinstance(record, RefusedError) else translator.item(record)


def _column_check(reading: Reading) -> Callable[[Sequence[str]], None]:
    shapes = reading.shapes_of("csv")

    def check(columns: Sequence[str]) -> None:
        for column in (*reading.map.values(), *reading.text, *reading.number):
            if not _has(columns, column):
                fields = [field for field, mapped in reading.map.items() if mapped == column]
                purpose = f" for {fields[0]}" if fields else ""
                names = ", ".join(shown(name) for name in columns)
                advice = near(column, columns).removeprefix("; ") or f"the columns are {names}"
                raise InputFileError(f"line 1: no column '{column}'{purpose}; {advice}")
        twice = next((field for field in reading.map if field in columns and reading.map[field] != field), None)
        if twice is not None and not reading.shapes:
            raise InputFileError(f"line 1: two columns are '{twice}'; rename one of them")
        missing: list[list[str]] = [_missing(shape, columns) for shape in shapes if shape.kind != "skip"]
        if all(missing):
            found = ", ".join(shown(name) for name in columns[:20]) or "nothing"
            absent = ", ".join(_nearest(missing, reading))
            reason = f"line 1 must name the columns, and has none for {absent}; it has: {found}"
            raise InputFileError(
                f"{reason}. Columns of other names can be mapped, as in --map timestamp=Date, and a field can be "
                "the same in all rows, as in --constant event=order_paid"
            )

    return check


def _nearest(missing: Sequence[list[str]], reading: Reading) -> list[str]:
    """Return what is missing of the shape that fits best; without a preset, of an event."""
    return sorted(missing, key=len)[0] if reading.shapes else missing[-1]


def _missing(shape: Shape, columns: Sequence[str]) -> list[str]:
    """Return the fields that no record of a shape can have under these columns."""
    has = {field for field in ALL_FIELDS if field in shape.constants or _has_one(columns, shape.paths.get(field, ()))}
    needed = [] if shape.kind == "identify" else [name for name in ("event", "timestamp") if name not in has]
    if not has.intersection(IDS[:3]):
        needed.append("user_id, anonymous_id or contact_id")
    needed += [path for path, wanted in shape.when.items() if wanted is not False and not _has(columns, path)]
    return needed


def _has_one(columns: Sequence[str], paths: Sequence[str]) -> bool:
    return any(_has(columns, path) for path in paths)


def _has(columns: Sequence[str], path: str) -> bool:
    return path in columns or path.split(".", 1)[0] in columns
