"""Conditions that are easily misread; see :mod:`.advice` for whole rules."""

from __future__ import annotations

from collections.abc import Iterator

from . import nodes
from .asked import Asked
from .codes import finding
from .diagnostics import Diagnostic
from .joins import advise_joins
from .layout import name_text, path_text, pattern_text, window_text
from .nodes import Expression, Pattern, Window


def advise_expression(question: Asked, text: str) -> Iterator[Diagnostic]:
    """The warnings of one expression; ``text`` is the file it stands in."""
    for node in question.parts:
        if isinstance(node, nodes.And | nodes.Or):
            yield from advise_joins(node, text)
    if question.kind in ("opening", "gate") and question.backwards is not None:
        yield from _positive_gate(question, question.expression, None)
    yield from _windows(question, question.expression)
    yield from _negations(question.expression, ())


# --------------------------------------------------------------------------------------------- windows


def _positive_gate(question: Asked, item: Expression, group: Window | None) -> Iterator[Diagnostic]:
    match item:
        case nodes.And() | nodes.Or():
            for part in item.items:
                yield from _positive_gate(question, part, group)
        case nodes.Group():
            yield from _positive_gate(question, item.item, item.window)
        case nodes.Happened() if question.looks_forward(item.window or group) and not _counts_absence(item):
            event = pattern_text(Pattern(item.pattern.name, excluding=item.pattern.excluding))
            message = f"this waits for '{event}', and goes on with those who did it"
            yield finding("waits-for-event", message, item.span, "for those who did not, write NOT in front of it")
        case _:
            pass


def _counts_absence(item: nodes.Happened) -> bool:
    return item.count is not None and item.count.kind in ("at most", "fewer than", "exactly")


def _windows(question: Asked, item: Expression) -> Iterator[Diagnostic]:
    """Windows that cover less than they seem to, or are missing; inside a bracket with a window all is covered."""
    match item:
        case nodes.And() | nodes.Or():
            window = _uneven(item.items)
            if window:
                last = pattern_text(_plain(item.items[-1]).pattern)  # type: ignore[union-attr]
                message = f"this window covers only '{last}'"
                advice = f"for all of them write '(...) {window_text(window)}'"
                yield finding("window-covers-last", message, window.span, advice)
            else:
                for part in item.items:
                    yield from _windows(question, part)
        case nodes.Not(item=nodes.Happened(pattern=pattern, window=None)):
            if question.kind == "opening" and question.backwards is False:
                name = pattern_text(pattern)
                message = f"without a window this asks whether '{name}' ever happened before now"
                yield finding("no-window", message, item.span, f"did you mean 'NOT {name} within 24 hours'?")
        case nodes.Not():
            yield from _windows(question, item.item)
        case _:
            pass


def _uneven(items: tuple[Expression, ...]) -> Window | None:
    """The window of the last item, when an event before it has none."""
    *before, last = map(_plain, items)
    bare = any(item and item.window is None and item.count is None for item in before)
    return last.window if bare and last and last.window and last.window.duration else None


def _plain(item: Expression) -> nodes.Happened | None:
    """The event of an item, with or without a NOT."""
    inner = item.item if isinstance(item, nodes.Not) else item
    return inner if isinstance(inner, nodes.Happened) else None


# ------------------------------------------------------------------------------ what negations include


def _negations(item: Expression, beside: tuple[Expression, ...]) -> Iterator[Diagnostic]:
    """Conditions that hold for people of whom nothing is known; ``beside`` is what must hold as well."""
    match item:
        case nodes.And():
            for part in item.items:
                yield from _negations(part, item.items)
        case nodes.Or():
            for part in item.items:
                yield from _negations(part, ())
        case nodes.Group():
            yield from _negations(item.item, ())
        case nodes.Not():
            yield from _negated(item, beside)
        case nodes.Happened(count=nodes.Count(kind="fewer than", number=number)) if number > 1:
            yield from _includes_none(item, item.pattern, beside)
        case nodes.TotalFact(operator="<" | "<=") if item.total.function in ("sum", "count", "count of different"):
            yield from _includes_none(item, item.total.pattern, beside)
        case nodes.Fact(comparison=nodes.Comparison(operator="!=" | "not in") as comparison):
            yield from _includes_unset(item, comparison, beside)
        case _:
            pass


def _negated(item: nodes.Not, beside: tuple[Expression, ...]) -> Iterator[Diagnostic]:
    match item.item:
        case nodes.Happened(count=nodes.Count(kind="at least" | "more than" as kind, number=number)) as happened:
            if number > (1 if kind == "at least" else 0):
                yield from _includes_none(item, happened.pattern, beside)
        case nodes.TotalFact(operator=">" | ">=") as fact:
            yield from _includes_none(item, fact.total.pattern, beside)
        case nodes.LastEvent(pattern=pattern):
            yield from _includes_none(item, pattern, beside)
        case nodes.Fact(comparison=comparison) if comparison.right and comparison.operator not in ("!=", "not in"):
            yield from _includes_unset(item, comparison, beside)
        case nodes.And() | nodes.Or() | nodes.Not() | nodes.Group() as inner:
            yield from _negations(inner, ())
        case _:
            pass


def _includes_none(item: Expression, pattern: Pattern, beside: tuple[Expression, ...]) -> Iterator[Diagnostic]:
    required = (part for part in beside if isinstance(part, nodes.Happened) and part is not item)
    if pattern.name and not any(part.pattern.name == pattern.name for part in required):
        message = f"this also holds for people without any '{pattern.name}'"
        advice = f"add 'AND {name_text(pattern.name)}' if they are not meant"
        yield finding("includes-none", message, item.span, advice)


def _includes_unset(
    item: Expression, comparison: nodes.Comparison, beside: tuple[Expression, ...]
) -> Iterator[Diagnostic]:
    facts = (part.comparison for part in beside if isinstance(part, nodes.Fact))
    if not any(fact.operator == "is set" and fact.left == comparison.left for fact in facts):
        name = path_text(comparison.left)
        message = f"this also holds where there is no '{name}'"
        yield finding("includes-unset", message, item.span, f"add 'AND {name} is set' if that is not meant")
