"""Going through a tree: every node in reading order, and a tree moved to another place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

from .nodes import Sample

T = TypeVar("T")


@cache
def _parts(kind: type) -> tuple[str, ...] | None:
    """The fields of a node in the order of its text; ``None`` for what is no node. The last is its span."""
    return tuple(part.name for part in fields(kind)) if is_dataclass(kind) else None


def walk(node: object) -> Iterator[Any]:
    """``node`` and everything below it, from left to right."""
    waiting = [node]
    while waiting:
        at = waiting.pop()
        names = _parts(type(at))
        if names is not None:
            yield at
            waiting += [getattr(at, name) for name in reversed(names[:-1])]
        elif type(at) is tuple:
            waiting += reversed(at)


def moved(node: T, by: int, ordinals: Iterator[int]) -> T:
    """The same tree ``by`` characters further on, its samples numbered from ``ordinals``."""
    kind: Any = type(node)
    names = _parts(kind)
    if names is None:
        return kind(moved(part, by, ordinals) for part in node) if kind is tuple else node  # type: ignore[attr-defined]
    values = [moved(getattr(node, name), by, ordinals) for name in names[:-1]]
    if kind is Sample:
        values[-1] = next(ordinals)
    start, end = node.span  # type: ignore[attr-defined]
    return kind(*values, (start + by, end + by))  # type: ignore[no-any-return]
