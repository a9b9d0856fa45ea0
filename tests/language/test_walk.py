"""Going through a tree misses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from hypothesis import given, settings

from engine.language.nodes import Rule
from engine.language.walk import moved, walk

from .strategies import rules


def everything(node: object) -> Iterator[object]:
    """Every node below ``node``, looked for in all of its parts."""
    if is_dataclass(node):
        yield node
        for part in fields(node):
            yield from everything(getattr(node, part.name))
    elif isinstance(node, tuple):
        for inner in node:
            yield from everything(inner)


@settings(max_examples=25)
@given(rules())
def test_every_node_from_left_to_right(rule: Rule) -> None:
    assert list(map(id, walk(rule))) == list(map(id, everything(rule)))


@settings(max_examples=25)
@given(rules())
def test_a_moved_tree_differs_in_its_places_alone(rule: Rule) -> None:
    further = moved(rule, 7)
    assert further == rule
    before, after = ([part.span for part in walk(tree)] for tree in (rule, further))
    assert after == [(start + 7, end + 7) for start, end in before]
