"""Values that stay false for their kind: what a rule asks of them, they can never answer.

Text against a number, what should be a date and is none, a zone nobody knows. A decision is false then, as the language
says; that it met such a value is reported beside it, by field, so that people can be told.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from engine.journeys import calendar, values
from engine.journeys.calendar import Zone
from engine.language import nodes

Kind = Literal["text_and_number", "unreadable_date", "unknown_zone"]


class Misread(NamedTuple):
    """A field whose value was of another kind than its rule asks for."""

    kind: Kind
    field: str

    @property
    def note(self) -> str:
        """The name it is counted by."""
        return f"{_PREFIX}{self.kind}:{self.field}"


_PREFIX: Final = "misread:"


def misread_in(note: str) -> Misread | None:
    """Return what a counter of this name counts; None for a counter of something else."""
    if not note.startswith(_PREFIX):
        return None
    kind, field = note.removeprefix(_PREFIX).split(":", 1)
    return Misread(kind, field)  # type: ignore[arg-type]


def compared(left: Any, operator: nodes.Operator, right: list[values.Operand], zone: Zone) -> Kind | None:
    """Return in which kind the two sides of a false comparison miss one another; None where they are just not so."""
    if operator not in _ALIKE:
        return None
    lefts, sides = list(values.elements(left)), [one for side in right for one in side.elements()]
    sides = [side for side in sides if side.value is not None]
    if not sides or not lefts:
        return None
    if all(_text_and_number(one, operator, side) for one in lefts for side in sides):
        return "text_and_number"
    if operator in _ORDERED and all(_dated(side.value, zone) for side in sides):
        return None if any(_dated(one, zone) for one in lefts) else "unreadable_date"
    return None


_ORDERED: Final = frozenset({"<", "<=", ">", ">=", "between"})
_ALIKE: Final = frozenset({"=", "in", "contains", "starts with", "ends with"}) | _ORDERED
"""The operators that are false where the kinds differ; their negations are true."""


def _text_and_number(left: Any, operator: nodes.Operator, side: values.Operand) -> bool:
    if side.correlated and operator not in _ORDERED:
        return False  # a whole number equals its own digits there
    right = side.value
    return (isinstance(left, str) and values.is_number(right)) or (values.is_number(left) and isinstance(right, str))


def _dated(value: Any, zone: Zone) -> bool:
    return calendar.moment_of(value, zone) is not None


def is_text(value: Any) -> bool:
    """Return whether a value, or an element of a list, is text: a total of numbers leaves it out."""
    return isinstance(value, str) or (isinstance(value, list) and any(map(is_text, value)))


def is_no_date(value: Any, zone: Zone) -> bool:
    """Return whether there is something, and no date, where a date is asked for."""
    return value is not None and not values.dates(value, zone)
