"""Schemas and the events they are held against."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import BadSchema
from engine.schemas.compiled import compile_schema
from engine.schemas.settings import TypeSettings

ORDER = {
    "type": "object",
    "properties": {"orderId": {"type": "string"}, "total": {"type": "number"}},
    "required": ["orderId"],
}
"""FlowNally's own example."""


def reason(schema: dict[str, Any], properties: dict[str, Any]) -> str | None:
    found = compile_schema(schema).problem(properties)
    return None if found is None else found.reason


def test_what_a_schema_does_not_mention_passes() -> None:
    assert reason(ORDER, {"orderId": "4827", "total": 129.99, "currency": "PLN"}) is None


def test_a_missing_field_is_told_as_the_documents_print_it() -> None:
    found = compile_schema({"required": ["currency"]}).problem({"revenue": 49.99})
    assert found is not None
    assert found == ("Missing required field: currency", "properties.currency")


def test_a_missing_field_inside_is_told_by_its_path() -> None:
    schema = {"properties": {"items": {"items": {"required": ["sku"]}}}}
    found = compile_schema(schema).problem({"items": [{"sku": "1"}, {}]})
    assert found == ("Missing required field: items[1].sku", "properties.items[1].sku")


WRONG: list[tuple[dict[str, Any], Any, str]] = [
    ({"type": "number"}, "private", "x is text; it is to be a number"),
    ({"type": ["integer", "null"]}, 1.5, "x is a number; it is to be null or a whole number"),
    ({"enum": ["free", "pro"]}, "private", 'x is none of the values that are taken: "free", "pro"'),
    ({"enum": [1, 2, 3, 4, 5, 6]}, 0, "x is none of the values that are taken: 1, 2, 3, 4, 5 and 1 more"),
    ({"const": True}, False, "x is to be true"),
    ({"minimum": 3}, 2, "x is to be at least 3"),
    ({"exclusiveMaximum": 3}, 3, "x is to be less than 3"),
    ({"multipleOf": 0.01}, 1.001, "x is to be a multiple of 0.01"),
    ({"minLength": 3}, "ab", "x is too short; its characters are to be at least 3"),
    ({"pattern": "^a"}, "private", "x does not match the pattern '^a'"),
    ({"format": "email"}, "private", "x is not of the format 'email'"),
    ({"maxItems": 1}, [1, 2], "x is too long; its items are to be at most 1"),
    ({"uniqueItems": True}, [1, 1], "x holds the same item twice"),
    ({"properties": {"y": {}}, "additionalProperties": False}, {"z": 1}, "x holds what is not taken: 'z'"),
    ({"additionalProperties": False}, {"z": 1}, "x holds fields that are not taken"),
    (False, 1, "x is not taken"),  # type: ignore[list-item]
    ({"anyOf": [{"type": "string"}]}, 1, "x is none of the kinds that are taken"),
    ({"not": {"type": "string"}}, "private", "x breaks 'not' of its schema"),
]


@pytest.mark.parametrize(("schema", "value", "told"), WRONG, ids=lambda one: str(one)[:30])
def test_every_other_error_is_plain_names_its_place_and_repeats_no_value(schema: Any, value: Any, told: str) -> None:
    found = compile_schema({"properties": {"x": schema}}).problem({"x": value})
    assert found == (told, "properties.x")
    assert "private" not in found.reason


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date-time", "2026-01-01T00:00:00Z", "2026-01-01"),
        ("date", "2026-01-31", "2026-02-31"),
        ("email", "a@example.org", "a@"),
        ("uri", "https://example.org/a", "not a uri"),
        ("uuid", "550e8400-e29b-41d4-a716-446655440000", "550e8400"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
    ],
)
def test_formats_are_checked(form: str, good: str, bad: str) -> None:
    schema = {"properties": {"x": {"format": form}}}
    assert reason(schema, {"x": good}) is None
    assert reason(schema, {"x": bad}) == f"x is not of the format '{form}'"


def test_a_format_nobody_knows_holds_nothing_up() -> None:
    assert reason({"properties": {"x": {"format": "unheard-of"}}}, {"x": "anything"}) is None


def test_the_draft_is_2020_12_unless_the_schema_says_otherwise() -> None:
    tuples = {"properties": {"x": {"prefixItems": [{"type": "string"}]}}}
    assert reason(tuples, {"x": [1]}) == "x[0] is a number; it is to be text"
    older = {**tuples, "$schema": "http://json-schema.org/draft-07/schema#"}
    assert reason(older, {"x": [1]}) is None


REFUSED: list[tuple[Any, str]] = [
    ([], "is a list"),
    (True, "is a boolean"),
    ({"type": "strin"}, "schema.type"),
    ({"properties": {"a": {"minLength": "x"}}}, "schema.properties.a.minLength"),
    ({"minimum": float("nan")}, "NaN"),
    ({"minimum": 2**64}, "64 bits"),
    ({"title": "a\0"}, "NUL"),
    ({"$schema": "https://example.org/mine"}, "meta-schema"),
    ({"$ref": "https://example.org/schema.json"}, "does not lead into the schema itself"),
    ({"$ref": "file:///etc/passwd"}, "does not lead into the schema itself"),
    ({"$ref": "other.json"}, "does not lead into the schema itself"),
    ({"$ref": "#anchor"}, "does not lead into the schema itself"),
    ({"$ref": "#/$defs/none"}, "nothing at '#/$defs/none'"),
    ({"$ref": "#/allOf/1", "allOf": [{}]}, "nothing at"),
    ({"$ref": 5}, "does not lead into the schema itself"),
    ({"$ref": "#"}, "leads back to itself"),
    ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "leads back to itself"),
    ({"$dynamicRef": "#a"}, "'$dynamicRef' is not taken"),
    ({"properties": {"a": {"$id": "https://example.org/"}}}, "'$id' stands inside"),
    ({"properties": {"a": {"$schema": "http://json-schema.org/draft-04/schema#"}}}, "'$schema' stands inside"),
    ({"pattern": "(a)\\1"}, "schema.pattern"),
    ({"pattern": "(?=a)b"}, "schema.pattern"),
    ({"pattern": "((a{1,100}){1,100}){1,100}"}, "schema.pattern"),
]


@pytest.mark.parametrize(("schema", "told"), REFUSED, ids=lambda one: str(one)[:40])
def test_what_is_no_schema_is_refused_and_says_where(schema: Any, told: str) -> None:
    with pytest.raises(BadSchema) as refused:
        compile_schema(schema)
    assert told in str(refused.value)


def test_references_into_the_schema_are_followed() -> None:
    schema = {
        "$defs": {"a/b": {"type": "string"}, "list": {"prefixItems": [{"type": "number"}]}},
        "properties": {
            "x": {"$ref": "#/$defs/a~1b"},
            "y": {"$ref": "#/$defs/list/prefixItems/0"},
            "z": {"$ref": "#/%24defs/a~1b"},
        },
    }
    for name, value in {"x": 1, "y": "text", "z": 1}.items():
        assert reason(schema, {name: value}) is not None
    assert reason(schema, {"x": "text", "y": 1, "z": "text"}) is None


def test_a_schema_may_refer_to_itself_further_in() -> None:
    tree = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "value": {"type": "number"}}}
    assert reason(tree, {"left": {"right": {"value": "text"}}}) == "left.right.value is text; it is to be a number"


def test_a_schema_is_not_shared_with_whoever_gave_it() -> None:
    given: dict[str, Any] = {"required": ["a"]}
    compiled = compile_schema(given)
    given["required"].append("b")
    assert compiled.plain == {"required": ["a"]}


# ------------------------------------------------------------------------------------------- boundaries


def accepted(schema: dict[str, Any], **settings: int) -> bool:
    try:
        compile_schema(schema, TypeSettings(**settings))  # type: ignore[arg-type]
    except BadSchema:
        return False
    return True


def test_the_size_is_bounded() -> None:
    schema = {"title": "é" * 10}
    size = len('{"title":""}') + 20
    assert accepted(schema, schema_bytes=size)
    assert not accepted(schema, schema_bytes=size - 1)


def test_the_depth_is_bounded() -> None:
    schema: dict[str, Any] = {}
    for _ in range(4):
        schema = {"not": schema}
    assert accepted(schema, schema_depth=5)
    assert not accepted(schema, schema_depth=4)


def test_a_bomb_of_depth_is_refused_without_being_walked() -> None:
    schema: dict[str, Any] = {}
    for _ in range(100_000):
        schema = {"not": schema}
    assert not accepted(schema)


@pytest.mark.parametrize("schema", [{"pattern": "aaaa"}, {"patternProperties": {"aaaa": {}}}])
def test_patterns_are_bounded(schema: dict[str, Any]) -> None:
    assert accepted({"properties": {"x": schema}}, schema_pattern=4)
    assert not accepted({"properties": {"x": schema}}, schema_pattern=3)


@pytest.mark.parametrize(
    ("schema", "work"),
    [
        ({}, 1),
        ({"allOf": [{}, {}]}, 3),
        ({"anyOf": [{"not": {}}, {"if": {}, "then": {}}]}, 6),
        ({"properties": {"a": {"oneOf": [{}, {}]}, "b": {"oneOf": [{}, {}]}}}, 3),
        ({"patternProperties": {"a": {}, "b": {}}, "additionalProperties": {}}, 3),
        ({"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}, 5),
        ({"enum": [1, "a"]}, 9),
        ({"enum": ["a", "b", "c"]}, 1),
        ({"enum": [1, 2]}, 9),
        ({"unevaluatedProperties": False, "allOf": [{}]}, 4),
        ({"prefixItems": [{"not": {}}, {"not": {}}], "items": {"allOf": [{}, {}]}}, 3),
        ({"propertyNames": {}, "contains": {}}, 2),
        ({"dependentSchemas": {"a": {"not": {}}}}, 3),
    ],
    ids=lambda one: str(one)[:40],
)
def test_work_is_bounded_by_the_schemas_that_ask_about_one_value(schema: dict[str, Any], work: int) -> None:
    assert accepted(schema, schema_work=work)
    assert work == 1 or not accepted(schema, schema_work=work - 1)


def _doubling(times: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"d0": {}}
    for one in range(1, times):
        defs[f"d{one}"] = {"allOf": [{"$ref": f"#/$defs/d{one - 1}"}] * 2}
    return {"$defs": defs, "$ref": f"#/$defs/d{times - 1}"}


def _unevaluated(times: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"z": True}}
    for _ in range(times):
        schema = {"unevaluatedProperties": False, "allOf": [schema]}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        _doubling(40),
        _unevaluated(12),
        {"allOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]},
        {"enum": [{"a": one} for one in range(1_000)]},
        {
            "$defs": {f"d{one}": {"$ref": f"#/$defs/d{one + 1}"} for one in range(2_000)} | {"d2000": {}},
            "$ref": "#/$defs/d0",
        },
    ],
    ids=["doubling", "unevaluated", "both-ways", "enum", "chain"],
)
def test_schemas_that_blow_up_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(BadSchema, match="too much work"):
        compile_schema(schema)


def test_a_pattern_that_backtracking_would_never_finish_is_checked_at_once() -> None:
    compiled = compile_schema({"properties": {"x": {"pattern": "^(a+)+$"}}})
    assert compiled.problem({"x": "a" * 30_000 + "b"}) is not None
    assert compiled.problem({"x": "a" * 30_000}) is None
