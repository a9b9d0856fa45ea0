"""What takes the place of a clause that could not be read, so that the rest of its rule can be checked.

A stand-in says nothing of itself, and the checks complain of none. A rule with one in it never leaves the reader as
one that can run.
"""

from __future__ import annotations

from collections.abc import Callable

from . import nodes
from .nodes import Expression, Span, Step

UNKNOWN_SHARE = -1.0
"""The share of an arm that could not be read; what is written has no sign."""


def trigger(span: Span) -> nodes.EventTrigger:
    """A trigger of which nothing is known."""
    return nodes.EventTrigger((), span)


def anything(span: Span) -> nodes.If:
    """A clause of which not even the word is known: any step, or none."""
    return nodes.If((), (), span)


def is_anything(step: Step) -> bool:
    return isinstance(step, nodes.If) and not step.branches


def is_unread(expression: Expression) -> bool:
    return isinstance(expression, nodes.Or) and not expression.items


STEPS: dict[str, Callable[[Span], object]] = {
    "expression": lambda span: nodes.Or((), span),
    "wait": lambda span: nodes.WaitFor(nodes.Duration(span=span), span),
    "action": lambda span: nodes.TrackEvent("", (), span),
    "split": lambda span: nodes.Arm(UNKNOWN_SHARE, None, (), span),
}
"""What stands in for a step, by the start rule of its grammar: it waits or acts as the step does."""
