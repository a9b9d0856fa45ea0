"""Which arguments a template can do without: those it asks for, and those with something in their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liquid import BoundTemplate
from liquid.ast import ConditionalBlockNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.tags.case_tag import CaseNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.include_tag import IncludeNode
from liquid.builtin.tags.render_tag import RenderNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from engine.templates.dialect import nodes_of, within

_CONDITIONS = IfNode | UnlessNode | CaseNode | ConditionalBlockNode


@dataclass(frozen=True)
class Optional:
    """``names``: the arguments that conditions of a file ask for. ``places``: where in it one may be missing, because
    a default stands behind it or it is only handed on."""

    names: frozenset[str]
    places: frozenset[int]


def optional(template: BoundTemplate) -> Optional:
    """What may be missing in the text of one file."""
    names: set[str] = set()
    places: set[int] = set()
    for node in nodes_of(template):
        expressions = list(node.expressions())
        if isinstance(node, _CONDITIONS):
            names.update(_names(expressions))
        elif isinstance(node, IncludeNode | RenderNode):
            places.update(_places(expressions))
        for one in within(expressions):
            if isinstance(one, FilteredExpression) and any(filter.name == "default" for filter in one.filters or ()):
                places.update(_places([one.left]))
    return Optional(frozenset(names), frozenset(places))


def _names(expressions: Iterable[Expression]) -> Iterator[str]:
    for one in _arguments(expressions):
        if isinstance(one.path[1], str):
            yield one.path[1]


def _places(expressions: Iterable[Expression]) -> Iterator[int]:
    return (one.token.start_index for one in _arguments(expressions))


def _arguments(expressions: Iterable[Expression]) -> Iterator[Path]:
    """The paths that begin with ``with`` and go on."""
    for one in within(expressions):
        if isinstance(one, Path) and len(one.path) > 1 and one.path[0] == "with":
            yield one
