"""What a schema may be: how large, how deep, and how much work it makes of an event.

A schema is given by a client and then runs over every event, so its work is bounded before it is ever run. References
lead nowhere but into the schema itself; regular expressions are run by an engine without backtracking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final
from urllib.parse import unquote

from engine.errors import BadSchema, NotForObjects, RefusedError
from engine.schemas.settings import TypeSettings
from engine.strict_json import canonical, kind, plain_object, shown

_LEVELS: Final = 64
"""Levels of an event that a schema which refers to itself is followed through: the most that settings allow one."""

_UNEVALUATED: Final = 3
"""How often a schema is asked that stands beside ``unevaluatedProperties`` or ``unevaluatedItems``; measured."""

_COMPARING: Final = 4
"""What comparing a value with one of an ``enum`` costs, in schemas asked; measured."""

_REFUSED: Final = ("$dynamicRef", "$recursiveRef")
_ONE_HERE: Final = ("not", "if", "then", "else")
_SEVERAL_HERE: Final = ("allOf", "anyOf", "oneOf")
_BY_NAME_HERE: Final = ("dependentSchemas", "dependencies")
_OTHERWISE: Final = ("additionalProperties", "items", "additionalItems")
_BELOW: Final = ("propertyNames", "contains", "unevaluatedProperties", "unevaluatedItems")


def within_bounds(schema: object, settings: TypeSettings) -> dict[str, Any]:
    """A copy of ``schema`` in plain JSON types, found to be within all bounds. Raises BadSchema that says which not."""
    if not isinstance(schema, dict):
        raise BadSchema(f"the schema is {kind(schema)}; it is an object, such as {{'required': ['orderId']}}")
    if not _is_for_objects(schema.get("type")):
        raise NotForObjects("the schema has a 'type' without 'object'; what events carry is an object")
    try:
        plain = plain_object(schema, "schema", settings.schema_depth, settings.schema_bytes)
    except RefusedError as error:
        raise BadSchema(f"the schema cannot be taken: {error.reason}") from None
    size = len(canonical(plain))
    if size > settings.schema_bytes:
        raise BadSchema(f"the schema has {size} bytes; at most {settings.schema_bytes} are taken")
    nodes = _Reader(plain, settings).nodes()
    _check_work(nodes, settings.schema_work)
    return plain


@dataclass
class _Node:
    """One schema inside a schema, by what it asks about: others by their numbers."""

    own: int
    """What it costs by itself, in schemas asked."""
    factor: int = 1
    here: list[int] = field(default_factory=list)
    """Those that ask about the same value."""
    either: list[int] = field(default_factory=list)
    """Those of which one asks about a value inside."""
    below: list[int] = field(default_factory=list)
    """Those that all may ask about a value inside."""


class _Reader:
    """Reads a schema into nodes, references followed; the root is number 0."""

    def __init__(self, root: dict[str, Any], settings: TypeSettings) -> None:
        self._root = root
        self._pattern = settings.schema_pattern
        self._numbers: dict[int, int] = {}
        self._waiting: list[Any] = []

    def nodes(self) -> list[_Node]:
        found: list[_Node] = []
        self._number(self._root)
        while len(found) < len(self._waiting):
            found.append(self._node(self._waiting[len(found)]))
        return found

    def _number(self, schema: object) -> int:
        """The number of a schema; one not met before gets the next and waits to be read."""
        known = self._numbers.get(id(schema))
        if known is not None and isinstance(schema, dict):
            return known
        self._waiting.append(schema)
        self._numbers[id(schema)] = len(self._waiting) - 1
        return len(self._waiting) - 1

    def _numbered(self, schemas: Iterator[object]) -> list[int]:
        return [self._number(one) for one in schemas]

    def _node(self, schema: object) -> _Node:
        node = _Node(1)
        if not isinstance(schema, dict):
            return node
        self._refuse(schema)
        node.own += _comparing(_members(schema.get("enum")))
        if "unevaluatedProperties" in schema or "unevaluatedItems" in schema:
            node.factor = _UNEVALUATED
        node.here = self._numbered(self._asking_here(schema))
        node.either = self._numbered(_asking_either(schema))
        node.below = self._numbered(_asking_below(schema))
        return node

    def _asking_here(self, schema: Mapping[str, Any]) -> Iterator[object]:
        yield from (schema[word] for word in _ONE_HERE if word in schema)
        for word in _SEVERAL_HERE:
            yield from _members(schema.get(word))
        for word in _BY_NAME_HERE:
            yield from (one for one in _values(schema.get(word)) if not isinstance(one, list))
        if "$ref" in schema:
            yield self._referred(schema["$ref"])

    def _refuse(self, schema: Mapping[str, Any]) -> None:
        for word in _REFUSED:
            if word in schema:
                raise BadSchema(f"'{word}' is not taken; write a '$ref' such as '#/$defs/name'")
        if schema is not self._root:
            for word in ("$id", "id", "$schema"):
                if isinstance(schema.get(word), str):
                    raise BadSchema(f"'{word}' stands inside the schema; it may stand at its top only")
        patterns = [schema.get("pattern"), *_mapping(schema.get("patternProperties"))]
        for pattern in patterns:
            if isinstance(pattern, str) and len(pattern) > self._pattern:
                reason = f"a pattern has {len(pattern)} characters; at most {self._pattern} are taken"
                raise BadSchema(f"{reason}: '{shown(pattern)}'")

    def _referred(self, reference: object) -> object:
        """Where a reference leads, which must be inside the schema. Nothing is ever fetched."""
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            told = shown(str(reference))
            raise BadSchema(f"'$ref': '{told}' does not lead into the schema itself; write it like '#/$defs/name'")
        place: Any = self._root
        for step in reference.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(place, list) and key.isascii() and key.isdecimal() and int(key) < len(place):
                place = place[int(key)]
            elif isinstance(place, dict) and key in place:
                place = place[key]
            else:
                raise BadSchema(f"'$ref': there is nothing at '{shown(reference)}'")
        return place


def _is_for_objects(types: object) -> bool:
    """Whether a schema's ``type`` lets objects in; one that is no type of JSON is told of when it is compiled."""
    named = types if isinstance(types, list) else [types]
    known = {"null", "boolean", "object", "array", "number", "string", "integer"}
    return types is None or "object" in named or not all(isinstance(one, str) and one in known for one in named)


def _asking_either(schema: Mapping[str, Any]) -> Iterator[object]:
    yield from _values(schema.get("properties"))
    yield from _members(schema.get("prefixItems"))
    yield from _members(schema.get("items"))
    yield from (schema[word] for word in _OTHERWISE if word in schema and not isinstance(schema[word], list))


def _asking_below(schema: Mapping[str, Any]) -> Iterator[object]:
    yield from _values(schema.get("patternProperties"))
    yield from (schema[word] for word in _BELOW if word in schema)


def _check_work(nodes: list[_Node], most: int) -> None:
    """Count, level by level, how many schemas ask about one value."""
    try:
        order = list(TopologicalSorter({place: node.here for place, node in enumerate(nodes)}).static_order())
    except CycleError:
        raise BadSchema("a '$ref' leads back to itself without going into a value") from None
    before = [0] * len(nodes)
    for level in range(_LEVELS):
        now = [0] * len(nodes)
        for place in order:
            node = nodes[place]
            now[place] = node.factor * sum(now[one] for one in node.here)
            if level == 0:
                now[place] += node.own
            else:
                now[place] += max((before[one] for one in node.either), default=0)
                now[place] += sum(before[one] for one in node.below)
        if now[0] > most:
            reason = f"{now[0]:,} of its parts may ask about one and the same value"
            raise BadSchema(f"the schema makes too much work: {reason}; at most {most:,} may")
        if not any(now):
            return
        before = now


def _comparing(values: list[Any]) -> int:
    """What it costs to find a value in an ``enum``: texts alone are looked up at once, others compared one by one."""
    return 0 if all(isinstance(one, str) for one in values) else _COMPARING * len(values)


def _members(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _values(value: object) -> list[Any]:
    return list(_mapping(value).values())
