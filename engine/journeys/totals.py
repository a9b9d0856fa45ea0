"""A total that changes as events come and go, without being added up anew each time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from fractions import Fraction
from typing import Any

from engine.journeys import values


class Running:
    """The total of what was added and not removed: always what :func:`values.total` says of the same values."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._events = 0
        self._different: Counter[tuple[str, Any]] = Counter()
        self._numbers: list[int | float] = []
        self._fractions = 0
        self._exact = Fraction(0)

    def add(self, value: Any) -> None:
        """Count the value of one event more."""
        self._count(value, 1)

    def remove(self, value: Any) -> None:
        """Count one that was added no longer."""
        self._count(value, -1)

    def value(self) -> int | float | None:
        """Return the total as it stands."""
        match self._function:
            case "count":
                return self._events
            case "count of different":
                return len(self._different)
            case "sum":
                return self._sum()
            case _ if not self._numbers:
                return None
            case "average":
                return values.nearest(self._exact / len(self._numbers))
            case "min":
                return self._numbers[0]
            case _:
                return self._numbers[-1]

    def _count(self, value: Any, times: int) -> None:
        self._events += times
        if self._function == "count" or value is None:
            return
        for one in values.elements(value):
            if self._function == "count of different":
                key = values.distinct(one)
                self._different[key] += times
                if not self._different[key]:
                    del self._different[key]
            elif values.is_number(one):
                self._count_number(one, times)

    def _count_number(self, one: int | float, times: int) -> None:
        if times > 0:
            insort(self._numbers, one)
        else:
            del self._numbers[bisect_left(self._numbers, one)]
        if isinstance(one, float):
            self._fractions += times
        self._exact += times * values.exact([one])

    def _sum(self) -> int | float:
        return values.rounded(self._exact, whole=not self._fractions)
