"""A rule laid out for checking: everything in it once, and where it asks something, looking which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import nodes
from .nodes import Expression, Rule, Step, Window
from .program import opening
from .standins import is_anything, is_unread
from .walk import walk

T = TypeVar("T")

Kind = Literal["opening", "gate", "branch", "only while", "unplaced"]
"""``unplaced``: an opening or a gate, by what a clause above it means that could not be read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression with its place in the rule; ``parts`` is every node in it, from left to right.

    ``backwards``: ``within`` looks back; nothing where that hangs on what could not be read. ``waited``: time has
    passed since the last action, or since the trigger where there was none, so that something may have happened before
    the question.
    """

    expression: Expression
    kind: Kind
    parts: tuple[Any, ...]
    backwards: bool | None = False
    waited: bool = False

    def looks_forward(self, window: Window | None) -> bool:
        """Whether a window of this expression reaches into the time after the question."""
        if window is None:
            return False
        return window.kind == "next" or (window.kind == "within" and self.backwards is False)


@dataclass(frozen=True, slots=True)
class Survey:
    """A rule, every node in it, and every question it asks that could be read.

    ``unread`` names the fields of the rule of which something is written that could not be read, or may be.
    """

    rule: Rule
    parts: tuple[Any, ...]
    asked: tuple[Asked, ...]
    unread: frozenset[str] = frozenset()

    @property
    def known_opening(self) -> bool:
        """Whether all opening Conditions could be read."""
        first = opening(self.rule)
        behind = self.rule.steps[len(first) : len(first) + 1]
        return not any(map(is_unread, first)) and not any(map(is_anything, behind))

    def knows(self, *fields: str) -> bool:
        """Whether all that is written of these fields could be read, be it nothing."""
        return self.unread.isdisjoint(fields)

    @property
    def doubtful(self) -> bool:
        """Whether a bare name stands for a date, and might have been meant for an event."""
        dates = (part for part in self.parts if isinstance(part, nodes.WaitUntilDate | nodes.DateFact))
        return any(date.path.scope == "bare" for date in dates)

    def of(self, kind: type[T]) -> Iterator[T]:
        """The nodes of one kind."""
        return (part for part in self.parts if type(part) is kind)


def survey(rule: Rule, unread: frozenset[str] = frozenset()) -> Survey:
    """Lay a rule out; see :class:`Survey` for ``unread``."""
    backwards = None if "trigger" in unread else not isinstance(rule.trigger, nodes.EventTrigger)
    asked = (question for question in _questions(rule, backwards) if not is_unread(question.expression))
    return Survey(rule, tuple(walk(rule)), tuple(asked), unread)


def _questions(rule: Rule, backwards: bool | None) -> Iterator[Asked]:
    """``Only while``, the opening Conditions, later gates and branches."""
    if rule.only_while is not None:
        yield _asked(rule.only_while, "only while", True)
    first = opening(rule)
    for expression in first:
        yield _asked(expression, "opening", backwards)
    rest = rule.steps[len(first) :]
    unplaced = _unplaced(rest)
    for step in rest[:unplaced]:
        if isinstance(step, nodes.Condition):
            yield _asked(step.expression, "unplaced", None)
    yield from _later(rest[unplaced:], False)


def _unplaced(steps: tuple[Step, ...]) -> int:
    """How many steps behind the opening Conditions may be some of them, by what could not be read in front of them."""
    if not any(map(is_anything, steps[:1])):
        return 0
    sure = (index for index, step in enumerate(steps) if not (isinstance(step, nodes.Condition) or is_anything(step)))
    return next(sure, len(steps))


def _asked(expression: Expression, kind: Kind, backwards: bool | None = False, waited: bool = False) -> Asked:
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
        waited = is_wait(step) or (waited and not is_effect(step) and not is_anything(step))


_WAITS = (nodes.WaitFor, nodes.WaitUntilTime, nodes.WaitUntilEvent, nodes.WaitUntilDate)
_EFFECTS = (nodes.Action, nodes.SetAttribute, nodes.TrackEvent)


def is_wait(node: object) -> bool:
    return isinstance(node, _WAITS)


def is_effect(node: object) -> bool:
    return isinstance(node, _EFFECTS)


def patterns(node: object) -> Iterator[nodes.Pattern]:
    """Every event named below a node, from left to right."""
    return (part for part in walk(node) if isinstance(part, nodes.Pattern))
