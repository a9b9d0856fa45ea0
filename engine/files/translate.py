"""A record of a file to the event or identify that it is, by a :class:`~engine.files.reading.Reading`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from engine.clock import iso
from engine.errors import RefusedError
from engine.files.cells import Cells
from engine.files.reading import BODIES, IDS, Kind, Reading, Shape, Unknown
from engine.iso8601 import read_iso
from engine.strict_json import parse_json, shown
from engine.timestamps import parse_local

_MISSING: Final = object()
_DIGITS = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII).fullmatch
_UNIX = re.compile(r"[0-9]{10}(?:[0-9]{3}|[0-9]{6})?(?:\.[0-9]+)?", re.ASCII).fullmatch
_WORDS = re.compile(r"[^0-9A-Za-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EMPTY: Final = (None, "")

Record = Mapping[str, Any]


class Notes:
    """What was done to the records of a file that its owner may not expect."""

    def __init__(self) -> None:
        self.skipped = 0
        """Records that the preset leaves out."""
        self.trimmed: dict[str, int] = {}
        """By field, how many cells had blanks around a name or an id."""
        self.commas: dict[str, int] = {}
        """By column, how many cells such as ``12,50`` stayed text."""


class Translator:
    """Turns the records of one file into items for the validator."""

    def __init__(self, reading: Reading, kind: Kind, notes: Notes) -> None:
        self._reading = reading
        self._shapes = [(shape, shape.paths) for shape in reading.shapes_of(kind)]
        self._notes = notes
        self._heads = {
            path.split(".", 1)[0]
            for shape, paths in self._shapes
            for path in (
                *shape.when,
                *shape.body,
                *shape.extra.values(),
                *(one for many in paths.values() for one in many),
            )
            if "." in path
        }
        self._cells = Cells(reading, notes.commas) if kind == "csv" else None

    def item(self, record: Record) -> dict[str, Any] | RefusedError | None:
        """Return the item of a record, what is wrong with it, or None for one that is left out."""
        record = self._unpacked(record)
        shape, paths = next(((shape, paths) for shape, paths in self._shapes if _fits(shape, record)), (None, {}))
        if shape is None:
            keys = ", ".join(shown(str(key)) for key in list(record)[:10])
            return RefusedError("unknown_shape", f"no shape of the preset fits a record with the keys {keys}")
        if shape.kind == "skip":
            self._notes.skipped += 1
            return None
        try:
            return self._translate(shape, paths, record)
        except RefusedError as refused:
            return refused

    def _unpacked(self, record: Record) -> Record:
        """Return a record with the objects that paths lead into, where they are JSON text, as objects."""
        packed = {key: record[key] for key in self._heads if _is_object_text(record.get(key))}
        if not packed:
            return record
        unpacked: dict[str, Any] = {}
        for key, text in packed.items():
            try:
                unpacked[key] = parse_json(text)
            except RefusedError:
                continue  # where it is a body, its reader says what is wrong with it
        return {**record, **unpacked}

    def _translate(self, shape: Shape, paths: Mapping[str, Sequence[str]], record: Record) -> dict[str, Any]:
        item: dict[str, Any] = {}
        taken: set[str] = set()
        for field, candidates in paths.items():
            path, value = _first(record, candidates)
            if path is not None:
                taken.add(path)
                item[field] = value
        for field, value in shape.constants.items():
            item.setdefault(field, value)
        if shape.kind == "identify":
            item["type"] = "identify"
        self._finish_fields(item)
        self._add_body(item, shape, record, taken)
        return item

    def _finish_fields(self, item: dict[str, Any]) -> None:
        for field in ("event", *IDS):
            value = item.get(field)
            if isinstance(value, int) and not isinstance(value, bool) and field != "event":
                item[field] = str(value)
            elif self._cells is not None and isinstance(value, str) and value != value.strip():
                item[field] = value.strip()
                self._notes.trimmed[field] = self._notes.trimmed.get(field, 0) + 1
        if "timestamp" in item:
            item["timestamp"] = self._timestamp(item["timestamp"])

    def _timestamp(self, value: Any) -> Any:
        """Return a timestamp as ISO 8601 where the reading says how to; else as it is, for the validator to judge."""
        number = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if not isinstance(number, str):
            return value
        number = number.strip()
        unit = self._reading.time_unit
        if unit is not None and _DIGITS(number):
            return _from_number(number, unit.micros)
        if _UNIX(number):
            reason = f"timestamp {number} is a number; name its unit (time_unit: seconds, milliseconds or microseconds)"
            raise RefusedError("timestamp_invalid", reason, "timestamp")
        zone = self._reading.clock
        written = read_iso(number) if zone is not None else None
        if zone is not None and written is not None and written.offset is None:
            return iso(parse_local(number, zone))
        return number if isinstance(value, str) else value

    # ------------------------------------------------------------------------------------------- the body

    def _add_body(self, item: dict[str, Any], shape: Shape, record: Record, taken: set[str]) -> None:
        name = "traits" if item.get("type") == "identify" else "properties"
        body: dict[str, Any] = {}
        for path in _whole(shape.body, record):
            value = _at(record, path)
            if value is _MISSING or value in _EMPTY:
                continue
            taken.add(path)
            entries = _entries(value, path, pairs=shape.pairs)
            if not isinstance(entries, dict):
                item[name] = entries  # for the validator to name
                return
            body = {**_without(entries, path, taken), **body}
        for key, path in shape.extra.items():
            value = _at(record, path)
            if value is not _MISSING and value not in _EMPTY:
                taken.add(path)
                body.setdefault(key, self._cell(path, value))
        self._add_rest(item, body, shape, record, taken)
        body = {key: value for key, value in body.items() if not _matches(key, shape.drop)}
        if shape.snake_case:
            body = {snake_case(key): value for key, value in body.items()}
        if body:
            item[name] = body

    def _cell(self, column: str, value: Any) -> Any:
        return self._cells.value(column, value) if self._cells is not None and isinstance(value, str) else value

    def _add_rest(
        self, item: dict[str, Any], body: dict[str, Any], shape: Shape, record: Record, taken: set[str]
    ) -> None:
        if shape.unknown is Unknown.IGNORE:
            return
        used = {path if path in record else path.split(".", 1)[0] for path in taken}
        rest = {key: value for key, value in record.items() if key not in used and value not in _EMPTY}
        if shape.unknown is Unknown.FOLD:
            _fold(body, {key: self._cell(key, value) for key, value in rest.items()})
        else:
            item.update(rest)  # for the validator to refuse, with a suggestion


def _fits(shape: Shape, record: Record) -> bool:
    for path, wanted in shape.when.items():
        value = _at(record, path)
        present = value is not _MISSING and value not in _EMPTY
        if isinstance(wanted, bool):
            if present is not wanted:
                return False
        elif not present or not _matches(str(value), [wanted] if isinstance(wanted, str) else wanted):
            return False
    return True


def _matches(text: str, patterns: Iterable[str]) -> bool:
    """Whether a text is one of the patterns; a ``*`` at the end of one stands for any rest."""
    return any(text.startswith(one[:-1]) if one.endswith("*") else text == one for one in patterns)


def _whole(paths: Iterable[str], record: Record) -> Iterator[str]:
    """Return paths with those that end in ``*`` replaced by the keys that begin so."""
    for path in paths:
        if path.endswith("*"):
            yield from (key for key in record if key.startswith(path[:-1]))
        else:
            yield path


def _first(record: Record, paths: Iterable[str]) -> tuple[str | None, Any]:
    for path in paths:
        value = _at(record, path)
        if value is not _MISSING and value not in _EMPTY:
            return path, value
    return None, None


def _at(record: Any, path: str) -> Any:
    """Return the value at a path: the whole of it as a key goes before its parts."""
    if not isinstance(record, Mapping):
        return _MISSING
    if path in record:
        return record[path]
    head, dot, rest = path.partition(".")
    while dot:
        if head in record:
            value = _at(record[head], rest)
            if value is not _MISSING:
                return value
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return _MISSING


def _is_object_text(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith(("{", "["))


def _entries(value: Any, path: str, *, pairs: bool) -> Any:
    """Return the object that a body holds, as an object, as JSON text or as a list of pairs."""
    if _is_object_text(value):
        try:
            value = parse_json(value)
        except RefusedError as refused:
            raise RefusedError(refused.code, f"{path}: {refused.reason}", BODIES[0]) from None
    if pairs and isinstance(value, list):
        return {
            str(pair["key"]): _typed(pair.get("value")) for pair in value if isinstance(pair, dict) and "key" in pair
        }
    return value


def _typed(value: Any) -> Any:
    """Return the one value that is set of BigQuery's four; its whole numbers come as text."""
    if not isinstance(value, dict):
        return value
    kind, held = next(((kind, held) for kind, held in value.items() if held is not None), ("", None))
    if kind == "int_value" and isinstance(held, str) and _DIGITS(held):
        return int(held)
    if kind in ("float_value", "double_value") and isinstance(held, str) and _DIGITS(held):
        return float(held)
    return held


def _without(entries: dict[str, Any], path: str, taken: set[str]) -> dict[str, Any]:
    """Return the entries that no field was taken from."""
    inside = {name.removeprefix(f"{path}.") for name in taken if name.startswith(f"{path}.")}
    return {key: value for key, value in entries.items() if key not in inside}


def _fold(body: dict[str, Any], rest: Mapping[str, Any]) -> None:
    both = next((key for key in rest if key in body), None)
    if both is not None:
        reason = f"'{shown(both)}' stands both beside the properties and in them; keep one of them"
        raise RefusedError("bad_row", reason, f"{BODIES[0]}.{shown(both)}")
    body.update(rest)


def snake_case(name: str) -> str:
    """Return a name as rules write it best: ``Lineitem name`` and ``lineItemName`` as ``lineitem_name``."""
    words = _WORDS.split(_HUMP.sub(" ", name))
    return "_".join(word.lower() for word in words if word) or name


def _from_number(text: str, unit: int) -> str:
    """Return the moment that many units after 1970. Raises RefusedError where there is no such moment."""
    try:
        return iso(int(Decimal(text) * unit))
    except (InvalidOperation, OverflowError, ValueError):
        raise RefusedError("timestamp_invalid", f"timestamp {text} is beyond every calendar", "timestamp") from None
