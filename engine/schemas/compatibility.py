"""Whether a new schema takes all events that the old one took, worked out from the two alone.

The answer is sure or it is not given: :class:`Compatible` only where every event that the old schema takes is taken
by the new one, an example only where the old schema takes it and the new one does not, and else :class:`Unknown`. The
part of JSON Schema this covers is that of :mod:`engine.schemas.subset`; ``docs/event-types.md`` states it for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from engine.schemas.examples import list_with, object_with, types_taken, values
from engine.schemas.subset import (
    TOGETHER,
    Schema,
    admits,
    bounds,
    choices,
    foreign,
    items_of,
    of_property,
    others_of,
    refers,
    same,
    swaying,
    type_of,
    types_of,
)
from engine.strict_json import path_text, shown

_TRIES: Final = 20
"""Places at which an example is tried before the first finding is given without one."""

_CANDIDATES: Final = 50
"""Values that are tried for an example at one place."""

_DRAFTS: Final = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "https://json-schema.org/draft/2019-09/schema",
        "http://json-schema.org/draft-07/schema",
        "http://json-schema.org/draft-06/schema",
    }
)
"""Drafts in which the words of the subset mean the same."""

_FEW: Final[Mapping[str, tuple[Any, ...]]] = {"null": (None,), "boolean": (False, True)}
"""The types that have few values."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Compatible:
    """Whatever the old schema takes, the new one takes."""


@dataclass(frozen=True, slots=True)
class Breaks:
    """The new schema refuses what the old one took. ``example``: such properties, where some could be made."""

    reason: str
    example: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing sure can be said, and why."""

    reason: str


Compatibility = Compatible | Breaks | Unknown


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Compatibility:
    """Whether ``new`` takes all properties of events that ``old`` takes. Both are schemas that were accepted."""
    if same(_told(old), _told(new)):
        return Compatible()
    if _draft(old) not in _DRAFTS or _draft(old) != _draft(new):
        return Unknown("schemas of different or older drafts are not compared")
    first: _Gap | None = None
    unsure: _Gap | None = None
    for gap in islice(_gaps(old, new, (), ("object",)), _TRIES):
        if not gap.sure:
            unsure = unsure or gap
        elif gap.examples:
            return Breaks(gap.reason, gap.examples[0])
        else:
            first = first or gap
    if first is not None:
        return Breaks(first.reason, None)
    return Compatible() if unsure is None else Unknown(unsure.reason)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Something the old schema may take and the new one does not; ``sure`` when it does."""

    reason: str
    sure: bool
    examples: tuple[Any, ...] = ()


def _gaps(old: Schema, new: Schema, path: Path, types: Iterable[str] | None = None) -> Iterator[_Gap]:
    """What of ``old`` is not in ``new``; ``types`` are those a value can have here at all."""
    if new is True or _is_empty(old) or (same(old, new) and not refers(new)):
        return
    if word := swaying(old) or swaying(new):
        yield _Gap(f"'{word}' {_place(path)} is beyond what is compared", sure=False)
        return
    own = foreign(old)
    if word := _changed_word(own, foreign(new)):
        yield _Gap(f"'{word}' {_place(path)} is beyond what is compared", sure=False)
    elif own and not isinstance(new, bool):
        new = {word: value for word, value in new.items() if word not in own}
    few = choices(old)
    gaps = _gaps_of_types(old, new, path, types) if few is None else _gaps_of_values(few, old, new, path, types)
    for gap in gaps:
        if own:
            yield _Gap(f"'{next(iter(own))}' {_place(path)} is beyond what is compared", sure=False)
        else:
            yield gap


def _changed_word(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """A foreign keyword of the new schema that is not the same in the old one."""
    for word, value in new.items():
        group = TOGETHER.get(word, (word,))
        if refers(value) or not same([old.get(one) for one in group], [new.get(one) for one in group]):
            return word
    return None


def _gaps_of_values(
    few: Iterable[Any], old: Schema, new: Schema, path: Path, types: Iterable[str] | None
) -> Iterator[_Gap]:
    """The old schema takes no more than a few values: each is asked for."""
    for value in few:
        was, now = admits(old, value), admits(new, value)
        if was is False or now or (types is not None and type_of(value) not in types):
            continue
        if now is None:
            yield _Gap(f"whether {_named(path)} still takes {_shown(value)} is beyond what is compared", sure=False)
        else:
            yield _Gap(f"{_named(path)} took {_shown(value)} before", bool(was), (value,) if was else ())


def _gaps_of_types(old: Schema, new: Schema, path: Path, types: Iterable[str] | None) -> Iterator[_Gap]:
    for kind in types_taken(old):
        if types is not None and kind not in types:
            continue
        if not _takes_type(new, kind):
            yield _gap(old, new, kind, f"{_named(path)} could be {_WORDS[kind]} before")
        elif kind in _FEW:
            yield from _gaps_of_values(_FEW[kind], old, new, path, types)
        elif choices(new) is not None:
            yield _gap(old, new, kind, f"{_named(path)} could have other values before", sure=False)
        else:
            yield from _GAPS[kind](old, new, path, kind)


def _gap(old: Schema, new: Schema, kind: str, reason: str, near: Iterable[float] = (), *, sure: bool = True) -> _Gap:
    """A gap with an example where there is one; without, it is as sure as the caller says."""
    tried = islice(values(old, (kind,), near), _CANDIDATES)
    found = next(((one,) for one in tried if admits(new, one) is False), ())
    return _Gap(reason, sure or bool(found), found)


def _takes_type(schema: Schema, kind: str) -> bool:
    taken = types_of(schema)
    return kind in taken or (kind == "integer" and "number" in taken)


# ---------------------------------------------------------------------------------------- type by type


def _gaps_of_numbers(old: Schema, new: Schema, path: Path, kind: str) -> Iterator[_Gap]:
    lower, upper = _least(old, kind), _most(old, kind)
    least, most = _least(new, kind), _most(new, kind)
    near = [one[0] for one in (lower, upper, least, most) if one is not None]
    if least is not None and (lower is None or lower < least):
        yield _gap(old, new, kind, f"{_named(path)} could be less before", near, sure=False)
    if most is not None and (upper is None or (-upper[0], upper[1]) < (-most[0], most[1])):
        yield _gap(old, new, kind, f"{_named(path)} could be more before", near, sure=False)


def _least(schema: Schema, kind: str) -> tuple[float, bool] | None:
    """The lower bound, and whether it is left out; of two the stricter."""
    found = _limits(schema, "minimum", "exclusiveMinimum")
    if kind == "integer":
        found = [(_whole_from(one), False) for one in found]
    return max(found, default=None)


def _most(schema: Schema, kind: str) -> tuple[float, bool] | None:
    """The upper bound, and whether it is left out; of two the stricter."""
    found = _limits(schema, "maximum", "exclusiveMaximum")
    if kind == "integer":
        found = [(-_whole_from((-limit, out)), False) for limit, out in found]
    return min(found, key=lambda one: (one[0], not one[1]), default=None)


def _limits(schema: Schema, included: str, left_out: str) -> list[tuple[float, bool]]:
    words = {} if isinstance(schema, bool) else schema
    return [(words[word], word == left_out) for word in (included, left_out) if word in words]


def _whole_from(lower: tuple[float, bool]) -> int:
    """The least whole number above a lower bound."""
    limit, left_out = lower
    floor = int(limit // 1)
    return floor + 1 if left_out or floor < limit else floor


def _gaps_of_texts(old: Schema, new: Schema, path: Path, kind: str) -> Iterator[_Gap]:
    yield from _gaps_of_length(old, new, path, kind, ("minLength", "maxLength"), "text")
    for word in ("pattern", "format"):
        wanted = None if isinstance(new, bool) else new.get(word)
        if wanted is not None and (isinstance(old, bool) or old.get(word) != wanted):
            yield _Gap(f"whether all texts of {_named(path)} have the new '{word}' cannot be compared", sure=False)


def _gaps_of_length(
    old: Schema, new: Schema, path: Path, kind: str, words: tuple[str, str], what: str
) -> Iterator[_Gap]:
    (lower, upper), (least, most) = bounds(old, *words), bounds(new, *words)
    if lower < least:
        yield _gap(old, new, kind, f"{_named(path)} could be a shorter {what} before", (least - 1,), sure=False)
    if most < upper:
        yield _gap(old, new, kind, f"{_named(path)} could be a longer {what} before", (most + 1,), sure=False)


def _gaps_of_lists(old: Schema, new: Schema, path: Path, kind: str) -> Iterator[_Gap]:
    yield from _gaps_of_length(old, new, path, kind, ("minItems", "maxItems"), "list")
    if bounds(old, "minItems", "maxItems")[1] == 0:
        return
    for gap in _gaps(items_of(old), items_of(new), (*path, 0)):
        lists = [list_with(old, [one]) for one in gap.examples]
        yield _Gap(gap.reason, gap.sure, _proven(old, new, lists))


def _gaps_of_objects(old: Schema, new: Schema, path: Path, _kind: str) -> Iterator[_Gap]:
    for name in _words(new, "required"):
        if name not in _words(old, "required"):
            reason = f"{path_text((*path, name))} is required, and was not before"
            yield _Gap(reason, True, _proven(old, new, [object_with(old, {}, without=name), object_with(old, {})]))
    for name in dict.fromkeys((*_words(old, "properties"), *_words(new, "properties"))):
        yield from _gaps_of_field(old, new, (*path, name), of_property(old, name), of_property(new, name), name)
    other = _unnamed(old, new)
    yield from _gaps_of_field(old, new, (*path, other), others_of(old), others_of(new), other)


def _gaps_of_field(old: Schema, new: Schema, path: Path, before: Schema, after: Schema, name: str) -> Iterator[_Gap]:
    for gap in _gaps(before, after, path):
        objects = [object_with(old, {name: one}) for one in gap.examples]
        yield _Gap(gap.reason, gap.sure, _proven(old, new, objects))


def _proven(old: Schema, new: Schema, candidates: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(one for one in candidates if one is not None and admits(old, one) and admits(new, one) is False)


def _unnamed(old: Schema, new: Schema) -> str:
    """A field that neither schema names."""
    names = {*_words(old, "properties"), *_words(new, "properties"), *_words(old, "required"), *_words(new, "required")}
    return next(name for number in range(len(names) + 1) if (name := f"other{number or ''}") not in names)


def _words(schema: Schema, word: str) -> list[str]:
    return [] if isinstance(schema, bool) else list(schema.get(word, ()))


_GAPS: Final = {
    "integer": _gaps_of_numbers,
    "number": _gaps_of_numbers,
    "string": _gaps_of_texts,
    "array": _gaps_of_lists,
    "object": _gaps_of_objects,
}


def _is_empty(schema: Schema) -> bool:
    """Whether a schema surely takes nothing at all."""
    if isinstance(schema, bool):
        return not schema
    if swaying(schema):
        return False
    few = choices(schema)
    if few is not None:
        return all(admits(schema, one) is False for one in few)
    return all(_takes_no(schema, kind) for kind in types_taken(schema))


def _takes_no(schema: Mapping[str, Any], kind: str) -> bool:
    """Whether a schema surely takes no value of a type."""
    match kind:
        case "integer" | "number":
            least, most = _least(schema, kind), _most(schema, kind)
            return (
                least is not None
                and most is not None
                and (least[0] > most[0] or (least[0] == most[0] and (least[1] or most[1])))
            )
        case "string":
            least_length, most_length = bounds(schema, "minLength", "maxLength")
            return least_length > most_length
        case "array":
            least_length, most_length = bounds(schema, "minItems", "maxItems")
            return least_length > most_length or (least_length > 0 and _is_empty(items_of(schema)))
        case "object":
            return any(_is_empty(of_property(schema, name)) for name in schema.get("required", ()))
        case _:
            return False


# ----------------------------------------------------------------------------------------------- words

_WORDS: Final = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a whole number",
    "number": "any number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}


def _named(path: Path) -> str:
    return path_text(path) or "the event"


def _place(path: Path) -> str:
    return f"of {path_text(path)}" if path else "at the top"


def _shown(value: object) -> str:
    return f"'{shown(value)}'" if isinstance(value, str) else shown(json.dumps(value, ensure_ascii=False))


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without what only describes it."""
    return {word: value for word, value in schema.items() if word not in ("title", "description", "$comment")}


def _draft(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$schema", "https://json-schema.org/draft/2020-12/schema")).removesuffix("#")
