"""From the words of a clause to conditions, steps and rule-wide clauses; see :mod:`.terms` for the smaller parts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal as OneOf
from typing import cast

from lark import Token

from . import nodes
from .codes import finding
from .diagnostics import Diagnostic
from .layout import duration_text, path_text, time_text
from .nodes import Argument, Duration, Expression, Literal, Operand, Operator, Path, Pattern, Span, Total, Window
from .terms import (
    ClauseError,
    Name,
    Terms,
    comparison,
    duration_of,
    operator_of,
    percent,
    place,
    reach,
    unquoted,
    whole,
)

_AGE = re.compile(r"more\s+than\s+(.*\S)\s+ago\Z", re.IGNORECASE | re.DOTALL)

Test = tuple[Operator, tuple[Operand, ...]]


def text_of(token: Token | None) -> str | None:
    """A quoted text, where there is one."""
    return None if token is None else unquoted(str(token))


def last_of(*pieces: object) -> Token | nodes.Condition:
    """The last piece that is there; pieces have places, but share no type."""
    return cast("Token | nodes.Condition", [piece for piece in pieces if piece is not None][-1])


class Conditions(Terms):
    """Boolean expressions."""

    def any_of(self, *items: Expression) -> nodes.Or:
        return nodes.Or(items, reach(items[0], items[-1]))

    def all_of(self, *items: Expression) -> nodes.And:
        return nodes.And(items, reach(items[0], items[-1]))

    def negated(self, word: Token, item: Expression) -> nodes.Not:
        return nodes.Not(item, reach(word, item))

    def bracketed(self, opening: Token, item: Expression, closing: Token, window: Window | None) -> Expression:
        if window is None:
            return replace(item, span=reach(opening, closing))
        return nodes.Group(item, window, reach(opening, window))

    def happened(self, pattern: Pattern, count: nodes.Count | None, window: Window | None) -> nodes.Happened:
        return nodes.Happened(pattern, count, window, reach(pattern, last_of(pattern, count, window)))

    def chain(self, *links: nodes.Link) -> nodes.Chain:
        return nodes.Chain(links, reach(links[0], links[-1]))

    def link(self, item: nodes.Happened) -> nodes.Link:
        if item.count:
            raise ClauseError(
                finding(
                    "count-in-chain",
                    "an event in a chain stands for one occurrence and takes no count",
                    item.count.span,
                    "name the event once for each time, or put the count in a Condition of its own",
                )
            )
        return nodes.Link(item.pattern, False, item.window, item.span)

    def absent_link(self, word: Token, item: nodes.Happened) -> nodes.Link:
        return replace(self.link(item), negated=True, span=reach(word, item))

    def race(self, first: Pattern, rivals: tuple[tuple[Pattern, ...], Span], window: Window | None) -> nodes.Race:
        patterns, span = rivals
        end = window.span[1] if window else span[1]
        return nodes.Race(first, patterns, window, (first.span[0], end))

    def rivals(self, pattern: Pattern) -> tuple[tuple[Pattern, ...], Span]:
        return (pattern,), pattern.span

    def any_rival(self, word: Token, excluding: tuple[Name, ...] | None) -> tuple[tuple[Pattern, ...], Span]:
        pattern = self.any_pattern(word, excluding)
        return (pattern,), pattern.span

    def bracketed_rivals(self, opening: Token, *rest: Pattern | Token) -> tuple[tuple[Pattern, ...], Span]:
        return tuple(item for item in rest if isinstance(item, Pattern)), reach(opening, cast(Token, rest[-1]))

    def total_fact(self, total: Total, test: Test) -> nodes.TotalFact:
        like_a_fact = comparison(Path("event", (), total.span), test)
        return nodes.TotalFact(total, like_a_fact.operator, like_a_fact.right, like_a_fact.span)

    def total_between(self, total: Total, _: Token, low: Operand, high: Operand) -> nodes.TotalFact:
        return nodes.TotalFact(total, "between", (low, high), reach(total, high))

    def fact(self, left: Path, test: Test) -> nodes.Fact:
        whole_test = comparison(left, test)
        return nodes.Fact(whole_test, whole_test.span)

    def fact_between(self, left: Path, _: Token, low: Operand, high: Operand) -> nodes.Fact:
        return self.fact(left, ("between", (low, high)))

    def fact_presence(self, left: Path, presence: Token) -> nodes.Fact:
        span = reach(left, presence)
        return nodes.Fact(nodes.Comparison(left, operator_of(presence), (), span), span)

    def date_direction(self, word: Token) -> Token:
        return word

    def date_fact(self, token: Token, word: Token, duration: Duration) -> nodes.DateFact:
        path = self.scoped_path(token)
        kind: OneOf["next", "last"] = "next" if word.type == "IN_THE_NEXT" else "last"
        return nodes.DateFact(path, kind, duration, reach(path, duration))

    def age(self, token: Token) -> tuple[Duration, Span]:
        start, end = place(token)
        words = _AGE.match(token)
        assert words, "the grammar has read these words"
        return duration_of(words[1], (start + words.start(1), start + words.end(1))), (start, end)

    def date_ago(self, path: Path, age: tuple[Duration, Span]) -> nodes.DateFact:
        duration, span = age
        return nodes.DateFact(path, "ago", duration, (path.span[0], span[1]))

    def last_event(self, word: Token, pattern: Pattern, age: tuple[Duration, Span]) -> nodes.LastEvent:
        duration, span = age
        return nodes.LastEvent(pattern, duration, (place(word)[0], span[1]))

    def sample(self, word: Token, share: Token, sample: Token, name: Token | None) -> nodes.Sample:
        return nodes.Sample(percent(share), text_of(name), 0, reach(word, name or sample))


class Steps(Conditions):
    """What follows ``Wait:``, ``Action:`` and ``Split:``."""

    def wait_for(self, duration: Duration) -> nodes.WaitFor:
        if not duration.micros and not duration.months:
            advice = "leave the 'Wait:' out, or write how long"
            raise ClauseError(finding("bad-duration", "a length of time is more than nothing", duration.span, advice))
        return nodes.WaitFor(duration, duration.span)

    def wait_time(
        self, until: Token, weekday: Token | None, time: nodes.TimeOfDay, zone: nodes.Zone | None
    ) -> nodes.WaitUntilTime:
        return nodes.WaitUntilTime(weekday_of(weekday), time, zone, reach(until, zone or time))

    def wait_event(self, until: Token, pattern: Pattern, duration: Duration) -> nodes.WaitUntilEvent:
        return nodes.WaitUntilEvent(pattern, duration, reach(until, duration))

    def wait_date(
        self,
        until: Token,
        moment: Path | nodes.WaitUntilDate,
        time: nodes.TimeOfDay | None,
        zone: nodes.Zone | None,
        now: Token | None,
    ) -> nodes.WaitUntilDate:
        wait = nodes.WaitUntilDate(moment) if isinstance(moment, Path) else moment
        if wait.offset and wait.offset.micros + wait.offset.months <= 0:
            raise ClauseError(no_offset(wait, time))
        span = reach(until, last_of(moment, time, zone, now))
        return replace(wait, time=time, zone=zone, or_now=now is not None, span=span)

    def shifted(self, offset: Duration, side: Token, path: Path) -> nodes.WaitUntilDate:
        word: OneOf["before", "after"] = "before" if side.type == "BEFORE" else "after"
        return nodes.WaitUntilDate(path, offset, word, span=reach(offset, path))

    def set_attribute(self, word: Token, path: Path, _: Token, value: Literal | Path | Total) -> nodes.SetAttribute:
        if path.scope != "person":
            name = ".".join(path.parts)
            raise ClauseError(
                finding("not-settable", "only attributes of the person can be set", path.span, f"write person.{name}")
            )
        return nodes.SetAttribute(path, value, reach(word, value))

    def track_event(self, word: Token, name: Name, arguments: tuple[Argument, ...] | None) -> nodes.TrackEvent:
        return nodes.TrackEvent(name.text, arguments or (), reach(word, arguments[-1][1] if arguments else name))

    def effect(
        self,
        name: Name,
        template: Token | None,
        variant: Path | None,
        to: Path | None,
        arguments: tuple[Argument, ...] | None,
    ) -> nodes.Action:
        last = last_of(name, template, variant, to, arguments[-1][1] if arguments else None)
        return nodes.Action(name.text, text_of(template), variant, to, arguments or (), reach(name, last))

    def variant(self, _: Token, path: Path) -> Path:
        return path

    def arguments(self, *arguments: tuple[Name, Literal | Path | Total]) -> tuple[Argument, ...]:
        seen: set[str] = set()
        for name, _ in arguments:
            if name.text in seen:
                raise ClauseError(
                    finding("argument-twice", f"'{name.text}' is given twice", name.span, "leave one out")
                )
            seen.add(name.text)
        return tuple((name.text, value) for name, value in arguments)

    def argument(self, name: Name, _: Token, value: Literal | Path | Total) -> tuple[Name, Literal | Path | Total]:
        return name, value

    def split(self, share: Token, name: Token | None) -> nodes.Arm:
        return nodes.Arm(percent(share), text_of(name), (), reach(share, name or share))


class Builder(Steps):
    """What follows the words of the rule-wide clauses."""

    def identity(self, name: Name) -> Name:
        return name

    purpose = identity

    def event_trigger(self, *patterns: Pattern) -> nodes.EventTrigger:
        return nodes.EventTrigger(patterns, reach(patterns[0], patterns[-1]))

    def no_trigger(self, word: Token) -> nodes.NoTrigger:
        return nodes.NoTrigger(place(word))

    def daily(self, every: Token, _: Token, time: nodes.TimeOfDay, zone: nodes.Zone | None) -> nodes.Schedule:
        return nodes.Schedule("day", time, zone=zone, span=reach(every, zone or time))

    def weekly(self, every: Token, day: Token, time: nodes.TimeOfDay, zone: nodes.Zone | None) -> nodes.Schedule:
        return nodes.Schedule("week", time, weekday=weekday_of(day), zone=zone, span=reach(every, zone or time))

    def monthly(self, every: Token, day: Token, time: nodes.TimeOfDay, zone: nodes.Zone | None) -> nodes.Schedule:
        return nodes.Schedule("month", time, day=whole(day), zone=zone, span=reach(every, zone or time))

    def yearly(self, every: Token, path: Path, time: nodes.TimeOfDay, zone: nodes.Zone | None) -> nodes.Schedule:
        return nodes.Schedule("year", time, path=path, zone=zone, span=reach(every, zone or time))

    def once_only(self, on: Token, date: nodes.Date, time: nodes.TimeOfDay, zone: nodes.Zone | None) -> nodes.Schedule:
        return nodes.Schedule("once", time, date=date, zone=zone, span=reach(on, zone or time))

    def exit(self, *patterns: Pattern) -> nodes.Exit:
        return nodes.Exit(patterns, reach(patterns[0], patterns[-1]))

    def no_exit(self, word: Token) -> nodes.Exit:
        return nodes.Exit((), place(word))

    def times(self, token: Token) -> tuple[int, Span]:
        return {"ONCE": 1, "TWICE": 2}.get(token.type) or whole(token), place(token)

    def limit_person(self, times: tuple[int, Span], person: Token, length: Duration | None) -> nodes.Limit:
        number, (start, _) = times
        return nodes.Limit(number, "person", None, length, (start, reach(person, length or person)[1]))

    def limit_value(self, times: tuple[int, Span], path: Path, length: Duration | None) -> nodes.Limit:
        number, (start, _) = times
        return nodes.Limit(number, "value", field_of_trigger(path), length, (start, (length or path).span[1]))

    def limit_all(self, times: tuple[int, Span], length: Duration | None, over: Token) -> nodes.Limit:
        number, (start, _) = times
        return nodes.Limit(number, "all", None, length, (start, place(over)[1]))

    def again_restart(self, word: Token, at_most: Duration | None) -> nodes.Again:
        return nodes.Again("restart", at_most, reach(word, at_most or word))

    def again_plain(self, word: Token) -> nodes.Again:
        return nodes.Again(cast('OneOf["ignore", "each", "replace"]', word.casefold()), None, place(word))

    def for_each(self, path: Path) -> Path:
        return field_of_trigger(path)

    def quiet_time(self, start: nodes.TimeOfDay, end: nodes.TimeOfDay) -> nodes.QuietHours:
        return nodes.QuietHours(start, end, span=reach(start, end))

    def quiet_day(self, day: Token) -> nodes.QuietHours:
        return nodes.QuietHours(days=(weekday_of(day),), span=place(day))

    def quiet(self, *parts: nodes.QuietHours | nodes.Zone | None) -> nodes.QuietHours:
        *listed, zone = parts
        hours = [part for part in listed if isinstance(part, nodes.QuietHours)]
        timed = [part for part in hours if part.start]
        if len(timed) > 1:
            raise ClauseError(
                finding("two-quiet-times", "one line holds one pair of times", timed[1].span, "write a second line")
            )
        days = tuple(dict.fromkeys(day for part in hours for day in part.days))
        start, end = (timed[0].start, timed[0].end) if timed else (None, None)
        span = reach(hours[0], cast("nodes.Zone | None", zone) or hours[-1])
        return nodes.QuietHours(start, end, days, cast("nodes.Zone | None", zone), span)

    def goal(self, pattern: Pattern, _: Token, within: Duration) -> nodes.Goal:
        return nodes.Goal(pattern, within, reach(pattern, within))

    def holdout(self, share: Token, name: Token | None) -> nodes.Holdout:
        return nodes.Holdout(percent(share), text_of(name), reach(share, name or share))

    def active_from(self, word: Token, start: nodes.Date, _: Token | None, end: nodes.Date | None) -> nodes.Active:
        return nodes.Active(start, end, reach(word, end or start))

    def active_until(self, word: Token, end: nodes.Date) -> nodes.Active:
        return nodes.Active(None, end, reach(word, end))

    def existing(self, word: Token) -> str:
        return word.casefold()

    def late(self, word: Token, duration: Duration) -> nodes.Late:
        return nodes.Late(duration, reach(word, duration))

    def late_always(self, word: Token) -> nodes.Late:
        return nodes.Late(None, place(word))

    def tags(self, *names: Name) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.text for name in names))


def no_offset(wait: nodes.WaitUntilDate, time: nodes.TimeOfDay | None) -> Diagnostic:
    """Return the finding of ``0 days before`` a date, or of less: the date itself is meant, or its other side."""
    offset = cast(Duration, wait.offset)
    at = f" at {time_text(time)}" if time else ""
    if offset.micros or offset.months:
        meant = Duration(-offset.micros, -offset.months)
        side = "after" if wait.side == "before" else "before"
        shown = f"until {duration_text(meant)} {side} {path_text(wait.path)}{at}"
    else:
        shown = f"until {path_text(wait.path)}{at}"
    return finding("bad-duration", "a length of time is more than nothing", offset.span, f"write '{shown}'")


def weekday_of(token: Token | None) -> nodes.Weekday:
    """The day a token names; the grammar leaves it out only where no day is a possible answer."""
    return cast(nodes.Weekday, token.casefold() if token else None)


def field_of_trigger(path: Path) -> Path:
    """The trigger's field that ``For each`` and ``Limit`` name, with or without its prefix."""
    if path.scope == "person":
        raise ClauseError(
            finding("not-a-field", "only a field of the trigger can stand here", path.span, "name a trigger's field")
        )
    return Path("trigger", path.parts, path.span)
