"""What is correct and still worth a second look, because it is easily misread."""

from __future__ import annotations

from collections.abc import Iterator

from . import nodes
from .asked import Asked, Survey, is_effect, is_wait, patterns
from .codes import finding
from .diagnostics import Diagnostic
from .expression_advice import advise_expression
from .joins import advise_event_words, ends_in_text, second_value
from .layout import name_text, path_text, pattern_text
from .nodes import Path, Pattern, Rule, Step
from .program import ADDRESS, TRANSACTIONAL, Program, opening
from .walk import walk
from .wordings import advise_wordings

_DAY = 86_400_000_000
_PERIODS = {"day": (1, "day"), "week": (7, "week"), "month": (28, "month"), "year": (365, "year")}
_MONTH = 31 * _DAY
_WINDOWED = (nodes.Happened, nodes.Link, nodes.Race, nodes.Total, nodes.Group)


def advise(survey: Survey, text: str) -> Iterator[Diagnostic]:
    """The warnings of one rule; ``text`` is the file it stands in. None hangs on a clause that could not be read."""
    rule, asked = survey.rule, survey.asked
    for question in asked:
        yield from advise_expression(question, text)
    yield from advise_event_words(rule, survey.of(Pattern), text)
    if survey.knows("exit") and (rule.exit is not None or survey.known_opening):
        exits = Program(rule).exits
        for question in asked:
            yield from _earlier_events(question, exits)
        yield from _goal_not_exit(survey, exits)
    if survey.knows("exit", "again"):
        yield from _trigger_left_alone(rule, asked)
    if survey.knows("trigger", "again"):
        yield from _trigger_while_waiting(rule)
        yield from _longer_than_schedule(rule)
    if survey.knows("trigger", "for_each"):
        yield from _each_without_same(survey)
    if survey.knows("limits"):
        yield from _unlimited(rule, asked)
    yield from _open_ends(rule)
    yield from _foreign_recipient(survey)
    yield from advise_wordings(survey)


# ---------------------------------------------------------------------------------------------- events


def _open_ends(rule: Rule) -> Iterator[Diagnostic]:
    """``a where x = 1 OR b`` in a list of events, where ``b`` looks like a second value."""
    for clause in (rule.trigger, rule.exit):
        if isinstance(clause, nodes.EventTrigger | nodes.Exit):
            for before, after in zip(clause.patterns, clause.patterns[1:], strict=False):
                if ends_in_text(before) and not after.where and after.name:
                    yield second_value(before, after.name, after.span)


def _each_without_same(survey: Survey) -> Iterator[Diagnostic]:
    rule = survey.rule
    if rule.for_each is None or not isinstance(rule.trigger, nodes.EventTrigger):
        return
    asked = (question.expression for question in survey.asked)
    places = (*asked, *survey.of(nodes.WaitUntilEvent), *survey.of(nodes.Exit))
    field = path_text(Path("event", rule.for_each.parts))
    wanted = Path("trigger", rule.for_each.parts)
    for pattern in (pattern for place in places for pattern in patterns(place)):
        if pattern.name and not any(wanted in comparison.right for comparison in pattern.where):
            message = f"'For each: {field}' does not compare '{pattern.name}': any of the person's counts here"
            joint = ", same" if pattern.where else "where same"
            yield finding("each-without-same", message, pattern.span, f"add '{joint} {field}'")


def _goal_not_exit(survey: Survey, exits: tuple[Pattern, ...]) -> Iterator[Diagnostic]:
    goal = survey.rule.goal
    if goal and _takes_time(survey) and goal.pattern.name not in {pattern.name for pattern in exits}:
        message = f"reaching the goal does not end the journey: people go on after '{goal.pattern.name}'"
        yield finding("goal-not-exit", message, goal.span, f"add 'Exit: {pattern_text(goal.pattern)}' if it should")


def _trigger_left_alone(rule: Rule, asked: tuple[Asked, ...]) -> Iterator[Diagnostic]:
    """A cart emptied after an hour still gets its reminder."""
    if not isinstance(rule.trigger, nodes.EventTrigger) or rule.exit or (rule.again and rule.again.kind != "restart"):
        return
    first_effect = next((index for index, step in enumerate(rule.steps) if is_effect(step)), len(rule.steps))
    waits = any(map(is_wait, rule.steps[:first_effect])) or any(
        question.kind == "opening" and _forward_items(question) for question in asked
    )
    for pattern in rule.trigger.patterns if waits else ():
        if pattern.where and pattern.name:
            message = f"a later '{pattern.name}' that does not match this leaves the waiting journey as it is"
            advice = f"to end it then, add an 'Exit: {name_text(pattern.name)} where ...'"
            span = (pattern.where[0].span[0], pattern.where[-1].span[1])
            yield finding("trigger-left-alone", message, span, advice)


def _foreign_recipient(survey: Survey) -> Iterator[Diagnostic]:
    """Of what is transactional no consent is asked, so whose address it is makes no difference."""
    for action in survey.of(nodes.Action):
        to = action.to
        if to is None or (to.scope, to.parts) == ("person", (ADDRESS,)):
            continue
        if to.scope == "bare" and "@" in to.parts[0]:
            message = f"{path_text(to)} names a field of the trigger here and is no address: nobody gets this"
            fixed = f"set person.desk = {path_text(to)}"
            advice = f"to write to a fixed address, put it into a field first, 'Action: {fixed}', then 'to person.desk'"
            yield finding("foreign-recipient", message, to.span, advice)
        elif survey.rule.purpose != TRANSACTIONAL and survey.knows("purpose"):
            message = f"'{path_text(to)}' need not be the person's own address"
            advice = "consent is then looked up by that address; write 'to person.email' for the person's own"
            yield finding("foreign-recipient", message, to.span, advice)


# ------------------------------------------------------------------------------------------------ time


def _forward_items(question: Asked) -> list[nodes.Happened | nodes.Link | nodes.Race | nodes.Total | nodes.Group]:
    items = (node for node in question.parts if isinstance(node, _WINDOWED))
    return [item for item in items if question.looks_forward(item.window)]


def _takes_time(survey: Survey) -> bool:
    later = (question for question in survey.asked if question.kind != "only while")
    return any(map(is_wait, survey.parts)) or any(map(_forward_items, later))


def _earlier_events(question: Asked, exits: tuple[Pattern, ...]) -> Iterator[Diagnostic]:
    """After a wait, a window that looks forward misses what happened during the wait."""
    if not question.waited or question.kind not in ("gate", "branch"):
        return
    covered = {pattern.name for pattern in exits} | _asked_since_trigger(question)
    for item in _forward_items(question):
        if isinstance(item, nodes.Happened) and item.pattern.name and item.pattern.name not in covered:
            name = item.pattern.name
            message = f"'{name}' counts from this step on; one during the wait before it does not"
            advice = f"add '{name_text(name)} since trigger' if it should"
            yield finding("earlier-events", message, item.span, advice)


def _asked_since_trigger(question: Asked) -> set[str | None]:
    items = (node for node in question.parts if isinstance(node, nodes.Happened))
    return {item.pattern.name for item in items if item.window and item.window.kind == "since trigger"}


def _trigger_while_waiting(rule: Rule) -> Iterator[Diagnostic]:
    if rule.again or not isinstance(rule.trigger, nodes.EventTrigger):
        return
    wait = _wait_after_effect(rule.steps, [False])
    if wait:
        message = "while a journey that has acted waits here, new triggers are ignored"
        advice = "write 'Triggered again: replace' to begin anew, 'each' for one journey each, 'restart' to leave it so"
        yield finding("trigger-while-waiting", message, wait.span, advice)


def _wait_after_effect(steps: tuple[Step, ...], acted: list[bool]) -> Step | None:
    """The first wait behind an action; ``acted`` remembers across branches that one was met."""
    for step in steps:
        if is_effect(step):
            acted[0] = True
        elif is_wait(step) and acted[0]:
            return step
        for inner in _inner(step):
            if found := _wait_after_effect(inner, acted):
                return found
    return None


def _inner(step: Step) -> Iterator[tuple[Step, ...]]:
    """The lists of steps inside a step."""
    if isinstance(step, nodes.If):
        yield from (branch.steps for branch in step.branches)
        yield step.otherwise
    elif isinstance(step, nodes.Split):
        yield from (arm.steps for arm in step.arms)


def _longer_than_schedule(rule: Rule) -> Iterator[Diagnostic]:
    if not isinstance(rule.trigger, nodes.Schedule) or rule.trigger.kind not in _PERIODS:
        return
    if rule.again and rule.again.kind != "ignore":
        return
    days, name = _PERIODS[rule.trigger.kind]
    first = len(opening(rule))
    if _longest(rule.steps[:first], ("next",)) + _longest(rule.steps[first:], ("next", "within")) > days * _DAY:
        message = f"a journey can last longer than the {name} until the schedule's next start, which is then ignored"
        advice = "write 'Triggered again: each' for a journey every time, 'replace' to begin anew"
        yield finding("longer-than-schedule", message, rule.trigger.span, advice)


def _longest(steps: tuple[Step, ...], forward: tuple[str, ...]) -> int:
    """Microseconds on the longest way through steps whose windows of the kinds ``forward`` look forward."""
    return sum(_length(step, forward) for step in steps)


def _length(step: Step, forward: tuple[str, ...]) -> int:
    match step:
        case nodes.WaitFor():
            return _micros(step.duration)
        case nodes.WaitUntilEvent():
            return _micros(step.at_most)
        case nodes.Condition():
            windows = (node for node in walk(step) if isinstance(node, nodes.Window) and node.kind in forward)
            return max((_micros(window.duration) for window in windows), default=0)
        case nodes.If() | nodes.Split():
            return max((_longest(inner, forward) for inner in _inner(step)), default=0)
        case _:
            return 0


def _micros(duration: nodes.Duration | None) -> int:
    return duration.micros + duration.months * _MONTH if duration else 0


# ---------------------------------------------------------------------------------------------- limits


def _unlimited(rule: Rule, asked: tuple[Asked, ...]) -> Iterator[Diagnostic]:
    if not isinstance(rule.trigger, nodes.NoTrigger) or rule.limits:
        return
    for question in asked:
        for node in question.parts if question.kind == "opening" else ():
            if isinstance(node, nodes.TotalFact) or (isinstance(node, nodes.Happened) and node.count):
                message = "this can become true again and again, and starts a journey each time"
                yield finding("unlimited", message, node.span, "add a 'Limit:', such as 'once per person per 30 days'")
                return
