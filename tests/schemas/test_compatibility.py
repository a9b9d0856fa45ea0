"""What a change of a schema breaks, case by case."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from engine.schemas.compatibility import Breaks, Compatibility, Compatible, Unknown, compare
from engine.schemas.compiled import compile_schema
from engine.schemas.subset import FORMATS

ORDER = {
    "type": "object",
    "properties": {"orderId": {"type": "string"}, "total": {"type": "number"}},
    "required": ["orderId"],
}


def of_field(old: Any, new: Any) -> Compatibility:
    return compare({"properties": {"x": old}}, {"properties": {"x": new}})


def test_the_vendors_schema_with_a_further_required_field_breaks_and_shows_an_event() -> None:
    found = compare(ORDER, {**ORDER, "required": ["orderId", "total"]})
    assert found == Breaks("total is required, and was not before", {"orderId": ""})


COMPATIBLE: list[tuple[Any, Any]] = [
    ({"type": "integer", "minimum": 0.5}, {"type": "integer", "minimum": 1}),
    ({"enum": [1.0]}, {"type": "integer"}),
    ({"type": "integer"}, {"type": "number"}),
    ({"type": "string"}, {"type": ["string", "null"]}),
    ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
    ({"type": "integer", "exclusiveMinimum": 0.5}, {"type": "number", "minimum": 1}),
    ({"type": "number", "minimum": 1}, {"type": "number", "minimum": 0.5}),
    ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 6}),
    ({"type": "string", "pattern": "^a", "minLength": 2}, {"type": "string", "pattern": "^a"}),
    ({"type": "string", "format": "email"}, {"type": "string"}),
    ({"enum": ["a", 1]}, {"enum": [1.0, "a", "b"]}),
    ({"const": "a"}, {"type": "string", "maxLength": 1}),
    ({"type": "boolean"}, {"enum": [True, False, None]}),
    ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}),
    ({"type": "array", "maxItems": 0}, {"type": "array", "items": False}),
    ({"type": "object", "additionalProperties": False}, {"type": "object", "properties": {"a": {"type": "string"}}}),
    ({"type": "object", "required": ["a", "b"]}, {"type": "object", "required": ["b"]}),
    ({"type": "integer", "multipleOf": 5}, {"type": "number", "multipleOf": 5}),
    ({"anyOf": [{"type": "string"}], "maxLength": 3}, {"anyOf": [{"type": "string"}], "maxLength": 4}),
    ({"type": "integer", "minimum": 5, "maximum": 4}, {"type": "string"}),
    (False, {"type": "string"}),
    ({"type": "string"}, True),
    ({"type": "string", "title": "A"}, {"type": "string", "description": "B", "default": "c"}),
]


@pytest.mark.parametrize(("old", "new"), COMPATIBLE, ids=str)
def test_what_takes_more_or_the_same_is_compatible(old: Any, new: Any) -> None:
    assert of_field(old, new) == Compatible()


BREAKING: list[tuple[Any, Any, str]] = [
    ({"type": "number", "minimum": 5}, {"exclusiveMinimum": 5}, "x could be less before"),
    ({"type": "number", "maximum": 5}, {"exclusiveMaximum": 5}, "x could be more before"),
    ({"enum": [True]}, {"enum": [1]}, "x took true before"),
    ({"type": "number"}, {"type": "string"}, "x could be any number before"),
    ({"type": "number"}, {"type": "integer"}, "x could be any number before"),
    ({}, {"type": "string"}, "x could be null before"),
    ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 10}, "x could be less before"),
    ({"type": "number", "minimum": 0, "maximum": 1}, {"exclusiveMaximum": 1}, "x could be more before"),
    ({"type": "number", "minimum": 0.1}, {"minimum": 0.2}, "x could be less before"),
    ({"type": "string"}, {"type": "string", "maxLength": 5}, "x could be a longer text before"),
    ({"type": "string", "minLength": 1}, {"minLength": 2}, "x could be a shorter text before"),
    ({"enum": ["free", "pro"]}, {"enum": ["pro"]}, "x took 'free' before"),
    ({"enum": [1, None]}, {"type": "integer"}, "x took null before"),
    ({"type": "string"}, {"enum": ["a"]}, "x could have other values before"),
    ({"type": "boolean"}, {"const": True}, "x took false before"),
    ({"type": "array"}, {"type": "array", "minItems": 1}, "x could be a shorter list before"),
    ({"type": "array", "maxItems": 3}, {"maxItems": 2}, "x could be a longer list before"),
    ({"type": "array", "items": {"type": "string"}}, {"items": {"type": "null"}}, "x[0] could be text before"),
    ({"type": "object"}, {"additionalProperties": False}, "x.other could be null before"),
    ({"type": "object"}, {"required": ["a"]}, "x.a is required, and was not before"),
    (
        {"type": "object", "required": ["e"], "properties": {"e": {"type": "string", "format": "email"}}},
        {"required": ["e", "f"]},
        "x.f is required, and was not before",
    ),
    (
        {"type": "array", "minItems": 2, "items": {"type": "object", "required": ["s"]}},
        {"items": {"properties": {"s": {"type": "string"}}}},
        "x[0].s could be null before",
    ),
    ({"type": "string"}, False, "x could be text before"),
    ({"type": "string"}, {"maxLength": 3, "not": {"const": "aaaaa"}}, "x could be a longer text before"),
]


@pytest.mark.parametrize(("old", "new", "reason"), BREAKING, ids=str)
def test_what_takes_less_breaks_says_how_and_shows_an_event(old: Any, new: Any, reason: str) -> None:
    found = of_field(old, new)
    assert isinstance(found, Breaks)
    assert found.reason == reason
    assert found.example is not None
    assert compile_schema({"properties": {"x": old}}).problem(found.example) is None
    assert compile_schema({"properties": {"x": new}}).problem(found.example) is not None


def test_an_example_that_cannot_be_made_is_left_out() -> None:
    old = {"required": ["x"], "properties": {"x": {"type": "string", "pattern": "^a+$"}}}
    assert compare(old, {**old, "required": ["x", "y"]}) == Breaks("y is required, and was not before", None)


UNKNOWN: list[tuple[Any, Any, str]] = [
    ({"enum": ["ab"], "pattern": "b"}, {"enum": ["x"]}, "x took 'ab' before"),
    ({"type": "string"}, {"type": "string", "pattern": "^"}, "'pattern'"),
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "maxLength": 1}, "longer"),
    ({"type": "string"}, {"type": "string", "format": "unheard-of"}, "'format'"),
    ({"type": "integer"}, {"type": "integer", "multipleOf": 1}, "'multipleOf'"),
    ({"type": "integer", "multipleOf": 7}, {"type": "integer", "minimum": -6}, "'multipleOf'"),
    ({"type": "array", "prefixItems": [{}]}, {"type": "array"}, "'prefixItems'"),
    ({"type": "object", "patternProperties": {"a": True}, "additionalProperties": False}, {"type": "object"}, "'patt"),
    ({"$ref": "#/$defs/a"}, {"type": "string"}, "'$ref'"),
    ({"if": {"const": 1}, "then": False}, {"if": {"const": 1}, "then": False, "else": False}, "'if'"),
    ({"enum": ["a"]}, {"pattern": "a"}, "whether x still takes 'a'"),
]


@pytest.mark.parametrize(("old", "new", "told"), UNKNOWN, ids=str)
def test_what_is_beyond_the_comparison_is_said_to_be(old: Any, new: Any, told: str) -> None:
    found = of_field(old, new)
    assert isinstance(found, Unknown)
    assert told in found.reason


def test_properties_are_always_an_object_so_saying_so_changes_nothing() -> None:
    assert compare({}, {"type": "object"}) == Compatible()
    assert compare({"type": "string"}, {"required": ["a"]}) == Compatible()


def test_a_schema_that_refers_to_itself_is_compatible_with_itself_alone() -> None:
    tree = {"properties": {"left": {"$ref": "#"}}}
    assert compare(tree, {**tree, "title": "A tree"}) == Compatible()
    assert isinstance(compare(tree, {**tree, "required": ["a"]}), Breaks)
    assert isinstance(compare(tree, {**tree, "properties": {"left": {"$ref": "#"}, "a": {}}}), Unknown)


def test_drafts_are_compared_with_themselves() -> None:
    seven = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    assert compare(seven, {**seven, "properties": {}}) == Compatible()
    assert isinstance(compare(seven, {"type": "object"}), Unknown)
    four = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}
    assert isinstance(compare(four, {**four, "properties": {}}), Unknown)


def test_a_large_schema_is_compared_in_no_time() -> None:
    fields = {f"field{one}": {"type": "string", "maxLength": 10} for one in range(1_000)}
    old = {"properties": fields, "required": list(fields)}
    narrower = {name: {"type": "string", "maxLength": 9} for name in fields}
    assert isinstance(compare(old, {"properties": narrower}), Breaks)
    assert compare({"properties": narrower}, {"properties": fields}) == Compatible()


@pytest.mark.parametrize(("form", "text"), FORMATS.items())
def test_the_texts_kept_for_formats_are_of_them(form: str, text: str) -> None:
    assert jsonschema_rs.is_valid({"format": form}, text, validate_formats=True)
