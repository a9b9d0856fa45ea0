"""The events a rule names."""

from __future__ import annotations

from collections.abc import Iterator

from .nodes import Pattern, Rule, Span, TrackEvent
from .walk import walk


def event_names(rule: Rule) -> Iterator[tuple[str, Span]]:
    """Every event a rule names, waits for or tracks, in the order of its text, with the place it is named at."""
    for node in walk(rule):
        match node:
            case Pattern():
                yield from ((name, node.span) for name in (node.name, *node.excluding) if name is not None)
            case TrackEvent():
                yield node.name, node.span
