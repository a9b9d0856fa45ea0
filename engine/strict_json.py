"""JSON as every door reads it, writes it and checks it.

Three things live here, so that the same value gets the same verdict whether it came as text over a wire,
as a line of a file or as a Python object: a strict reader (:func:`parse_json`), a canonical writer
(:func:`canonical`), and a check that a Python object is nothing but JSON (:func:`plain_object`).

The check runs twice at most. A fast pass proves in a few set operations that an object is ordinary; only
what it cannot prove is walked value by value, to be named precisely or turned into plain types.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from typing import Any, Final, NoReturn

import orjson

from engine.errors import RefusedError

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1

_LONGEST_INTEGER: Final = 20
_OUT_OF_RANGE: Final = INTEGER_MAX + 1
_SCALARS: Final = frozenset({str, bool, type(None)})
_BOM: Final = "\ufeff"

Path = tuple[str | int, ...]
"""Where a value stands: the field, then keys and places in lists."""


def _read_integer(digits: str) -> int:
    """An integer, or one just outside 64 bits for a longer text: its digits are never worked through."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else _OUT_OF_RANGE


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError("not_finite", f"{name} is not JSON; leave the field out or send null")


_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_constant=_refuse_constant)
_STRICTLY: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)


def parse_json(text: bytes | str) -> Any:
    """The value of one JSON text, which as bytes must be UTF-8 (a byte order mark is skipped).

    Takes time in proportion to the text's length, whatever it holds. Integers beyond 64 bits and numbers
    such as ``1e400`` are read as values that :func:`validate <engine.model.validate>` refuses, so that one
    of them costs its own event and not the whole batch.

    Raises :class:`~engine.errors.RefusedError` with the code ``not_utf8``, ``invalid_json``, ``not_finite``
    (the words NaN and Infinity) or ``too_deep``.
    """
    if not isinstance(text, str):
        try:
            text = str(text, "utf-8")
        except UnicodeDecodeError as error:
            raise RefusedError(
                "not_utf8", f"byte {error.start + 1} is not UTF-8; save or send the text as UTF-8"
            ) from None
    try:
        return _DECODER.decode(text[1:] if text.startswith(_BOM) else text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        reason = f"{error.msg[0].lower()}{error.msg[1:]} at {place}"
        raise RefusedError("invalid_json", f"not valid JSON: {reason}") from None
    except RecursionError:
        raise RefusedError("too_deep", "lists and objects stand hundreds of levels inside each other") from None


def canonical(value: object) -> bytes:
    """``value``, checked before, as compact JSON with sorted keys in UTF-8: equal values give equal bytes.

    Raises TypeError for what is not JSON: half a character, an integer beyond 64 bits, a key that is no text.
    """
    return orjson.dumps(value, option=_STRICTLY)


def is_ordinary(root: dict[str, Any], depth: int, nodes: int) -> bool:
    """Whether the values in ``root`` are surely plain JSON types, at most ``depth`` levels and ``nodes`` of them.

    False says only that a closer look is needed. Does not look inside texts, nor at keys: :func:`canonical` does. This
    runs for every event; of many that have nothing but texts, one set operation tells.
    """
    if len(root) <= nodes and _SCALARS.issuperset(map(type, root.values())):
        return True
    level: list[Any] = [root]
    for _ in range(depth):
        below: list[Any] = []
        for container in level:
            nodes -= len(container)
            if nodes < 0:
                return False
            for value in container.values() if type(container) is dict else container:
                sort = type(value)
                if sort is dict or sort is list:
                    below.append(value)
                elif sort is int:
                    if not INTEGER_MIN <= value <= INTEGER_MAX:
                        return False
                elif sort is float:
                    if not math.isfinite(value):
                        return False
                elif sort not in _SCALARS:
                    return False
        if not below:
            return True
        level = below
    return False


def plain_object(value: dict[str, Any], field: str, depth: int, nodes: int) -> dict[str, Any]:
    """A copy of the object ``value`` in plain types: texts, numbers, booleans, None, lists, dicts.

    Subclasses of those (``StrEnum``, ``defaultdict``, ...) and tuples become what they are in JSON.

    Raises :class:`~engine.errors.RefusedError` naming the first value that JSON or the store cannot hold, by its
    path from ``field``.
    """
    return _Copier(depth, nodes).object(value, (field,))


class _Copier:
    """Walks one object. Its recursion goes no deeper than the depth it allows."""

    def __init__(self, depth: int, nodes: int) -> None:
        self._depth = depth
        self._nodes = nodes

    def object(self, value: dict[Any, Any], path: Path, level: int = 1) -> dict[str, Any]:
        self._enter(len(value), path, level)
        copy: dict[str, Any] = {}
        for key, member in dict.items(value):
            if not isinstance(key, str):
                where = path_text(path)
                raise RefusedError("key_not_text", f"{where} has a key that is {kind(key)}; keys are text", where)
            copy[checked_text(key, (*path, key))] = self._value(member, (*path, key), level)
        return copy

    def _list(self, values: list[Any] | tuple[Any, ...], path: Path, level: int) -> list[Any]:
        self._enter(len(values), path, level)
        return [self._value(value, (*path, place), level) for place, value in enumerate(values)]

    def _enter(self, size: int, path: Path, level: int) -> None:
        if level > self._depth:
            top = path_text(path[:1])
            raise RefusedError("too_deep", f"{top} stands deeper than {self._depth} levels; flatten it", top)
        self._nodes -= size
        if self._nodes < 0:
            top = path_text(path[:1])
            raise RefusedError("event_too_large", f"{top} holds too many values; send less, or several events", top)

    def _value(self, value: Any, path: Path, level: int) -> Any:
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return checked_text(value, path)
        if isinstance(value, int):
            return _checked_integer(value, path)
        if isinstance(value, float):
            return _checked_float(value, path)
        if isinstance(value, dict):
            return self.object(value, path, level + 1)
        if isinstance(value, list | tuple):
            return self._list(value, path, level + 1)
        where = path_text(path)
        raise RefusedError("not_json", f"{where} is {kind(value)}, which JSON does not have; {_advice(value)}", where)


def checked_text(value: str, path: Path) -> str:
    """``value`` as a plain ``str``; refused with a NUL or half a character in it."""
    if "\0" in value:
        where = path_text(path)
        raise RefusedError("nul", f"{where} holds a NUL character (U+0000); remove it", where)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        where, half = path_text(path), f"U+{ord(error.object[error.start]):04X}"
        reason = f"{where} holds {half}, half a character; the text was cut or decoded wrongly"
        raise RefusedError("lone_surrogate", reason, where) from None
    return value if type(value) is str else str.__str__(value)


def _checked_integer(value: int, path: Path) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        where = path_text(path)
        raise RefusedError("integer_out_of_range", f"{where} is an integer beyond 64 bits; send it as text", where)
    return int.__int__(value)


def _checked_float(value: float, path: Path) -> float:
    if not math.isfinite(value):
        where = path_text(path)
        reason = f"{where} is NaN, infinite or too large a number; leave it out or send null"
        raise RefusedError("not_finite", reason, where)
    return float.__float__(value)


def path_text(path: Path) -> str:
    """``path`` as a message shows it: ``properties.items[2].price``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return "".join(steps)[1:]


def shown(text: str, longest: int = 40) -> str:
    """``text`` fit for a message: shortened, and printable on any terminal and in any encoding."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short)


def kind(value: object) -> str:
    """What ``value`` is, in words a message can use."""
    return _KINDS.get(type(value)) or f"a Python {shown(type(value).__name__)}"


_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def _advice(value: object) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return "send value.isoformat()"
    if isinstance(value, decimal.Decimal):
        return "send float(value) or str(value)"
    return "convert it to text, a number, a boolean, a list or a dict"
