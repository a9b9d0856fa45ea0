"""The syntax tree of a rule's tests. A test runs on a clock of its own: microseconds since its start, 0h."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

from .nodes import NOWHERE, Date, Duration, Literal, Path, QuietHours, Span, TimeOfDay, Zone


@dataclass(frozen=True, slots=True)
class Listed:
    """Several values: ``(a, b)``."""

    items: tuple[Literal, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar and a time, midnight unless said, by the clock of the test's start."""

    date: Date
    time: TimeOfDay | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Stated = Literal | Listed
"""What a field is said to hold."""

Value = tuple[tuple[str, ...], Stated]
"""The path of a field and what it holds."""

When = int | Day
"""A moment: microseconds since 0h, or a day of the calendar."""


@dataclass(frozen=True, slots=True)
class Given:
    """``Given: person.country = PL``: an attribute the person has before 0h."""

    path: Path
    value: Stated
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Occurs:
    """``At: 3h cart_updated with cart_id = c1``: an event."""

    time: When
    name: str
    values: tuple[Value, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """``At: 3h set person.plan = pro``: an attribute that changes."""

    time: When
    path: Path
    value: Stated
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Acts:
    """``Expect: send_email "cart_reminder" at 27h``: an action, with as much of it as is written."""

    time: When
    name: str
    template: str | None = None
    to: Literal | None = None
    values: tuple[Value, ...] = ()
    variant: Literal | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sets:
    """``Expect: set person.tier = gold at 3h``: an attribute that the rule changes."""

    time: When
    path: Path
    value: Stated
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tracks:
    """``Expect: track second_thoughts with order_id = o1 at 3h``: an event that the rule writes."""

    time: When
    name: str
    values: tuple[Value, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Silent:
    """``Expect: nothing until 48h``; without an end: for as long as the test lasts."""

    until: When | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Start:
    """``Start: 2026-11-27 in Europe/Warsaw``: what 0h is."""

    date: Date
    time: TimeOfDay | None = None
    zone: Zone | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Draw:
    """``Person: in arm "long"``: how a draw of the rule comes out for the person; ``arm`` may be a number from 1."""

    kind: OneOf["arm", "sample", "holdout"]
    name: str | int | None = None
    wanted: bool = True
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CapLine:
    """``Cap: marketing = 1 per person per 16 hours``."""

    name: str
    number: int
    duration: Duration
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Happening = Occurs | Changes
Effect = Acts | Sets | Tracks
Expectation = Effect | Silent


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one rule, as written; happenings and expectations in the order of the text."""

    title: str | None
    notes: tuple[str, ...]
    rule: str
    givens: tuple[Given, ...] = ()
    happenings: tuple[Happening, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    companions: tuple[str, ...] = ()
    start: Start | None = None
    draws: tuple[Draw, ...] = ()
    caps: tuple[CapLine, ...] = ()
    quiet: tuple[QuietHours, ...] = ()
    rule_span: Span = field(default=NOWHERE, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)
