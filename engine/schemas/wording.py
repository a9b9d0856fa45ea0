"""What an event breaks, in plain words. No value of the event is ever repeated: it may be personal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.strict_json import kind, path_text, shown

_FEW: Final = 5
"""Values and names that are listed before the rest is left out."""

_TYPES: Final[Mapping[str, str]] = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}


class Problem(NamedTuple):
    """What in an event's properties breaks a schema, for people, and its path, which begins with ``properties``."""

    reason: str
    field: str


def problem_of(error: Any) -> Problem:
    """One error of the checking library, for the sender of the event."""
    path = tuple(error.instance_path)
    if error.kind.name == "required":
        missing = (*path, error.kind.property)
        return Problem(f"Missing required field: {path_text(missing)}", path_text(("properties", *missing)))
    words = _WORDS.get(error.kind.name)
    told = words(error) if words else f"breaks '{error.kind.name}' of its schema"
    return Problem(f"{path_text(path) or 'properties'} {told}", path_text(("properties", *path)))


def _type(error: Any) -> str:
    taken = " or ".join(_TYPES[one] for one in error.kind.types)
    return f"is {kind(error.instance)}; it is to be {taken}"


def _enum(error: Any) -> str:
    return f"is none of the values that are taken: {_listed([_value(one) for one in error.kind.options])}"


def _unexpected(error: Any) -> str:
    names = _listed([f"'{shown(one)}'" for one in error.kind.unexpected])
    return f"holds what is not taken: {names}"


def _nothing(error: Any) -> str:
    """``false`` as a schema; standing for all fields that are not named, the error is their object's."""
    return "holds fields that are not taken" if error.schema_path[-1] == "additionalProperties" else "is not taken"


def _limit(words: str) -> Callable[[Any], str]:
    return lambda error: f"{words} {error.kind.limit}"


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda error: f"is to be {_value(error.kind.expected_value)}",
    "minimum": _limit("is to be at least"),
    "maximum": _limit("is to be at most"),
    "exclusiveMinimum": _limit("is to be more than"),
    "exclusiveMaximum": _limit("is to be less than"),
    "multipleOf": lambda error: f"is to be a multiple of {error.kind.multiple_of}",
    "minLength": _limit("is too short; its characters are to be at least"),
    "maxLength": _limit("is too long; its characters are to be at most"),
    "pattern": lambda error: f"does not match the pattern '{shown(error.kind.pattern)}'",
    "format": lambda error: f"is not of the format '{shown(error.kind.format)}'",
    "minItems": _limit("is too short; its items are to be at least"),
    "maxItems": _limit("is too long; its items are to be at most"),
    "uniqueItems": lambda _error: "holds the same item twice",
    "minProperties": _limit("holds too little; its entries are to be at least"),
    "maxProperties": _limit("holds too much; its entries are to be at most"),
    "additionalProperties": _unexpected,
    "falseSchema": _nothing,
    "anyOf": lambda _error: "is none of the kinds that are taken",
    "oneOf": lambda _error: "is not exactly one of the kinds that are taken",
}


def _value(value: object) -> str:
    return shown(json.dumps(value, ensure_ascii=False))


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - _FEW} more" if len(texts) > _FEW else ""
    return ", ".join(texts[:_FEW]) + more
