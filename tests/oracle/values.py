"""Values of fields and how they compare (section 3, rulings 36 and 37)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from engine.language import nodes

from .times import read_date, read_iso

Lookup = Callable[[nodes.Path], list[Any]]
"""What a path of the right-hand side stands for: the values found there."""


def raw_values(holder: Any, parts: tuple[str, ...]) -> list[Any]:
    """What stands at the end of ``parts``; a list on the way is entered. ``None`` counts as missing."""
    if holder is None:
        return []
    if not parts:
        return [holder]
    if isinstance(holder, (list, tuple)):
        return [value for element in holder for value in raw_values(element, parts)]
    if isinstance(holder, Mapping):
        return raw_values(holder.get(parts[0]), parts[1:])
    return []


def leaves(values: list[Any]) -> list[Any]:
    """Section 3: a path that meets a list holds if any element does."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, (list, tuple)):
            found.extend(leaves(list(value)))
        elif value is not None:
            found.append(value)
    return found


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equal(left: Any, right: Any, digits: bool = False, bare: bool = False) -> bool:
    """Text exactly, a number never equals a text, save whole numbers and ``digits``, and bare true and false."""
    if bare and str(right).lower() in ("true", "false"):
        wanted = str(right).lower()
        return (left is (wanted == "true")) or (isinstance(left, str) and left == wanted)
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if is_number(left) and is_number(right):
        return bool(left == right)
    if digits and is_number(left) != is_number(right):
        number, text = (left, right) if is_number(left) else (right, left)
        return isinstance(text, str) and float(number).is_integer() and str(int(number)) == text
    return type(left) is type(right) and bool(left == right)


def ordered(left: Any, right: Any, zone: ZoneInfo) -> int | None:
    """-1, 0 or 1 for two numbers or two ISO dates or times (ruling 36); nothing for any other pair."""
    if is_number(left) and is_number(right):
        return int(left > right) - int(left < right)
    if read_iso(left) is not None and read_iso(right) is not None:
        first, second = read_date(left, zone), read_date(right, zone)
        if first is not None and second is not None:
            return (first > second) - (first < second)
    return None


_SIGNS: dict[str, tuple[int, ...]] = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}
_NEGATIONS: dict[str, nodes.Operator] = {"!=": "=", "not in": "in", "is not set": "is set"}


def compare(
    raw: list[Any], operator: nodes.Operator, right: tuple[nodes.Operand, ...], lookup: Lookup, zone: ZoneInfo
) -> bool:
    """Does a field with these values pass? A missing one fails all but the negations (ruling 36)."""
    if operator in _NEGATIONS:
        return not compare(raw, _NEGATIONS[operator], right, lookup, zone)
    left = leaves(raw)
    if operator == "is set":
        return bool(left)
    if operator in ("=", "in"):
        return any(_equals(value, operand, lookup) for value in left for operand in right)
    if operator == "between":
        low, high = right
        return any(
            _stands(value, ">=", low, lookup, zone) and _stands(value, "<=", high, lookup, zone) for value in left
        )
    if operator in _SIGNS:
        return any(_stands(value, operator, right[0], lookup, zone) for value in left)
    return any(_text(value, operator, right[0], lookup) for value in raw)


def _equals(value: Any, operand: nodes.Operand, lookup: Lookup) -> bool:
    if isinstance(operand, nodes.Literal):
        return equal(value, operand.value, bare=operand.bare or isinstance(operand.value, bool))
    return any(equal(value, other, digits=operand.scope == "trigger") for other in leaves(lookup(operand)))


def _given(operand: nodes.Operand, lookup: Lookup) -> list[Any]:
    return [operand.value] if isinstance(operand, nodes.Literal) else leaves(lookup(operand))


def _stands(value: Any, operator: str, operand: nodes.Operand, lookup: Lookup, zone: ZoneInfo) -> bool:
    return any(ordered(value, other, zone) in _SIGNS[operator] for other in _given(operand, lookup))


def _text(value: Any, operator: nodes.Operator, operand: nodes.Operand, lookup: Lookup) -> bool:
    """``contains`` looks into a text or a list; ``starts with`` and ``ends with`` into texts."""
    if isinstance(value, (list, tuple)):
        if operator == "contains":
            return any(_equals(element, operand, lookup) for element in leaves(list(value)))
        return any(_text(element, operator, operand, lookup) for element in leaves(list(value)))
    for other in _given(operand, lookup):
        if isinstance(value, str) and isinstance(other, str):
            if operator == "contains":
                held = other in value
            else:
                held = value.startswith(other) if operator == "starts with" else value.endswith(other)
            if held:
                return True
    return False


def total(function: str, values: list[Any], events: int) -> float | int | None:
    """Ruling 2: sum and counts of nothing are 0, the rest is missing; what is no number is left out."""
    if function == "count":
        return events
    if function == "count of different":
        return len({canonical(value) for value in values})
    numbers: list[int | float] = [value for value in values if is_number(value)]
    if function == "sum":
        return exact(numbers)
    if not numbers:
        return None
    if function == "average":
        return exact(numbers, len(numbers))
    return min(numbers) if function == "min" else max(numbers)


def exact(numbers: list[int | float], share: int = 1) -> float | int:
    """The sum of the decimals that JSON writes for the numbers, or a share of it, as the nearest number."""
    whole = sum(Fraction(repr(one)) for one in numbers)
    if share == 1 and all(isinstance(one, int) for one in numbers):
        return int(whole)
    return float(whole / share)


def canonical(value: Any) -> str:
    """One text per different value; 1 and 1.0 are one number, 1 and "1" are two values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
