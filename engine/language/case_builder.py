"""From the words of a test's clauses to its nodes."""

from __future__ import annotations

from typing import cast

from lark import Token

from .builder import Builder, text_of
from .case_nodes import (
    Acts,
    CapLine,
    Changes,
    Day,
    Draw,
    Given,
    Listed,
    Occurs,
    Sets,
    Silent,
    Start,
    Stated,
    Tracks,
    Value,
    When,
)
from .codes import finding
from .limits import MOST_DAYS
from .nodes import Date, Duration, Literal, Operand, Path, Span, TimeOfDay, Zone
from .terms import ClauseError, Name, place, reach, whole

_DAY = 86_400_000_000


class CaseBuilder(Builder):
    """What follows the words of a test: ``Given:``, ``At:``, ``Expect:`` and the others."""

    # ------------------------------------------------------------------------------------- what is stated

    def stated_list(self, opening: Token, *rest: Operand | Token) -> Listed:
        *items, closing = rest
        values = tuple(plain(item) for item in items if not isinstance(item, Token))
        return Listed(values, reach(opening, cast(Token, closing)))

    def statement(self, name: Name, _: Token, value: Operand | Listed) -> Value:
        return name.parts if name.bare else (name.text,), stated(value)

    def statements(self, *values: Value) -> tuple[Value, ...]:
        return values

    def after_start(self, time: Duration) -> tuple[When, Span]:
        return clock(time), time.span

    def on_day(self, date: Date, time: Token | None) -> tuple[When, Span]:
        day = Day(date, self._time(time), reach(date, time or date))
        return day, day.span

    def _time(self, token: Token | None) -> TimeOfDay | None:
        return None if token is None else self.time(token)

    # ------------------------------------------------------------------------------------- beforehand

    def given(self, *fixed: Given) -> tuple[Given, ...]:
        return fixed

    def fixed(self, path: Path, _: Token, value: Operand | Listed) -> Given:
        if path.scope == "trigger":
            advice = "write person.x; what the trigger carries stands in its 'At:' line"
            raise ClauseError(finding("not-settable", "only attributes of the person are given", path.span, advice))
        held = stated(value)
        return Given(Path("person", path.parts, path.span), held, (path.span[0], held.span[1]))

    def start(self, date: Date, time: Token | None, zone: Zone | None) -> Start:
        return Start(date, self._time(time), zone, reach(date, zone or time or date))

    def companions(self, *names: Name) -> tuple[str, ...]:
        return tuple(name.text for name in names)

    def cap(
        self, name: Name, _equals: Token | None, times: tuple[int, Span], _person: Token, length: Duration
    ) -> CapLine:
        return CapLine(name.text, times[0], length, reach(name, length))

    def draws(self, *draws: Draw) -> tuple[Draw, ...]:
        return draws

    def draw_holdout(self, words: Token) -> Draw:
        return Draw("holdout", span=place(words))

    def draw_no_holdout(self, word: Token, held: Token) -> Draw:
        return Draw("holdout", wanted=False, span=reach(word, held))

    def draw_arm(self, word: Token, _: Token, name: Token) -> Draw:
        arm = text_of(name) if name.type == "STRING" else whole(name)
        return Draw("arm", arm, span=reach(word, name))

    def draw_sample(self, word: Token, sample: Token, name: Token | None) -> Draw:
        return Draw("sample", text_of(name), span=reach(word, name or sample))

    def draw_no_sample(self, word: Token, sample: Token, name: Token | None) -> Draw:
        return Draw("sample", text_of(name), wanted=False, span=reach(word, name or sample))

    # ------------------------------------------------------------------------------------- what happens

    def at_set(self, moment: tuple[When, Span], _: Token, fixed: Given) -> Changes:
        time, span = moment
        return Changes(time, fixed.path, fixed.value, (span[0], fixed.span[1]))

    def at_event(self, moment: tuple[When, Span], name: Name, values: tuple[Value, ...] | None) -> Occurs:
        time, span = moment
        return Occurs(time, name.text, values or (), (span[0], _end_of(name, values)))

    def expect_nothing(self, word: Token, _: Token | None, until: tuple[When, Span] | None) -> Silent:
        start, end = place(word)
        return Silent(until[0] if until else None, (start, until[1][1] if until else end))

    def expect_set(self, word: Token, fixed: Given, moment: tuple[When, Span]) -> Sets:
        return Sets(moment[0], fixed.path, fixed.value, (place(word)[0], moment[1][1]))

    def expect_track(
        self, word: Token, name: Name, values: tuple[Value, ...] | None, moment: tuple[When, Span]
    ) -> Tracks:
        return Tracks(moment[0], name.text, values or (), (place(word)[0], moment[1][1]))

    def expect_effect(
        self,
        name: Name,
        template: Token | None,
        _: Token | None,
        variant: Operand | None,
        to: Operand | None,
        values: tuple[Value, ...] | None,
        moment: tuple[When, Span],
    ) -> Acts:
        return Acts(
            moment[0],
            name.text,
            text_of(template),
            plain(to) if to else None,
            values or (),
            plain(variant) if variant else None,
            (name.span[0], moment[1][1]),
        )


def _end_of(name: Name, values: tuple[Value, ...] | None) -> int:
    return values[-1][1].span[1] if values else name.span[1]


def stated(value: Operand | Listed) -> Stated:
    """Return a value, or several, that a test states; it works nothing out."""
    return value if isinstance(value, Listed) else plain(value)


def plain(value: Operand) -> Literal:
    if isinstance(value, Literal):
        return value
    advice = "write the value it should have"
    raise ClauseError(finding("plain-value", "a test states plain values", value.span, advice))


def clock(time: Duration) -> int:
    """Return microseconds since the start of the test."""
    if time.months:
        advice = "write it in days, or write the date"
        raise ClauseError(finding("calendar-in-test", "a test's clock has no months and years", time.span, advice))
    if not 0 <= time.micros <= MOST_DAYS * _DAY:
        advice = f"write a time from 0h to {MOST_DAYS} days"
        raise ClauseError(finding("bad-duration", "this is no time of the test's clock", time.span, advice))
    return time.micros
