"""JSON lines: one event, or one identify, a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.errors import RefusedError
from engine.files.lines import NumberedLine
from engine.strict_json import kind, parse_json


def read_json_lines(
    lines: Iterable[NumberedLine], mapping: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, Any] | RefusedError]]:
    """The object of each line that is not blank; ``mapping`` says which key of the file is which field."""
    for number, text in lines:
        if isinstance(text, RefusedError):
            yield number, text
        elif not text.isspace():
            try:
                yield number, _renamed(_object(text), mapping)
            except RefusedError as refused:
                yield number, refused


def _object(text: str) -> dict[str, Any]:
    value = parse_json(text)
    if isinstance(value, dict):
        return value
    advice = "unpack the list, " if isinstance(value, list) else ""
    raise RefusedError("not_object", f"the line holds {kind(value)}; {advice}write one object a line")


def _renamed(item: dict[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """``item`` with the mapped keys under their fields' names. A field the line has already is kept."""
    moved = {field: item[key] for field, key in mapping.items() if key in item and field not in item}
    if not moved:
        return item
    sources = {mapping[field] for field in moved}
    return {key: value for key, value in item.items() if key not in sources} | moved
