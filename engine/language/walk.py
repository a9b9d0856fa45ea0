"""Going through a tree: every node in reading order, and a tree moved to another place in the text.

Both are done for every rule of a file, so they look at the kind of each part before they go into it.
"""

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


def walk(node: object) -> list[Any]:
    """``node`` and everything below it, from left to right."""
    found: list[Any] = []
    _collect(node, found)
    return found


def _collect(node: Any, found: list[Any]) -> None:
    kind = type(node)
    if kind is tuple:
        inner = node
    elif kind in _parts:
        found.append(node)
        inner = _parts[kind](node)[1:-1]
    else:
        return
    for part in inner:
        if part is not None and type(part) is not str:
            _collect(part, found)


def moved(node: T, by: int, ordinals: Iterator[int]) -> T:
    """The same tree ``by`` characters further on, its samples numbered from ``ordinals``."""
    moved_node: T = _moved(node, by, ordinals)
    return moved_node


def _moved(node: Any, by: int, ordinals: Iterator[int]) -> Any:
    kind = type(node)
    if kind is tuple:
        return tuple([_moved(part, by, ordinals) for part in node]) if node else node
    if kind not in _parts:
        return node
    _, *values, (start, end) = _parts[kind](node)
    values = [value if value is None or type(value) is str else _moved(value, by, ordinals) for value in values]
    if kind is nodes.Sample:
        values[-1] = next(ordinals)
    return kind(*values, (start + by, end + by))
