"""What AND and OR join: whole conditions, where the words around them promise fields or values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import nodes
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .layout import comparison_text, operand_text, path_text, pattern_text
from .nodes import Expression, Pattern


def advise_joins(item: nodes.And | nodes.Or, text: str) -> Iterator[Diagnostic]:
    """Return the warnings of one AND or OR; ``text`` is the file it stands in."""
    if isinstance(item, nodes.And):
        yield from _second_fields(item)
    else:
        yield from _mixed(item, text)
        yield from _second_values(item)
        yield from _values_as_events(item)


def _mixed(item: nodes.Or, text: str) -> Iterator[Diagnostic]:
    for part in item.items:
        start, end = part.span
        if isinstance(part, nodes.And) and not _bracketed(text[start:end]):
            message = "AND binds tighter than OR, so this part is one alternative"
            advice = "put brackets around what belongs together"
            yield finding("mixed-and-or", message, part.span, advice, Fix(part.span, f"({text[start:end]})"))


def _bracketed(text: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    depth = 0
    for index, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if not depth:
            return index == len(text) - 1 and text[0] == "("
    return False


# --------------------------------------------------------------------------------------- behind a where


def ends_in_text(pattern: Pattern) -> bool:
    """Whether a ``where`` ends in ``= text``, so that an OR behind it reads like another text."""
    last = pattern.where[-1] if pattern.where else None
    right = last.right[0] if last and last.operator == "=" else None
    return isinstance(right, nodes.Literal) and isinstance(right.value, str)


def second_value(before: Pattern, name: str, span: nodes.Span) -> Diagnostic:
    """``OR`` behind a ``where`` begins another event."""
    left = path_text(before.where[-1].left)
    message = f"OR ends the 'where', so '{name}' is an event of its own"
    return finding("or-inside-where", message, span, f"for several values of {left} write '{left} in (..., {name})'")


def _second_values(item: nodes.Or) -> Iterator[Diagnostic]:
    """``a where x = y OR z``: the OR ended the ``where``, though it hardly looks so."""
    for before, after in zip(item.items, item.items[1:], strict=False):
        if _open_where(before) is None:
            continue
        match after:
            case nodes.Happened(pattern=Pattern(name=str(name), where=())):
                if isinstance(before, nodes.Happened) and ends_in_text(before.pattern):
                    yield second_value(before.pattern, name, after.pattern.span)
            case nodes.Fact(comparison=comparison) if comparison.left.scope == "bare":
                message = f"OR ends the 'where', so '{comparison_text(comparison)}' asks the trigger or the person"
                name = path_text(comparison.left)
                advice = f"for several values write '{name} in (a, b)'; for the trigger's field write trigger.{name}"
                yield finding("or-inside-where", message, after.span, advice)
            case _:
                pass


def _second_fields(item: nodes.And) -> Iterator[Diagnostic]:
    """``a where x = 1 AND y = 2``: the AND ended the ``where``, so nobody asks the event for its y."""
    for pattern, fact in facts_behind_where(item):
        name, asked = path_text(fact.comparison.left), comparison_text(fact.comparison)
        message = f"AND ends the 'where', so '{asked}' asks the trigger or the person, and not '{pattern.name}'"
        both = pattern_text(Pattern(pattern.name, (*pattern.where, fact.comparison), pattern.excluding))
        advice = f"for two fields of the event write '{both}'; else write trigger.{name} or person.{name}"
        yield finding("and-inside-where", message, fact.span, advice)


def facts_behind_where(item: nodes.And) -> Iterator[tuple[Pattern, nodes.Fact]]:
    """Return each comparison of a bare name right behind an AND that ended a ``where``, with the event of that."""
    for before, after in zip(item.items, item.items[1:], strict=False):
        pattern = _open_where(before)
        if pattern is not None and isinstance(after, nodes.Fact) and after.comparison.left.scope == "bare":
            yield pattern, after


def _open_where(item: Expression) -> Pattern | None:
    """Return the event of an item that ends in its ``where``, with or without a NOT."""
    inner = item.item if isinstance(item, nodes.Not) else item
    if isinstance(inner, nodes.Happened) and inner.pattern.where and not inner.window and not inner.count:
        return inner.pattern
    return None


# ------------------------------------------------------------------------------------ behind a comparison


_LISTED = {"=": "in", "in": "in", "!=": "not in", "not in": "not in"}
_REPEATED = ("contains", "starts with", "ends with")


def _values_as_events(item: nodes.Or) -> Iterator[Diagnostic]:
    """``plan = pro OR free``: the OR begins another condition, which names an event called ``free``."""
    for index, before in enumerate(item.items[:-1]):
        comparison = _compares_text(before)
        names = _plain_events(item.items[index + 1 :])
        if comparison is not None and names:
            first = item.items[index + 1].span
            message = f"OR begins another condition, so '{names[0]}' is an event and no value"
            advice = f"for several values write '{_with_values(comparison, names, isinstance(before, nodes.Not))}'"
            yield finding("value-as-event", message, first, advice)


def _compares_text(item: Expression) -> nodes.Comparison | None:
    """Return the comparison of an item that ends in a text without a bracket."""
    inner = item.item if isinstance(item, nodes.Not) else item
    comparison = inner.comparison if isinstance(inner, nodes.Fact) else None
    if comparison is None or comparison.operator not in (*_LISTED, *_REPEATED):
        return None
    last = comparison.right[-1]
    return comparison if isinstance(last, nodes.Literal) and isinstance(last.value, str) else None


def _plain_events(items: tuple[Expression, ...]) -> list[str]:
    """Return the names of the items up to the first that is more than the name of an event."""
    names: list[str] = []
    for item in items:
        match item:
            case nodes.Happened(pattern=Pattern(name=str(name), where=()), count=None, window=None):
                names.append(name)
            case _:
                break
    return names


def _with_values(comparison: nodes.Comparison, names: list[str], negated: bool) -> str:
    """Return what asks for all values at once, or for one after the other."""
    left, no = path_text(comparison.left), "NOT " if negated else ""
    values = [operand_text(operand) for operand in comparison.right]
    values += [operand_text(nodes.Literal(name)) for name in names]
    if comparison.operator in _LISTED:
        return f"{no}{left} {_LISTED[comparison.operator]} ({', '.join(values)})"
    each = " OR ".join(f"{left} {comparison.operator} {value}" for value in values)
    return f"NOT ({each})" if negated else each


# -------------------------------------------------------------------------------------- words as events

_ANY = frozenset({"anything", "something", "everything", "anyone", "someone"})
_NONE = frozenset({"nothing", "nobody"})
_ANY_EVENT = "'any event' for whatever people do"


def advise_event_words(rule: nodes.Rule, patterns: Iterable[Pattern], text: str) -> Iterator[Diagnostic]:
    """Return the warning of each unquoted ``nothing`` or ``anything`` where the name of an event stands."""
    for pattern in patterns:
        start, name = pattern.span[0], pattern.name or ""
        if name.casefold() in _ANY | _NONE and text[start : start + len(name)] == name:
            meant = _instead_of_none(rule, pattern) if name.casefold() in _NONE else _ANY_EVENT
            message = f"'{name}' is the name of an event like any other here"
            advice = f'write {meant}, or "{name}" for an event of that name'
            yield finding("word-as-event", message, (start, start + len(name)), advice)


def _instead_of_none(rule: nodes.Rule, pattern: Pattern) -> str:
    if isinstance(rule.trigger, nodes.EventTrigger) and any(pattern is one for one in rule.trigger.patterns):
        return "'Trigger: None' and below it 'Condition: NOT any event within 30 days'"
    if rule.exit is not None and any(pattern is one for one in rule.exit.patterns):
        return "'Exit: none' if no event ends the journey"
    return "'NOT any event' for people who did nothing"
