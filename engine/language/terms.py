"""From the words of a clause to values, fields, events and windows.

The methods are called by the parser as it reduces; each is named after the grammar rule it serves, and takes
the pieces of that rule as its arguments. A mistake that the grammar cannot see is raised as
:class:`ClauseError`, which never leaves the reader.
"""

from __future__ import annotations

import re
from typing import Literal as OneOf
from typing import NamedTuple, Protocol, cast

from lark import Token

from . import words
from .characters import odd_name, odd_value
from .codes import finding
from .diagnostics import Diagnostic
from .nodes import (
    Comparison,
    Count,
    Date,
    Duration,
    Literal,
    Operand,
    Operator,
    Path,
    Pattern,
    Scalar,
    Span,
    TimeOfDay,
    Total,
    Window,
    Zone,
)

_SEGMENT = re.compile(rf"{words.QUOTED}|[^.]+")
_AMOUNT = re.compile(r"(-?\d+|\ban?(?=\s))\s*([a-z]+)", re.IGNORECASE)
_LONGEST_FIGURE = 15


class ClauseError(Exception):
    """A diagnostic on its way from the depths of a clause to its reader."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Name(NamedTuple):
    """A name as written: whole, and cut at its dots; ``bare`` when it does not begin with a quote."""

    text: str
    parts: tuple[str, ...]
    bare: bool
    span: Span


class Placed(Protocol):
    """Anything with a place in the text."""

    @property
    def span(self) -> Span: ...


def place(token: Token) -> Span:
    """Where a token stands."""
    return cast(Span, (token.start_pos, token.end_pos))


def reach(first: Token | Placed, last: Token | Placed) -> Span:
    """From the start of one piece to the end of another."""
    start = place(first) if isinstance(first, Token) else first.span
    end = place(last) if isinstance(last, Token) else last.span
    return start[0], end[1]


def whole(token: Token) -> int:
    """The number a token spells."""
    if len(token) > _LONGEST_FIGURE:
        message = f"'{token[:12]}…' is too large a number"
        raise ClauseError(finding("number-too-large", message, place(token), "write a smaller one"))
    return int(token)


def percent(token: Token) -> float:
    """The share a token such as ``34%`` spells."""
    return float(token[:-1])


def unquoted(text: str) -> str:
    """``text`` without its quotes."""
    return text[1:-1]


def segments(text: str) -> tuple[str, ...]:
    """The steps of a dotted path, unquoted."""
    if "." not in text:
        return (text,)
    return tuple(unquoted(part) if part[0] in words.QUOTES else part for part in _SEGMENT.findall(text))


def filled(parts: tuple[str, ...], token: Token) -> tuple[str, ...]:
    """``parts``, none of which may be empty."""
    if not all(parts):
        raise ClauseError(finding("empty-name", "there is no name between the quotes", place(token), "write it"))
    return parts


def duration_of(text: str, span: Span) -> Duration:
    """``1h30m``, ``30 days``, ``a week``, or the bare unit of ``per day``."""
    micros = months = 0
    amounts = _AMOUNT.findall(text) or [("1", text)]
    for figure, word in amounts:
        unit = words.UNIT_WORDS[word.casefold()]
        digits = figure if figure.lstrip("-").isdigit() else "1"
        # A figure too long to count is as good as any other that is far beyond the cap.
        number = int(digits[:_LONGEST_FIGURE])
        micros += number * unit.micros
        months += number * unit.months
    return Duration(micros, months, span)


def scalar_of(text: str) -> Scalar:
    """What a bare word on a right-hand side means: a boolean, a number, or else text."""
    if text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    if words.NUMBER.match(text):
        return float(text) if "." in text else int(text)
    return text


class Terms:
    """Values, fields, events and windows."""

    # ----------------------------------------------------------------------------------------- names

    def name(self, token: Token) -> Name:
        text = str(token)
        if token.type == "STRING":
            return Name(unquoted(text), filled((unquoted(text),), token), False, place(token))
        bare = token.type == "NAME"
        if bare and text.casefold() in words.RESERVED_WORDS:
            raise ClauseError(keyword_as_name(token))
        if bare and text.casefold().startswith("last."):
            raise ClauseError(last_field(token))
        if bare and not text.isascii() and (odd := odd_name(text, place(token)[0])):
            raise ClauseError(odd)
        parts = filled(segments(text), token)
        return Name(".".join(parts), parts, bare, place(token))

    def scoped_path(self, token: Token) -> Path:
        scope, *parts = filled(segments(str(token)), token)
        return Path(cast('OneOf["trigger", "person"]', scope.casefold()), tuple(parts), place(token))

    def bare_path(self, name: Name) -> Path:
        return Path("bare", name.parts, name.span)

    # ---------------------------------------------------------------------------------------- values

    def bare_value(self, token: Token) -> Literal:
        text = str(token)
        if text.casefold().startswith("last."):
            raise ClauseError(last_field(token))
        if not (text.isascii() and text.isprintable()) and (odd := odd_value(text, place(token)[0])):
            raise ClauseError(odd)
        return Literal(scalar_of(text), True, place(token))

    def quoted_value(self, token: Token) -> Literal:
        return Literal(unquoted(str(token)), False, place(token))

    def duration(self, token: Token) -> Duration:
        return duration_of(token, place(token))

    length = duration

    def time(self, token: Token) -> TimeOfDay:
        hour, minute = token.split(":")
        return TimeOfDay(int(hour), int(minute), place(token))

    def date(self, token: Token) -> Date:
        year, month, day = token.split("-")
        return Date(int(year), int(month), int(day), place(token))

    def zone(self, token: Token) -> Zone:
        name = unquoted(str(token)) if token.type == "STRING" else str(token)
        return Zone(name=name, span=place(token))

    def person_zone(self, token: Token) -> Zone:
        path = self.scoped_path(token)
        if path.scope != "person":
            raise ClauseError(
                finding("not-a-zone", f"'{token}' is not the person's", path.span, "write person.timezone")
            )
        return Zone(path=path, span=path.span)

    def in_zone(self, _: Token, zone: Zone) -> Zone:
        return zone

    # ----------------------------------------------------------------------------------- comparisons

    def operator(self, token: Token) -> Token:
        return token

    set_operator = presence = operator

    def compare(self, operator: Token, operand: Operand) -> tuple[Operator, tuple[Operand, ...]]:
        return operator_of(operator), (operand,)

    def compare_set(
        self, operator: Token, _: Token, *rest: Operand | Token
    ) -> tuple[Operator, tuple[Operand, ...], int]:
        *operands, closing = rest
        return operator_of(operator), tuple(cast("list[Operand]", operands)), place(cast(Token, closing))[1]

    def where_test(self, name: Name, test: tuple[Operator, tuple[Operand, ...]]) -> Comparison:
        return comparison(event_field(name), test)

    def where_between(self, name: Name, _: Token, low: Operand, high: Operand) -> Comparison:
        return comparison(event_field(name), ("between", (low, high)))

    def where_presence(self, name: Name, presence: Token) -> Comparison:
        return Comparison(event_field(name), operator_of(presence), (), reach(name, presence))

    def where_same(self, same: Token, name: Name) -> Comparison:
        left = event_field(name)
        return Comparison(left, "=", (Path("trigger", left.parts, name.span),), reach(same, name))

    # ---------------------------------------------------------------------------------------- events

    def named_pattern(self, name: Name) -> Pattern:
        return Pattern(name.text, span=name.span)

    def any_pattern(self, any_event: Token, excluding: tuple[Name, ...] | None) -> Pattern:
        last = excluding[-1] if excluding else any_event
        return Pattern(None, excluding=tuple(name.text for name in excluding or ()), span=reach(any_event, last))

    def exclusion(self, *names: Name | Token) -> tuple[Name, ...]:
        return tuple(name for name in names if isinstance(name, Name))

    def filtered_pattern(self, pattern: Pattern, *where: Comparison) -> Pattern:
        return Pattern(pattern.name, where, pattern.excluding, reach(pattern, where[-1]))

    # --------------------------------------------------------------------------------------- windows

    def timed_window(self, word: Token, duration: Duration) -> Window:
        kinds: dict[str, OneOf["within", "next", "last"]] = {
            "WITHIN": "within",
            "IN_THE_NEXT": "next",
            "IN_THE_LAST": "last",
        }
        return Window(kinds[word.type], duration, span=reach(word, duration))

    def trigger_window(self, word: Token) -> Window:
        return Window("since trigger", span=place(word))

    def anchored_window(self, word: Token, anchor: Pattern) -> Window:
        return Window("since last", anchor=anchor, span=reach(word, anchor))

    # ---------------------------------------------------------------------------------------- counts

    def count_kind(self, token: Token) -> Token:
        return token

    def count(self, kind: Token, number: Token) -> Count:
        return Count(count_kind_of(kind), whole(number), reach(kind, number))

    def count_word(self, kind: Token, word: Token) -> Count:
        return Count(count_kind_of(kind), 1 if word.type == "ONCE" else 2, reach(kind, word))

    def count_once(self, word: Token) -> Count:
        return Count("at least", 1 if word.type == "ONCE" else 2, place(word))

    # ---------------------------------------------------------------------------------------- totals

    def measure(self, function: Token, name: Name, _: Token) -> tuple[Token, Path]:
        return function, event_field(name)

    def plain_count(self, function: Token) -> tuple[Token, None]:
        return function, None

    def total(self, measure: tuple[Token, Path | None], pattern: Pattern, window: Window | None = None) -> Total:
        function, path = measure
        kind = cast(
            'OneOf["sum", "average", "min", "max", "count", "count of different"]', words.AGGREGATES[function.type]
        )
        return Total(kind, path, pattern, window, reach(function, window or pattern))


def event_field(name: Name) -> Path:
    """A field of the item's own event, as on the left in a ``where``."""
    scope, *rest = name.parts
    if rest and name.bare and scope.casefold() in ("trigger", "person"):
        raise ClauseError(
            finding(
                "field-of-another",
                f"'{name.text}' does not belong to the event that 'where' asks about",
                name.span,
                f'ask about it with AND, or write "{scope}".{".".join(rest)} for a field of that name',
            )
        )
    return Path("event", name.parts, name.span)


def comparison(left: Path, test: tuple[object, ...]) -> Comparison:
    """A comparison from its left side and what ``compare`` and ``compare_set`` returned."""
    operator, right, *closing = test
    operands = cast("tuple[Operand, ...]", right)
    end = cast(int, closing[0]) if closing else operands[-1].span[1]
    return Comparison(left, cast(Operator, operator), operands, (left.span[0], end))


def operator_of(token: Token) -> Operator:
    """The operator a token spells; ``is`` reads as ``=`` and ``is not`` as ``!=``."""
    text = " ".join(token.casefold().split())
    return cast(Operator, {"is": "=", "is not": "!="}.get(text, text))


def count_kind_of(token: Token) -> OneOf["at least", "at most", "exactly", "more than", "fewer than"]:
    text = " ".join(token.casefold().split())
    return cast('OneOf["at least", "at most", "exactly", "more than", "fewer than"]', text)


_MEANT_BY_KEYWORD = {
    "any": "write 'any event' for anything the person did",
    "at": "a time follows what it belongs to, as in 'every day at 09:00'",
    "not": "write NOT in front of what must not happen",
    "once": "write 'exactly once' or 'at least 2 times' behind the event",
    "twice": "write 'exactly twice' or 'at least 2 times' behind the event",
    "between": "a value stands in front of it, as in 'person.age between 18 and 30'",
    "contains": "a field stands in front of it, as in 'person.tags contains vip'",
    "is": "a field stands in front of it, as in 'person.plan is pro'",
    "where": "an event stands in front of it, as in 'purchase where amount > 50'",
    "same": "it stands in a 'where', as in 'purchase where same cart_id'",
    "then": "an event stands on both of its sides, as in 'a within 1 day then b within 3 days'",
    "within": "an event stands in front of it, as in 'purchase within 3 days'",
    "since": "an event stands in front of it, as in 'purchase since trigger'",
    "last": "write 'last purchase more than 30 days ago', or 'purchase in the last 30 days'",
    "until": "write 'Wait: until' and a moment, or 'Exit:' and an event",
    "before": "write 'a before any b within 1 hour' for what comes first",
    "after": "write 'a within 1 day then b within 3 days' for an order, 'Wait:' for a time",
    "and": "a condition stands on both of its sides",
    "or": "a condition or an event stands on both of its sides",
}


def keyword_as_name(token: Token) -> Diagnostic:
    """Return the finding of a keyword where a name should stand; nobody can tell whether it is meant as one."""
    meant = _MEANT_BY_KEYWORD.get(token.casefold())
    quoted = f'to use it as a name, write "{token}"'
    return finding(
        "keyword-as-name", f"'{token}' is a keyword here", place(token), f"{meant}; {quoted}" if meant else quoted
    )


def last_field(token: Token) -> Diagnostic:
    """Return the finding of ``last.EVENT.field``, which the language keeps for a later version."""
    advice = (
        "keep the value when it comes: a rule with that event as its trigger and 'Action: set person.x = trigger.x'"
    )
    return finding(
        "reserved", "'last.event.field' is reserved for a later version of the language", place(token), advice
    )
