"""JSON lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.errors import RefusedError
from engine.files.lines import NumberedLine
from engine.strict_json import kind, parse_json


def read_json_lines(lines: Iterable[NumberedLine]) -> Iterator[tuple[int, dict[str, Any] | RefusedError]]:
    """Yield the object of each line that is not blank, with the number of the line."""
    for number, text in lines:
        if isinstance(text, RefusedError):
            yield number, text
        elif not text.isspace():
            try:
                yield number, _object(text)
            except RefusedError as refused:
                yield number, refused


def _object(text: str) -> dict[str, Any]:
    value = parse_json(text)
    if isinstance(value, dict):
        return value
    advice = "unpack the list, " if isinstance(value, list) else ""
    raise RefusedError("not_object", f"the line holds {kind(value)}; {advice}write one object a line")
