"""Going through a tree: every node in reading order, a tree moved to another place in the text, its samples numbered.

Rules are walked again and again while a file is read, so what can be known of a kind of node is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any, TypeVar, get_args, get_type_hints

from . import case_nodes, nodes

T = TypeVar("T")

_KINDS = frozenset(
    kind
    for kind in (*vars(nodes).values(), *vars(case_nodes).values())
    if isinstance(kind, type) and is_dataclass(kind)
)


def _holds_nodes(hint: object) -> bool:
    """Whether a value of this type is a node, or may have one inside."""
    return hint in _KINDS or any(map(_holds_nodes, get_args(hint)))


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Gets these parts of a node; the class in front makes a tuple of one part as well."""
    return attrgetter("__class__", *names)


def _branches(kind: type) -> list[str]:
    """The parts of a kind of node that may hold nodes, from right to left."""
    hints = get_type_hints(kind)
    return [part.name for part in fields(kind)[::-1] if _holds_nodes(hints[part.name])]


_parts_of = {kind: _getter([part.name for part in fields(kind)]) for kind in _KINDS}
"""All parts of a node, in the order of its text; the last is the span."""

_branches_of = {kind: _getter(names) for kind in _KINDS if (names := _branches(kind))}


def walk(node: object) -> list[Any]:
    """``node`` and everything below it, from left to right."""
    found: list[Any] = []
    ahead: list[Any] = [node]
    while ahead:
        part = ahead.pop()
        kind = type(part)
        if kind is tuple:
            ahead += part[::-1]
        elif kind in _KINDS:
            found.append(part)
            if kind in _branches_of:
                ahead += _branches_of[kind](part)
    return found


def moved(node: T, by: int) -> T:
    """The same tree ``by`` characters further on."""
    moved_node: T = _rebuilt(node, by, None)
    return moved_node


def numbered(node: T, ordinals: Iterator[int]) -> T:
    """The same tree, its samples numbered from ``ordinals``."""
    numbered_node: T = _rebuilt(node, 0, ordinals)
    return numbered_node


def _rebuilt(node: Any, by: int, ordinals: Iterator[int] | None) -> Any:
    kind: Any = type(node)
    if kind is tuple:
        return tuple([_rebuilt(part, by, ordinals) for part in node]) if node else node
    if kind not in _KINDS:
        return node
    _, *values, (start, end) = _parts_of[kind](node)
    values = [value if value is None or type(value) is str else _rebuilt(value, by, ordinals) for value in values]
    if kind is nodes.Sample and ordinals is not None:
        values[-1] = next(ordinals)
    return kind(*values, (start + by, end + by))
