"""A rule laid out for checking: everything in it once, and where it asks something, looking which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import nodes
from .nodes import Expression, Rule, Step, Window
from .program import opening
from .walk import walk

T = TypeVar("T")

Kind = Literal["opening", "gate", "branch", "only while"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression with its place in the rule; ``parts`` is every node in it, from left to right.

    ``backwards``: ``within`` looks back. ``waited``: time has passed since the last action, or since the
    trigger where there was none, so that something may have happened before the question.
    """

    expression: Expression
    kind: Kind
    parts: tuple[Any, ...]
    backwards: bool = False
    waited: bool = False

    def looks_forward(self, window: Window | None) -> bool:
        """Whether a window of this expression reaches into the time after the question."""
        if window is None:
            return False
        return window.kind == "next" or (window.kind == "within" and not self.backwards)


@dataclass(frozen=True, slots=True)
class Survey:
    """A rule, every node in it, and every question it asks."""

    rule: Rule
    parts: tuple[Any, ...]
    asked: tuple[Asked, ...]

    @property
    def doubtful(self) -> bool:
        """Whether a bare name stands for a date, and might have been meant for an event."""
        dates = (part for part in self.parts if isinstance(part, nodes.WaitUntilDate | nodes.DateFact))
        return any(date.path.scope == "bare" for date in dates)

    def of(self, kind: type[T]) -> Iterator[T]:
        """The nodes of one kind."""
        return (part for part in self.parts if type(part) is kind)


def survey(rule: Rule) -> Survey:
    """Lay a rule out."""
    return Survey(rule, tuple(walk(rule)), tuple(_questions(rule)))


def _questions(rule: Rule) -> Iterator[Asked]:
    """``Only while``, the opening Conditions, later gates and branches."""
    if rule.only_while is not None:
        yield _asked(rule.only_while, "only while")
    backwards = not isinstance(rule.trigger, nodes.EventTrigger)
    first = opening(rule)
    for expression in first:
        yield _asked(expression, "opening", backwards)
    yield from _later(rule.steps[len(first) :], False)


def _asked(expression: Expression, kind: Kind, backwards: bool = False, waited: bool = False) -> Asked:
    return Asked(expression, kind, tuple(walk(expression)), backwards, waited)


def _later(steps: tuple[Step, ...], waited: bool) -> Iterator[Asked]:
    for step in steps:
        match step:
            case nodes.Condition():
                yield _asked(step.expression, "gate", False, waited)
            case nodes.If():
                for branch in step.branches:
                    yield _asked(branch.expression, "branch", False, waited)
                    yield from _later(branch.steps, waited)
                yield from _later(step.otherwise, waited)
            case nodes.Split():
                for arm in step.arms:
                    yield from _later(arm.steps, waited)
        waited = is_wait(step) or (waited and not is_effect(step))


_WAITS = (nodes.WaitFor, nodes.WaitUntilTime, nodes.WaitUntilEvent, nodes.WaitUntilDate)
_EFFECTS = (nodes.Action, nodes.SetAttribute, nodes.TrackEvent)


def is_wait(node: object) -> bool:
    return isinstance(node, _WAITS)


def is_effect(node: object) -> bool:
    return isinstance(node, _EFFECTS)


def patterns(node: object) -> Iterator[nodes.Pattern]:
    """Every event named below a node, from left to right."""
    return (part for part in walk(node) if isinstance(part, nodes.Pattern))
