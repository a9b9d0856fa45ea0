"""Parts of a program as text: what an item of a condition is called where one part of a rule is talked about."""

from __future__ import annotations

from . import nodes, program
from .layout import comparison_text, expression_text, path_text

__all__ = ["comparison_text", "field_text", "item_text"]


def item_text(item: program.Item) -> str:
    """Return an item with its window, as it would be written by itself."""
    match item:
        case program.Seen(pattern=pattern, count=count, reach=reach, plain=plain):
            return expression_text(nodes.Happened(pattern, None if plain else count, _window(reach)))
        case program.Sequence(links=links):
            return expression_text(nodes.Chain(links))
        case program.First(first=first, rivals=rivals, reach=reach):
            return expression_text(nodes.Race(first, rivals, _window(reach)))
        case program.Summed(total=total, operator=operator, right=right):
            return expression_text(nodes.TotalFact(total, operator, right))
        case _:
            return expression_text(item)


def field_text(path: nodes.Path) -> str:
    """Return a field or attribute as it is written."""
    return path_text(path)


def _window(reach: program.Reach) -> nodes.Window | None:
    if reach.since == "trigger":
        return nodes.Window("since trigger")
    if isinstance(reach.since, nodes.Pattern):
        return nodes.Window("since last", anchor=reach.since)
    if not reach.lengths:
        return None
    return nodes.Window("within" if reach.forward else "last", reach.lengths[0])
