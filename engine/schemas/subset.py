"""The part of JSON Schema that schemas are compared over, and what it says of a value.

A *keyword of the subset* is one whose meaning is known here. A *foreign* one is any other that narrows what a schema
takes; some of those change what keywords beside them mean, so nothing is said of a schema that has one. Annotations
narrow nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any] | bool

TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")
ALL_TYPES: Final = frozenset(TYPES)

COMPARED: Final = frozenset(
    {
        "type", "enum", "const",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength", "maxLength", "pattern", "format",
        "items", "minItems", "maxItems",
        "properties", "required", "additionalProperties",
    }
)  # fmt: skip
"""The keywords of the subset. ``pattern`` and ``format`` are only known to be equal or not."""

ANNOTATIONS: Final = frozenset(
    {
        "$schema", "$id", "$comment", "$anchor", "$defs", "definitions",
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    }
)  # fmt: skip

_SWAYING: Final = frozenset(
    {
        "$ref", "$dynamicRef", "$recursiveRef", "patternProperties", "prefixItems", "additionalItems",
        "unevaluatedProperties", "unevaluatedItems",
    }
)  # fmt: skip
"""Foreign keywords that change what keywords beside them mean."""

TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("contains", "minContains", "maxContains"), ("contains", "minContains", "maxContains")),
    **dict.fromkeys(("if", "then", "else"), ("if", "then", "else")),
}
"""Foreign keywords that are unchanged only together."""

FORMATS: Final[Mapping[str, str]] = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "email": "someone@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
"""A text of each format that is surely one."""


def swaying(schema: Schema) -> str | None:
    """A keyword of this schema because of which nothing can be said of it."""
    if isinstance(schema, bool):
        return None
    if isinstance(schema.get("items"), list):
        return "items"
    return next((word for word in schema if word in _SWAYING), None)


def foreign(schema: Schema) -> dict[str, Any]:
    """The keywords of this schema that are outside the subset and narrow it."""
    if isinstance(schema, bool):
        return {}
    return {word: value for word, value in schema.items() if word not in COMPARED and word not in ANNOTATIONS}


def types_of(schema: Schema) -> frozenset[str]:
    """The types that ``type`` lets through."""
    if isinstance(schema, bool):
        return ALL_TYPES if schema else frozenset()
    named = schema.get("type", ALL_TYPES)
    return frozenset([named] if isinstance(named, str) else named)


def choices(schema: Schema) -> list[Any] | None:
    """The few values that ``enum`` and ``const`` leave; None where neither stands."""
    if isinstance(schema, bool) or not ("enum" in schema or "const" in schema):
        return None
    values = schema.get("enum", [schema.get("const")])
    return [one for one in values if "const" not in schema or same(one, schema["const"])]


def of_property(schema: Schema, name: str) -> Schema:
    """What an object schema of the subset says of one of its fields."""
    if isinstance(schema, bool):
        return schema
    named: Mapping[str, Schema] = schema.get("properties", {})
    return named[name] if name in named else others_of(schema)


def others_of(schema: Schema) -> Schema:
    """What an object schema says of the fields it does not name."""
    found: Schema = schema if isinstance(schema, bool) else schema.get("additionalProperties", True)
    return found


def items_of(schema: Schema) -> Schema:
    found: Schema = schema if isinstance(schema, bool) else schema.get("items", True)
    return found


def bounds(schema: Schema, least: str, most: str) -> tuple[int, float]:
    """A least and a greatest length."""
    if isinstance(schema, bool):
        return 0, float("inf")
    return schema.get(least, 0), schema.get(most, float("inf"))


def type_of(value: object) -> str:
    """The type of a JSON value; a whole number is an ``integer``, however it is written."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return (numbers or type(one) is type(other)) and bool(one == other)


def refers(value: object) -> bool:
    """Whether a reference stands anywhere in a schema: its meaning then depends on what is around it."""
    if isinstance(value, dict):
        return "$ref" in value or any(map(refers, value.values()))
    return isinstance(value, list) and any(map(refers, value))


def admits(schema: Schema, value: Any) -> bool | None:
    """Whether a schema takes a value; None where keywords decide that are not of the subset."""
    if isinstance(schema, bool):
        return schema
    if swaying(schema):
        return None
    verdicts = [_admits_type(schema, value), _admits_choice(schema, value), *_admits_parts(schema, value)]
    if False in verdicts:
        return False
    return None if foreign(schema) or None in verdicts else True


def _admits_type(schema: Mapping[str, Any], value: Any) -> bool:
    kind, taken = type_of(value), types_of(schema)
    return kind in taken or (kind == "integer" and "number" in taken)


def _admits_choice(schema: Mapping[str, Any], value: Any) -> bool:
    few = choices(schema)
    return few is None or any(same(one, value) for one in few)


def _admits_parts(schema: Mapping[str, Any], value: Any) -> list[bool | None]:
    match type_of(value):
        case "integer" | "number":
            return _admits_number(schema, value)
        case "string":
            return _admits_text(schema, value)
        case "array":
            least, most = bounds(schema, "minItems", "maxItems")
            return [least <= len(value) <= most, *(admits(items_of(schema), one) for one in value)]
        case "object":
            given = [name in value for name in schema.get("required", ())]
            return [*given, *(admits(of_property(schema, name), one) for name, one in value.items())]
        case _:
            return []


def _admits_number(schema: Mapping[str, Any], value: float) -> list[bool | None]:
    return [
        "minimum" not in schema or value >= schema["minimum"],
        "maximum" not in schema or value <= schema["maximum"],
        "exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"],
        "exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"],
    ]


def _admits_text(schema: Mapping[str, Any], value: str) -> list[bool | None]:
    least, most = bounds(schema, "minLength", "maxLength")
    form = schema.get("format")
    return [
        least <= len(value) <= most,
        None if "pattern" in schema else True,
        True if form is None or FORMATS.get(form) == value else None,
    ]
