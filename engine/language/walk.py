"""Going through a tree: every node in reading order, and a tree moved to another place in the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, TypeVar

from . import case_nodes, nodes

T = TypeVar("T")

_parts: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    kind: attrgetter("__class__", *(part.name for part in fields(kind)))
    for kind in (*vars(nodes).values(), *vars(case_nodes).values())
    if isinstance(kind, type) and is_dataclass(kind)
}
"""The class of a node and its parts, in the order of its text; the last is the span."""


def walk(node: object) -> Iterator[Any]:
    """``node`` and everything below it, from left to right."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        parts = _parts.get(type(at))
        if parts:
            yield at
            waiting += parts(at)[-2:0:-1]
        elif type(at) is tuple:
            waiting += at[::-1]


def moved(node: T, by: int, ordinals: Iterator[int]) -> T:
    """The same tree ``by`` characters further on, its samples numbered from ``ordinals``."""
    moved_node: T = _moved(node, by, ordinals)
    return moved_node


def _moved(node: Any, by: int, ordinals: Iterator[int]) -> Any:
    kind = type(node)
    if kind is tuple:
        return tuple([_moved(part, by, ordinals) for part in node]) if node else node
    parts = _parts.get(kind)
    if parts is None:
        return node
    _, *values, (start, end) = parts(node)
    values = [value if value is None or type(value) is str else _moved(value, by, ordinals) for value in values]
    if kind is nodes.Sample:
        values[-1] = next(ordinals)
    return kind(*values, (start + by, end + by))
