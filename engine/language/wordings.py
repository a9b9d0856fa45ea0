"""Wordings that read as something else than what they mean: each is correct, and hardly ever meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from . import nodes, words
from .asked import Survey, is_wait
from .codepoints import odd_in_quotes
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .layout import clause_text, name_text, path_text
from .nodes import Path, Pattern
from .program import Program

PERSON_WORDS: Final = frozenset(
    {
        "user",
        "customer",
        "contact",
        "profile",
        "subscriber",
        "email",
        "recipient",
        "member",
        "client",
        "people",
        "users",
    }
)
"""Fields that ``Limit: ... per`` hardly ever means: the person is."""

_NO_VALUE: Final = frozenset({"empty", "null", "none", "nil", "unset", "missing", "undefined", "blank"})
_NO_DAY: Final = frozenset({"today", "tomorrow", "yesterday", "now"})
_TRUTH: Final = {"yes": "true", "no": "false"}
_CLOCK: Final = frozenset({"now", "today", "time", "hour", "weekday"})
_YEARLY: Final = re.compile(r"birth|anniversary|dob\b", re.IGNORECASE)
_PRESENCE: Final = re.compile(r"log.?(ged.?)?in|session|visit|open|active|seen|view|launch", re.IGNORECASE)
_AMOUNT = re.compile(r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:[$€£¥]|EUR|USD|GBP|PLN|CHF|zł)", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d.,]*")


def advise_wordings(survey: Survey) -> Iterator[Diagnostic]:
    """The warnings of one rule about single words; none hangs on a clause that could not be read."""
    for comparison in survey.of(nodes.Comparison):
        yield from _text_for_field(comparison)
        yield from _blanks_at_the_end(comparison)
        for operand in comparison.right:
            if isinstance(operand, nodes.Literal):
                yield from _word_as_text(comparison, operand)
                yield from _currency(operand)
        yield from _word_as_name(comparison.left)
    for total in survey.of(nodes.TotalFact):
        for operand in total.right:
            if isinstance(operand, nodes.Literal):
                yield from _currency(operand)
                yield from _text_for_total(operand)
    for fact in survey.of(nodes.DateFact):
        yield from _yearly(fact)
        yield from _word_as_name(fact.path)
    for limit in survey.of(nodes.Limit):
        yield from _limit_by_field(limit)
    if survey.knows("only_while"):
        yield from _excludes_unset(survey)
    if survey.knows("trigger"):
        yield from _since_own_trigger(survey)
        yield from _count_with_trigger(survey)
        yield from _lapsed_or_never(survey)
    if survey.knows("exit") and survey.known_opening:
        yield from _exit_replaces(survey)
    if survey.knows("quiet"):
        yield from _quiet_loses_time(survey)


# ------------------------------------------------------------------------------------------------ values


def _text_for_field(comparison: nodes.Comparison) -> Iterator[Diagnostic]:
    """``where cart_id = cart_id``: on the right stands a text."""
    if comparison.left.scope != "event" or len(comparison.right) != 1:
        return
    operand = comparison.right[0]
    name = path_text(comparison.left)
    if isinstance(operand, nodes.Literal) and operand.bare and operand.value == ".".join(comparison.left.parts):
        message = f"'{name}' on the right is the text, and not the trigger's field"
        if comparison.operator == "=":
            yield finding(
                "text-for-field", message, comparison.span, f"write 'same {name}'", Fix(comparison.span, f"same {name}")
            )
        else:
            yield finding("text-for-field", message, operand.span, f"write trigger.{name}")


def _word_as_text(comparison: nodes.Comparison, operand: nodes.Literal) -> Iterator[Diagnostic]:
    if not operand.bare or not isinstance(operand.value, str):
        return
    word, name = operand.value.casefold(), path_text(comparison.left)
    negated = comparison.operator in ("!=", "not in")
    if word in _NO_VALUE:
        advice = f"write '{name} {'is set' if negated else 'is not set'}', or \"{operand.value}\" for the text"
    elif word in _NO_DAY:
        advice = f"for a date write '{name} in the next 1 day' or '{name} in the last 1 day'"
    elif word in _TRUTH:
        advice = f'write {_TRUTH[word]} for a boolean, or "{operand.value}" for the text'
    elif word in words.NUMBER_WORDS:
        advice = f'write {words.NUMBER_WORDS[word]} for the number, or "{operand.value}" for the text'
    else:
        return
    yield finding("word-as-text", f"{operand.value} is the text '{operand.value}' here", operand.span, advice)


def _blanks_at_the_end(comparison: nodes.Comparison) -> Iterator[Diagnostic]:
    """``plan = "pro "``: whole values hardly begin or end in a blank, parts of one may."""
    for operand in comparison.right if comparison.operator in ("=", "!=", "in", "not in") else ():
        if isinstance(operand, nodes.Literal) and isinstance(operand.value, str):
            trimmed = operand.value.strip()
            if trimmed and trimmed != operand.value and not odd_in_quotes(operand.value):
                message = f"the text '{operand.value}' has a blank at its end, and equals no text without one"
                if operand.value[0] == " ":
                    message = f"the text '{operand.value}' begins with a blank, and equals no text without one"
                yield finding("odd-in-quotes", message, operand.span, f'write "{trimmed}" if the blank is none of it')


def _currency(operand: nodes.Literal) -> Iterator[Diagnostic]:
    if operand.bare and isinstance(operand.value, str) and _AMOUNT.fullmatch(operand.value):
        amount = _NUMBER.search(operand.value)
        number = amount[0] if amount is not None else "50"
        message = f"{operand.value} is a text, and no number"
        yield finding("currency-sign", message, operand.span, f"write {number}", Fix(operand.span, number))


def _text_for_total(operand: nodes.Literal) -> Iterator[Diagnostic]:
    """``count of buy > three``: a total is a number."""
    if isinstance(operand.value, str) and not _AMOUNT.fullmatch(operand.value):
        number = words.NUMBER_WORDS.get(operand.value.casefold())
        advice = "write a number" if number is None else f"write {number}"
        fix = None if number is None else Fix(operand.span, str(number))
        message = f"a total is a number, and this is the text '{operand.value}'"
        yield finding("never-equal", message, operand.span, advice, fix)


def _word_as_name(path: Path) -> Iterator[Diagnostic]:
    if path.scope == "bare" and len(path.parts) == 1 and path.parts[0].casefold() in _CLOCK:
        word = path.parts[0]
        message = f"'{word}' is read as a field of the trigger or an attribute of the person"
        advice = "'Quiet hours:' and 'Wait: until 09:00' go by the clock"
        yield finding("word-as-name", message, path.span, advice)


def _yearly(fact: nodes.DateFact) -> Iterator[Diagnostic]:
    if fact.kind in ("next", "last") and _YEARLY.search(fact.path.parts[-1]):
        name = path_text(fact.path)
        message = f"'{name}' is asked for its own year, which for a birthday is long past"
        yield finding("yearly-date", message, fact.span, f"begin with 'Trigger: every year on {name} at 09:00'")


def _excludes_unset(survey: Survey) -> Iterator[Diagnostic]:
    for question in survey.asked if survey.rule.only_while is not None else ():
        for fact in question.parts if question.kind == "only while" else ():
            comparison = fact.comparison if isinstance(fact, nodes.Fact) else None
            if comparison is None or comparison.left.scope == "trigger" or comparison.operator != "=":
                continue
            value = comparison.right[0]
            if isinstance(value, nodes.Literal) and value.value in (0, False):
                name = path_text(comparison.left)
                message = f"this leaves out everybody without '{name}'"
                advice = (
                    f"write 'NOT {name} > 0' to let them in"
                    if value.value is not False
                    else f"write 'NOT {name} = true'"
                )
                yield finding("excludes-unset", message, fact.span, advice)


# -------------------------------------------------------------------------------------------- whole rules


def _limit_by_field(limit: nodes.Limit) -> Iterator[Diagnostic]:
    path = limit.path
    if limit.per == "value" and path is not None and path.parts[0].casefold() in PERSON_WORDS and len(path.parts) == 1:
        word = path.parts[0]
        message = f"'per {word}' counts by the trigger's field '{word}'; a trigger without it starts nothing"
        yield finding("limit-by-field", message, path.span, "write 'per person'", Fix(path.span, "person"))


def _since_own_trigger(survey: Survey) -> Iterator[Diagnostic]:
    names = {pattern.name for pattern in _triggers(survey)}
    for window in survey.of(nodes.Window):
        if window.kind == "since last" and window.anchor is not None and window.anchor.name in names:
            name = window.anchor.name
            message = f"the trigger is the last '{name}' itself; this looks at what came after the one before it"
            yield finding("since-own-trigger", message, window.span, "nothing to do if that is meant")


def _count_with_trigger(survey: Survey) -> Iterator[Diagnostic]:
    """One rule counts an event in a message and in a condition."""
    names = {pattern.name for pattern in _triggers(survey)}
    actions: list[nodes.Action | nodes.TrackEvent] = [*survey.of(nodes.Action), *survey.of(nodes.TrackEvent)]
    shown = {
        value.pattern.name
        for action in actions
        for _, value in action.arguments
        if isinstance(value, nodes.Total) and value.window is not None and value.window.kind == "since trigger"
    }
    for question in survey.asked:
        for item in question.parts:
            window = item.window if isinstance(item, nodes.Happened) else None
            if window is None or window.kind != "since trigger" or not isinstance(item, nodes.Happened):
                continue
            if item.pattern.name in names & shown:
                message = f"this does not count the trigger, and the count of '{item.pattern.name}' in the message does"
                yield finding("count-with-trigger", message, item.span, "nothing to do if that is meant")


def _lapsed_or_never(survey: Survey) -> Iterator[Diagnostic]:
    """``Trigger: None`` with ``NOT purchase within 30 days``: also those who never bought.

    Events of mere presence are left out: whoever is known has been there.
    """
    if not isinstance(survey.rule.trigger, nodes.NoTrigger):
        return
    openings = [question.expression for question in survey.asked if question.kind == "opening"]
    items = [part for one in openings for part in (one.items if isinstance(one, nodes.And) else (one,))]
    required = {part.pattern.name for part in items if isinstance(part, nodes.Happened)}
    required |= {part.pattern.name for part in items if isinstance(part, nodes.LastEvent)}
    for item in items:
        absent = item.item if isinstance(item, nodes.Not) else None
        if not isinstance(absent, nodes.Happened) or absent.count is not None or absent.window is None:
            continue
        name = absent.pattern.name
        if name is not None and name not in required and not _PRESENCE.search(name):
            message = f"this also holds for people without any '{name}'"
            yield finding("includes-none", message, item.span, f"add 'AND {name_text(name)}' if they are not meant")


def _exit_replaces(survey: Survey) -> Iterator[Diagnostic]:
    """An own ``Exit:`` beside Conditions from which one would follow."""
    rule = survey.rule
    if rule.exit is None or not rule.exit.patterns:
        return
    plain = Program(replace(rule, exit=None))
    own = {pattern.name for pattern in rule.exit.patterns}
    lost = [pattern for pattern in plain.exits if pattern.name not in own]
    if lost:
        joined = " OR ".join([clause_text(rule.exit), *(clause_text(nodes.Exit((pattern,))) for pattern in lost)])
        names = ", ".join(f"'{pattern.name}'" for pattern in lost)
        message = (
            f"this takes the place of the exit that follows from the Conditions: {names} no longer ends the journey"
        )
        yield finding("exit-replaces", message, rule.exit.span, f"write 'Exit: {joined}' to keep both")


def _quiet_loses_time(survey: Survey) -> Iterator[Diagnostic]:
    """Quiet days end at midnight, whatever the hour that a wait chose."""
    timed = [step for step in survey.parts if isinstance(step, nodes.WaitUntilTime) and is_wait(step)]
    for line in survey.rule.quiet:
        if (
            line.days
            and line.start is None
            and timed
            and not any(other.start is not None for other in survey.rule.quiet)
        ):
            days = ", ".join(line.days)
            hour = f"{timed[0].time.hour:02d}:{timed[0].time.minute:02d}"
            after = _DAYS[(_DAYS.index(line.days[-1]) + 1) % 7]
            message = f"what is held on {days} leaves on {after} at 00:00, and not at {hour}"
            yield finding("quiet-loses-time", message, line.span, f"add 'Quiet hours: 00:00 to {hour}'")


_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _triggers(survey: Survey) -> tuple[Pattern, ...]:
    trigger = survey.rule.trigger
    return trigger.patterns if isinstance(trigger, nodes.EventTrigger) else ()
