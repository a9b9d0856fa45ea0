"""What must hold across a rule: directions of windows, fields of triggers, what a rule opens with."""

from __future__ import annotations

from collections.abc import Iterator

from . import nodes
from .asked import Asked, Survey
from .codes import finding
from .diagnostics import Diagnostic
from .figures import check_split
from .layout import path_text, pattern_text
from .nodes import Expression, Rule, Total, Window
from .standins import is_anything


def check_scopes(survey: Survey) -> Iterator[Diagnostic]:
    """The errors of a rule that no single clause shows."""
    rule = survey.rule
    if not isinstance(rule.trigger, nodes.EventTrigger):
        yield from _fields_without_trigger(survey)
    if isinstance(rule.trigger, nodes.NoTrigger) and not any(map(_may_open, rule.steps[:1])):
        advice = "begin with the 'Condition:' that makes it start, such as 'NOT logged_in within 30 days'"
        message = "a rule without trigger starts when its opening Condition becomes true, and has none"
        yield finding("no-opening-condition", message, rule.trigger.span, advice)
    for asked in survey.asked:
        yield from _windows(rule, asked)
        yield from _items(asked, asked.expression, None)
    for split in survey.of(nodes.Split):
        yield from check_split(split)
    yield from _totals_sent(survey)


def _may_open(step: nodes.Step) -> bool:
    return isinstance(step, nodes.Condition) or is_anything(step)


def _fields_without_trigger(survey: Survey) -> Iterator[Diagnostic]:
    kind = "a schedule" if isinstance(survey.rule.trigger, nodes.Schedule) else "'Trigger: None'"
    for path in survey.of(nodes.Path):
        if path.scope == "trigger":
            message = f"{kind} has no fields, so there is no '{path_text(path)}'"
            advice = f"use an attribute of the person, such as person.{path.parts[0]}, or an event as trigger"
            yield finding("no-trigger-fields", message, path.span, advice)


def _windows(rule: Rule, asked: Asked) -> Iterator[Diagnostic]:
    """Which windows may stand where."""
    for window in (part for part in asked.parts if type(part) is Window):
        if asked.kind == "opening" and window.kind == "since trigger":
            message = "nothing can have happened since the trigger at the very moment of it"
            advice = "write 'within 24 hours' for the time after it, 'in the last 24 hours' for the time before"
            yield finding("since-trigger-at-once", message, window.span, advice)
        elif asked.kind == "only while" and asked.looks_forward(window):
            message = "'Only while:' is asked at one moment, so it cannot look forward"
            yield finding("looks-forward", message, window.span, "write 'in the last ...' or 'within ...'")
        elif asked.kind == "opening" and isinstance(rule.trigger, nodes.NoTrigger) and window.kind == "next":
            message = "without a trigger there is no moment to look forward from"
            yield finding("looks-forward", message, window.span, "write 'in the last ...' or 'within ...'")


def _items(asked: Asked, item: Expression, group: Window | None) -> Iterator[Diagnostic]:
    """Chains and races, whose windows depend on the bracket around them."""
    match item:
        case nodes.And() | nodes.Or():
            for part in item.items:
                yield from _items(asked, part, group)
        case nodes.Not():
            yield from _items(asked, item.item, group)
        case nodes.Group():
            yield from _items(asked, item.item, item.window)
        case nodes.Chain() if group is None:
            for link in item.links:
                yield from _link(link)
        case nodes.Race():
            yield from _race(asked, item, item.window or group)
        case _:
            pass


def _link(link: nodes.Link) -> Iterator[Diagnostic]:
    if link.window is None:
        name = pattern_text(link.pattern)
        advice = f"write '{name} within 3 days', or put the chain in brackets with a window behind them"
        yield finding("chain-without-window", f"'{name}' needs a window in this chain", link.span, advice)


def _race(asked: Asked, race: nodes.Race, window: Window | None) -> Iterator[Diagnostic]:
    if asked.backwards:
        message = "a race runs forward, and cannot stand where conditions look back"
        yield finding("looks-forward", message, race.span, "put it in a Condition behind a 'Wait:' or an 'Action:'")
    elif asked.backwards is False and not asked.looks_forward(window):
        message = "a race needs a window that looks forward"
        yield finding("race-without-window", message, race.span, "write 'a before any b within 1 hour'")


def _totals_sent(survey: Survey) -> Iterator[Diagnostic]:
    """A total that is sent along is worked out at once, so its window must look back."""
    effects: list[nodes.Action | nodes.TrackEvent] = [*survey.of(nodes.Action), *survey.of(nodes.TrackEvent)]
    values = [value for effect in effects for _, value in effect.arguments]
    values += (assignment.value for assignment in survey.of(nodes.SetAttribute))
    for value in values:
        window = value.window if isinstance(value, Total) else None
        if window and window.kind in ("within", "next"):
            message = "a total in an action looks back, and this window looks forward"
            yield finding("looks-forward", message, window.span, "write 'in the last ...' or 'since trigger'")
