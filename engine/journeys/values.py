"""What a path reads and what a comparison says of it (ruling 36 of the language).

A missing value makes every comparison false, but for ``is not set``, ``!=`` and ``not in``. A path that meets
a list holds if any element does. Text and numbers never mix, except that a whole number equals its own digits
against the trigger's field.
"""

from __future__ import annotations

import datetime
import json
import math
import sys
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from engine.journeys import calendar
from engine.journeys.calendar import Zone
from engine.language import nodes


def read(fields: Mapping[str, Any], parts: tuple[str, ...]) -> Any:
    """The value at ``parts``, dots going deeper and lists giving a list; ``None`` where there is nothing."""
    value: Any = fields
    for part in parts:
        if type(value) is dict or isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list):
            found = [one.get(part) for one in value if isinstance(one, Mapping)]
            value = [one for one in found if one is not None] or None
        else:
            return None
    return value


def holds(left: Any, operator: nodes.Operator, right: list[Operand], zone: Zone) -> bool:
    """Whether ``left operator right`` is true."""
    match operator:
        case "is set":
            return left is not None
        case "is not set":
            return left is None
        case "!=" | "not in":
            return not _any_equal(left, right)
        case "=" | "in":
            return _any_equal(left, right)
        case "between":
            low, high = right
            return any(_between(one, low.value, high.value, zone) for one in elements(left))
        case "contains":
            return any(_contains(left, one) for one in right)
        case "starts with" | "ends with":
            return any(_affixed(one, operator, other.value) for one in elements(left) for other in right)
        case _:
            return any(
                _ordered(one, operator, other, zone)
                for one in elements(left)
                for side in right
                for other in elements(side.value)
            )


class Operand:
    """A right side: its value, and how it may equal what it is compared with."""

    __slots__ = ("bare", "correlated", "value")

    def __init__(self, value: Any, *, bare: bool = False, correlated: bool = False) -> None:
        self.value = value
        self.bare = bare
        self.correlated = correlated

    def elements(self) -> Iterable[Operand]:
        """Itself, or each element of its list."""
        if not isinstance(self.value, list):
            return (self,)
        return [Operand(one, bare=self.bare, correlated=self.correlated) for one in elements(self.value)]


def equal(left: Any, right: Operand) -> bool:
    """Whether two single values are the same to a marketer."""
    value = right.value
    if type(left) is str and type(value) is str:
        return left == value
    if left is None or value is None:
        return False
    if isinstance(value, bool) and right.bare and isinstance(left, str):
        return left == ("true" if value else "false")
    if isinstance(left, bool) or isinstance(value, bool):
        return left is value
    if isinstance(left, int | float) and isinstance(value, int | float):
        return left == value
    if right.correlated and isinstance(left, str) != isinstance(value, str):
        text, number = (left, value) if isinstance(left, str) else (value, left)
        return isinstance(number, int) and text == str(number)
    return type(left) is type(value) and bool(left == value)


def _any_equal(left: Any, right: list[Operand]) -> bool:
    return any(equal(one, other) for one in elements(left) for side in right for other in side.elements())


def elements(value: Any) -> Iterable[Any]:
    """The value itself, or those of a list, lists inside it included."""
    if not isinstance(value, list):
        return (value,)
    return [inner for one in value for inner in elements(one)]


def _between(value: Any, low: Any, high: Any, zone: Zone) -> bool:
    return _ordered(value, ">=", low, zone) and _ordered(value, "<=", high, zone)


def _contains(left: Any, right: Operand) -> bool:
    if isinstance(left, list):
        return _any_equal(left, [right])
    wanted = ("true" if right.value else "false") if isinstance(right.value, bool) and right.bare else right.value
    return isinstance(left, str) and isinstance(wanted, str) and wanted in left


def _affixed(left: Any, operator: nodes.Operator, right: Any) -> bool:
    if not (isinstance(left, str) and isinstance(right, str)):
        return False
    return left.startswith(right) if operator == "starts with" else left.endswith(right)


def _ordered(left: Any, operator: nodes.Operator, right: Any, zone: Zone) -> bool:
    """Two numbers, two dates or two times of day in order; any other pair is in none."""
    if is_number(left) and is_number(right):
        return _in_order(left, operator, right)
    for reading in (lambda value: calendar.moment_of(value, zone), calendar.time_of):
        first, second = reading(left), reading(right)
        if first is not None and second is not None:
            return _in_order(first, operator, second)
    return False


def _in_order(left: Any, operator: nodes.Operator, right: Any) -> bool:
    match operator:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def dates(value: Any, zone: Zone) -> list[int]:
    """Return the moments that a value, or the elements of a list, name where a date is asked for."""
    found = (calendar.date_of(one, zone) for one in elements(value))
    return [moment for moment in found if moment is not None]


def days(value: Any, zone: Zone) -> list[datetime.date]:
    """Return the days of the calendar that a value, or the elements of a list, name."""
    found = (calendar.day_of(one, zone) for one in elements(value))
    return [day for day in found if day is not None]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def total(function: str, values: list[Any]) -> int | float | None:
    """The total of one value an event: numbers only, but for counts. Of nothing: 0, or missing for the others."""
    if function == "count":
        return len(values)
    if function == "count of different":
        return len({distinct(one) for value in values if value is not None for one in elements(value)})
    numbers: list[int | float] = [one for value in values for one in elements(value) if is_number(one)]
    if function == "sum":
        return _sum(numbers)
    if not numbers:
        return None
    if function == "average":
        return nearest(exact(numbers) / len(numbers))
    return min(numbers) if function == "min" else max(numbers)


def _sum(numbers: list[int | float]) -> int | float:
    """Return the sum, the same in any order: whole numbers stay whole up to 64 bits, the rest is the nearest number.

    What is beyond the largest number is the largest number.
    """
    return rounded(exact(numbers), whole=all(isinstance(one, int) for one in numbers))


def rounded(total: Fraction, *, whole: bool) -> int | float:
    """Return an exact sum as a number; ``whole`` when only integers were added."""
    return int(total) if whole and _WHOLE[0] <= total <= _WHOLE[1] else nearest(total)


def exact(numbers: list[int | float]) -> Fraction:
    """Return the sum of the decimals that JSON writes for the numbers, so that 0.1 and 0.2 are 0.3.

    A number of at most six decimals and fifteen digits is that many millionths, without a doubt and without its text.
    """
    millionths, rest = 0, Fraction(0)
    for one in numbers:
        if isinstance(one, int):
            millionths += one * 1_000_000
        elif abs(one) < 1e9 and (scaled := round(one * 1e6)) / 1e6 == one:
            millionths += scaled
        elif math.isfinite(one):
            rest += Fraction(repr(one))
    return rest + Fraction(millionths, 1_000_000)


def nearest(number: Fraction) -> float:
    """Return the number nearest to a fraction; the largest there is, where it lies beyond."""
    try:
        return float(number)
    except OverflowError:
        return _LARGEST if number > 0 else -_LARGEST


_LARGEST = sys.float_info.max
_WHOLE = (-(2**63), 2**63 - 1)
"""The integers that JSON readers and the store take."""


def distinct(value: Any) -> tuple[str, Any]:
    kind = "bool" if isinstance(value, bool) else "number" if is_number(value) else "other"
    return kind, repr(value) if kind == "other" else value


def text(value: Any) -> str:
    """A value as the text by which journeys of different values are told apart."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
