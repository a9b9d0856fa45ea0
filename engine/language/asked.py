"""Where a rule asks something, and in which direction a window looks from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from . import nodes
from .nodes import Expression, Rule, Step, Window
from .program import opening
from .walk import walk

Kind = Literal["opening", "gate", "branch", "only while"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression with its place in the rule.

    ``backwards``: ``within`` looks back. ``waited``: time has passed since the last action, or since the
    trigger where there was none, so that something may have happened before the question.
    """

    expression: Expression
    kind: Kind
    backwards: bool = False
    waited: bool = False

    def looks_forward(self, window: Window | None) -> bool:
        """Whether a window of this expression reaches into the time after the question."""
        if window is None:
            return False
        return window.kind == "next" or (window.kind == "within" and not self.backwards)


def questions(rule: Rule) -> Iterator[Asked]:
    """Everything the rule asks: ``Only while``, the opening Conditions, later gates and branches."""
    if rule.only_while is not None:
        yield Asked(rule.only_while, "only while")
    backwards = not isinstance(rule.trigger, nodes.EventTrigger)
    first = opening(rule)
    for expression in first:
        yield Asked(expression, "opening", backwards)
    yield from _later(rule.steps[len(first) :], False)


def _later(steps: tuple[Step, ...], waited: bool) -> Iterator[Asked]:
    for step in steps:
        match step:
            case nodes.Condition():
                yield Asked(step.expression, "gate", False, waited)
            case nodes.If():
                for branch in step.branches:
                    yield Asked(branch.expression, "branch", False, waited)
                    yield from _later(branch.steps, waited)
                yield from _later(step.otherwise, waited)
            case nodes.Split():
                for arm in step.arms:
                    yield from _later(arm.steps, waited)
        waited = is_wait(step) or (waited and not is_effect(step))


def is_wait(step: Step) -> bool:
    return isinstance(step, nodes.WaitFor | nodes.WaitUntilTime | nodes.WaitUntilEvent | nodes.WaitUntilDate)


def is_effect(step: Step) -> bool:
    return isinstance(step, nodes.Action | nodes.SetAttribute | nodes.TrackEvent)


def windows(expression: Expression) -> Iterator[Window]:
    """Every window in an expression."""
    return (node for node in walk(expression) if isinstance(node, Window))


def patterns(node: object) -> Iterator[nodes.Pattern]:
    """Every event named below a node, from left to right."""
    return (part for part in walk(node) if isinstance(part, nodes.Pattern))
