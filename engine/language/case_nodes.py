"""The syntax tree of a rule's tests. A test runs on a clock of its own: microseconds since its start, 0h."""

from __future__ import annotations

from dataclasses import dataclass, field

from .nodes import NOWHERE, Literal, Path, Span

Value = tuple[str, Literal]
"""A field and what it holds."""


@dataclass(frozen=True, slots=True)
class Given:
    """``Given: person.country = PL``: an attribute the person has before 0h."""

    path: Path
    value: Literal
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Occurs:
    """``At: 3h cart_updated with cart_id = c1``: an event."""

    time: int
    name: str
    values: tuple[Value, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """``At: 3h set person.plan = pro``: an attribute that changes."""

    time: int
    path: Path
    value: Literal
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Acts:
    """``Expect: send_email "cart_reminder" at 27h``: an action, with as much of it as is written."""

    time: int
    name: str
    template: str | None = None
    to: Literal | None = None
    values: tuple[Value, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Silent:
    """``Expect: nothing until 48h``; without an end: for as long as the test lasts."""

    until: int | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Happening = Occurs | Changes
Expectation = Acts | Silent


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one rule, as written; happenings and expectations in the order of the text."""

    title: str | None
    notes: tuple[str, ...]
    rule: str
    givens: tuple[Given, ...] = ()
    happenings: tuple[Happening, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)
