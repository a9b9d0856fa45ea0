"""Random schemas of the compared part of JSON Schema, changes of them, and values to try them with."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

Json = Any
NAMES = ["a", "b", "c"]
TEXTS = ["", "a", "bb", "ccc", "2026-01-01", "someone@example.org"]
NUMBERS = [-2, -1, 0, 1, 2, 3, -0.5, 0.5, 1.0, 1.5, 2.5, 2**53 + 1]
SCALARS = [None, False, True, *NUMBERS, *TEXTS]

scalars = st.sampled_from(SCALARS)
any_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
limits = st.sampled_from([-1, 0, 0.5, 1, 1.0, 2, 2.5])
lengths = st.integers(0, 3)
kinds = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def _keywords(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Any]]:
    """A few keywords, whether or not they fit one another; some outside the compared part."""
    return st.fixed_dictionaries(
        {},
        optional={
            "type": kinds | st.lists(kinds, min_size=1, max_size=3, unique=True),
            "enum": st.lists(any_values, min_size=1, max_size=4),
            "const": any_values,
            "minimum": limits,
            "maximum": limits,
            "exclusiveMinimum": limits,
            "exclusiveMaximum": limits,
            "minLength": lengths,
            "maxLength": lengths,
            "pattern": st.sampled_from(["^a", "b$", "."]),
            "format": st.sampled_from(["date", "email", "unheard-of"]),
            "items": inner,
            "minItems": lengths,
            "maxItems": lengths,
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
            "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            "additionalProperties": inner,
        },
    )


def _foreign(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "not": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "minContains": lengths,
            "if": inner,
            "then": inner,
            "minProperties": lengths,
            "uniqueItems": st.booleans(),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "unevaluatedProperties": inner,
            "$ref": st.sampled_from(["#/properties/a", "#/items"]),
        },
    )


def _few(words: dict[str, Any], draw: st.DrawFn, most: int) -> dict[str, Any]:
    """Only so many of the keywords: a schema of all of them takes nothing."""
    kept = draw(st.lists(st.sampled_from(sorted(words)), max_size=most, unique=True)) if words else []
    return {word: words[word] for word in kept}


@st.composite
def _schema(draw: st.DrawFn, inner: st.SearchStrategy[Json], most: int = 4) -> Json:
    words = _few(draw(_keywords(inner)), draw, most)
    if draw(st.integers(0, 7)) == 0:
        words |= _few(draw(_foreign(inner)), draw, 2)
    return words


schemas = st.recursive(st.booleans() | _schema(st.booleans()), _schema, max_leaves=4)
event_schemas = _schema(schemas, 5).map(lambda words: {**words, "type": "object"} if "$ref" not in words else words)


@st.composite
def changed(draw: st.DrawFn, old: Json) -> Json:
    """The schema with something put in, taken out or replaced, at the top or further in."""
    if not isinstance(old, dict) or draw(st.integers(0, 3)) == 0:
        return draw(schemas)
    new = copy.deepcopy(old)
    inside = [word for word in ("items", "additionalProperties") if word in new]
    fields = sorted(new.get("properties", {}))
    match draw(st.sampled_from(["add", "remove", "inside", "field"])):
        case "inside" if inside:
            word = draw(st.sampled_from(inside))
            new[word] = draw(changed(new[word]))
        case "field" if fields:
            name = draw(st.sampled_from(fields))
            new["properties"][name] = draw(changed(new["properties"][name]))
        case "remove" if new:
            del new[draw(st.sampled_from(sorted(new)))]
        case _:
            new |= _few(draw(_keywords(schemas)), draw, 2)
    return new


@st.composite
def fitting(draw: st.DrawFn, schema: Json, depth: int = 3) -> Json:
    """A value made along a schema, so that it often fits."""
    if depth == 0 or not isinstance(schema, dict) or draw(st.integers(0, 9)) == 0:
        return draw(any_values)
    few = [*schema.get("enum", []), *([schema["const"]] if "const" in schema else [])]
    if few:
        return draw(st.sampled_from(few))
    named = schema.get("type", ["object", "array", "string", "number", "null", "boolean"])
    kind = draw(st.sampled_from([named] if isinstance(named, str) else named))
    if kind == "object":
        return draw(_fitting_object(schema, depth))
    if kind == "array":
        length = draw(st.integers(schema.get("minItems", 0), 4))
        return [draw(fitting(schema.get("items", True), depth - 1)) for _ in range(length)]
    return draw(st.sampled_from(TEXTS) if kind == "string" else scalars)


@st.composite
def _fitting_object(draw: st.DrawFn, schema: Json, depth: int) -> Json:
    fields = schema.get("properties", {})
    wanted = set(schema.get("required", [])) | draw(st.sets(st.sampled_from([*NAMES, "other"])))
    rest = schema.get("additionalProperties", True)
    return {name: draw(fitting(fields.get(name, rest), depth - 1)) for name in sorted(wanted)}


@st.composite
def events(draw: st.DrawFn, schema: Json) -> dict[str, Any]:
    """Properties of an event, made along a schema."""
    found: dict[str, Any] = draw(_fitting_object(schema if isinstance(schema, dict) else {}, 3))
    return found
