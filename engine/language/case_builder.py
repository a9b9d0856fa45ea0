"""From the words of a test's clauses to its nodes."""

from __future__ import annotations

from lark import Token

from .builder import Builder, text_of
from .case_nodes import Acts, Changes, Given, Occurs, Silent, Value
from .codes import finding
from .limits import MOST_DAYS
from .nodes import Argument, Duration, Literal, Operand, Path, Total
from .terms import ClauseError, Name, place

_DAY = 86_400_000_000


class CaseBuilder(Builder):
    """What follows ``Given:``, ``At:`` and ``Expect:``."""

    def given(self, *fixed: Given) -> tuple[Given, ...]:
        return fixed

    def fixed(self, path: Path, _: Token, value: Operand) -> Given:
        if path.scope == "trigger":
            advice = "write person.x; what the trigger carries stands in its 'At:' line"
            raise ClauseError(finding("not-settable", "only attributes of the person are given", path.span, advice))
        held = plain(value)
        return Given(Path("person", path.parts, path.span), held, (path.span[0], held.span[1]))

    def at_set(self, time: Duration, _: Token, fixed: Given) -> Changes:
        return Changes(clock(time), fixed.path, fixed.value, (time.span[0], fixed.span[1]))

    def at_event(self, time: Duration, name: Name, arguments: tuple[Argument, ...] | None) -> Occurs:
        values = plain_values(arguments)
        return Occurs(clock(time), name.text, values, (time.span[0], end_of(name, values)))

    def expect_nothing(self, word: Token, _: Token | None, until: Duration | None) -> Silent:
        start, end = place(word)
        return Silent(clock(until) if until else None, (start, until.span[1] if until else end))

    def expect_effect(
        self,
        name: Name,
        template: Token | None,
        to: Operand | None,
        arguments: tuple[Argument, ...] | None,
        time: Duration,
    ) -> Acts:
        recipient = plain(to) if to else None
        span = (name.span[0], time.span[1])
        return Acts(clock(time), name.text, text_of(template), recipient, plain_values(arguments), span)


def end_of(name: Name, values: tuple[Value, ...]) -> int:
    return values[-1][1].span[1] if values else name.span[1]


def plain_values(arguments: tuple[Argument, ...] | None) -> tuple[Value, ...]:
    """Arguments that state values; a test works nothing out."""
    return tuple((name, plain(value)) for name, value in arguments or ())


def plain(value: Literal | Path | Total) -> Literal:
    if isinstance(value, Literal):
        return value
    advice = "write the value it should have"
    raise ClauseError(finding("plain-value", "a test states plain values", value.span, advice))


def clock(time: Duration) -> int:
    """Microseconds since the start of the test."""
    if time.months:
        advice = "write it in days"
        raise ClauseError(finding("calendar-in-test", "a test knows no months and years", time.span, advice))
    if not 0 <= time.micros <= MOST_DAYS * _DAY:
        advice = f"write a time from 0h to {MOST_DAYS} days"
        raise ClauseError(finding("bad-duration", "this is no time of the test's clock", time.span, advice))
    return time.micros
