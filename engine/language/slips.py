"""Names that stand in one rule alone and are one letter away from a name of several others: probably slips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from . import nodes
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .layout import name_text
from .nodes import Rule, Span
from .suggest import distance
from .walk import walk

SHORTEST = 6
"""Characters of a name below which one letter makes another word too easily."""


USED = 2
"""How often other rules must have a name before one beside it counts as a slip."""


def slips(rule: Rule, others: Sequence[Rule]) -> Iterator[Diagnostic]:
    """Return a warning for each event and attribute that looks like a slip of one that ``others`` name."""
    for code, what, names, known in (
        ("unknown-event", "event", _events(rule), Counter(name for one in others for name, _ in _events(one))),
        (
            "unknown-attribute",
            "attribute",
            _attributes(rule),
            Counter(name for one in others for name, _ in _attributes(one)),
        ),
    ):
        for name, span in dict(reversed(list(names))).items():
            if name in known:
                continue
            close = _one_letter_away(name, known)
            if close is not None:
                message = f"no other rule has the {what} '{name}', and some have '{close}'"
                written = name_text(close) if what == "event" else f"person.{close}"
                yield finding(code, message, span, f"did you mean '{written}'?", Fix(span, written))


def _events(rule: Rule) -> Iterator[tuple[str, Span]]:
    for pattern in walk(rule):
        if isinstance(pattern, nodes.Pattern) and pattern.name is not None:
            start = pattern.span[0]
            yield pattern.name, (start, start + len(name_text(pattern.name)))


def _attributes(rule: Rule) -> Iterator[tuple[str, Span]]:
    for path in walk(rule):
        if isinstance(path, nodes.Path) and path.scope == "person":
            yield ".".join(path.parts), path.span


def _one_letter_away(name: str, known: Counter[str]) -> str | None:
    """Return a known name that differs in one letter, or in two that changed places; digits tell names apart."""
    if len(name) < SHORTEST:
        return None
    return next((other for other, times in known.items() if times >= USED and _is_slip(name, other)), None)


def _is_slip(name: str, other: str) -> bool:
    if name.casefold() == other.casefold():
        return True
    if any(char.isdigit() for char in (set(name) ^ set(other))):
        return False
    if len(name) == len(other):
        places = [place for place in range(len(name)) if name[place] != other[place]]
        if len(places) == 2 and places[1] == places[0] + 1:
            return name[places[0]] == other[places[1]] and name[places[1]] == other[places[0]]
    return distance(name, other) == 1 and {name, other} != {name.rstrip("s"), f"{name.rstrip('s')}s"}
