"""Values that a schema of the subset takes: the material of examples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from engine.schemas.subset import FORMATS, TYPES, Schema, admits, bounds, choices, items_of, of_property, types_of
from engine.strict_json import INTEGER_MAX, INTEGER_MIN

_LARGE: Final = 1_000
"""Texts and lists that would have to be longer are not made."""

_FEW: Final = 3
"""Items and fields are tried out with this many values."""


def values(schema: Schema, types: Iterable[str] = TYPES, near: Iterable[float] = ()) -> Iterator[Any]:
    """Some values that ``schema`` surely takes, of some types. ``near``: numbers and lengths worth trying too."""
    tried = list(near)
    few = choices(schema)
    made = few if few is not None else (value for kind in types for value in _made(schema, kind, tried))
    wanted = frozenset(types)
    for value in made:
        if _kind_is_among(value, wanted) and _is_storable(value) and admits(schema, value):
            yield value


def object_with(schema: Schema, given: Mapping[str, Any], without: str | None = None) -> dict[str, Any] | None:
    """An object with the fields given and those that ``schema`` requires; None where one of them cannot be made."""
    made = dict(given)
    for name in () if isinstance(schema, bool) else schema.get("required", ()):
        if name in made or name == without:
            continue
        found = next(_some(of_property(schema, name)), None)
        if found is None:
            return None
        made[name] = found[0]
    return made


def list_with(schema: Schema, given: list[Any], length: int = 0) -> list[Any] | None:
    """A list that begins with the items given and is as long as ``schema`` demands, and ``length`` at least."""
    wanted = max(bounds(schema, "minItems", "maxItems")[0], length)
    if wanted > _LARGE:
        return None
    found = next(_some(items_of(schema)), None)
    if found is None and len(given) < wanted:
        return None
    return given + [found[0]] * (wanted - len(given)) if found is not None else given


def _some(schema: Schema) -> Iterator[tuple[Any]]:
    """A few values, each in a tuple, so that null is told from nothing."""
    for value, _ in zip(values(schema), range(_FEW), strict=False):
        yield (value,)


def _kind_is_among(value: Any, types: frozenset[str]) -> bool:
    return any(_admitted_type(kind, value) for kind in types)


def _is_storable(value: Any) -> bool:
    """Whether no event would be refused for it: whole numbers have 64 bits."""
    return not isinstance(value, int) or INTEGER_MIN <= value <= INTEGER_MAX


def _admitted_type(kind: str, value: Any) -> bool:
    return admits({"type": kind}, value) is True


def _made(schema: Schema, kind: str, near: list[float]) -> Iterator[Any]:
    """Candidates of one type; not all of them need be taken."""
    match kind:
        case "null":
            yield None
        case "boolean":
            yield from (False, True)
        case "integer" | "number":
            yield from _numbers(schema, near, whole=kind == "integer")
        case "string":
            yield from _texts(schema, near)
        case "array":
            for length in (0, 1, *map(int, near)):
                if (made := list_with(schema, [], length)) is not None:
                    yield made
        case _:
            if (made_object := object_with(schema, {})) is not None:
                yield made_object


def _numbers(schema: Schema, near: list[float], *, whole: bool) -> Iterator[float]:
    words = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    limits = near + ([] if isinstance(schema, bool) else [schema[word] for word in words if word in schema])
    for one in (0, *limits):
        yield from (one, math.floor(one), math.ceil(one), math.floor(one) - 1, math.ceil(one) + 1)
        if not whole:
            yield from (one - 0.5, one + 0.5)
    if not whole:
        yield from ((one + other) / 2 for one in limits for other in limits if one < other)


def _texts(schema: Schema, near: list[float]) -> Iterator[str]:
    if not isinstance(schema, bool) and "format" in schema:
        yield from (FORMATS[one] for one in (schema["format"],) if one in FORMATS)
    least, most = bounds(schema, "minLength", "maxLength")
    for length in (least, *near, least + 1, most):
        if 0 <= length <= _LARGE:
            yield "x" * int(length)


def types_taken(schema: Schema) -> list[str]:
    """The types a schema lets through, ``integer`` only where ``number`` is not."""
    taken = types_of(schema)
    return [one for one in TYPES if one in taken and not (one == "integer" and "number" in taken)]
