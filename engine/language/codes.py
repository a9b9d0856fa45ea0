"""Every diagnostic the language knows, with what it means; ``severity`` comes from here and nowhere else."""

from __future__ import annotations

from typing import Final, NamedTuple

from .diagnostics import Diagnostic, Fix, Severity
from .nodes import Span


class Code(NamedTuple):
    """What kind of finding a code is, and what it means in plain words."""

    severity: Severity
    meaning: str


_ERRORS = {
    "not-utf-8": "a file of rules is UTF-8 text",
    "file-too-large": "a file of rules has a stated largest size",
    "clause-too-long": "one clause has a stated greatest length",
    "too-deep": "brackets, NOTs and branches can be nested only so deep",
    "too-many-rules": "a file holds at most a stated number of rules",
    "unknown-clause": "the word before the colon is none of the language's",
    "missing-colon": "a clause is its word, a colon, and what follows",
    "no-clause": "a text stands where no clause has begun",
    "nothing-follows": "something must follow the colon",
    "something-follows": "nothing may follow the colon",
    "unclosed-quote": "a quoted text must be closed on its line",
    "unclosed-bracket": "a bracket is opened and not closed, or closed and not opened",
    "syntax": "the words do not make a clause",
    "odd-character": "a character cannot be seen, or looks like another",
    "operator-of-programmers": "the language writes this operator with another sign or word",
    "several-words": "a text of several words takes quotes",
    "keyword-as-name": "a keyword is a name only in quotes",
    "empty-name": "a name has at least one letter",
    "field-of-another": "on the left, 'where' names fields of its own event",
    "reserved": "the form is kept for a later version of the language",
    "unknown-unit": "a duration is a number and a unit of time",
    "bad-duration": "a duration is more than nothing, and below the cap",
    "bad-time": "a time is an hour from 0 to 23 and a minute",
    "bad-date": "a date is one of the calendar",
    "bad-zone": "a zone is one of the IANA list, such as Europe/Warsaw",
    "bad-percent": "a share lies between 0% and 100%",
    "bad-day": "the day of a month is a number from 1 to 31",
    "bad-count": "a count that every history meets, or none, says nothing",
    "bad-limit": "a limit allows at least one journey",
    "bad-quiet-hours": "quiet hours begin and end at different times",
    "bad-active": "the first active day is not after the last",
    "number-too-large": "the number is larger than anything that can be counted",
    "not-a-zone": "a zone is a name or an attribute of the person",
    "not-settable": "an action sets attributes of the person only",
    "not-a-field": "the clause takes a field of the trigger",
    "two-quiet-times": "one 'Quiet hours' line holds one pair of times",
    "argument-twice": "an argument can be given once only",
    "clause-twice": "the clause may stand once in a rule",
    "two-triggers": "a rule has one 'Trigger:'; several events are joined with OR",
    "missing-trigger": "a rule begins with its 'Trigger:'",
    "duplicate-id": "two rules of a file may not share an identity",
    "end-without-opening": "'End:' closes an 'If:' or a 'Split:'",
    "else-without-if": "'Else:' and 'Else if:' belong to an 'If:'",
    "unclosed-branch": "'If:' and 'Split:' are closed by an 'End:'",
    "else-after-else": "'Else:' is the last branch of its 'If:'",
    "split-sum": "the arms of a split add up to 100%",
    "no-opening-condition": "a rule without trigger begins with a 'Condition:'",
    "no-trigger-fields": "without a trigger event there are no fields of one",
    "since-trigger-at-once": "nothing can have happened since the trigger when the first gate is asked",
    "looks-forward": "a window that looks forward cannot stand here",
    "chain-without-window": "each event of a chain needs a window",
    "race-without-window": "a race needs a window that looks forward",
    "wait-without-end": "waiting for an event needs 'for at most'",
    "count-in-chain": "an event of a chain stands for one occurrence",
    "bad-directive": "a directive says which warning is allowed, and why",
    "no-rule": "a test names the rule it tests",
    "two-rules": "a test tests one rule",
    "unknown-rule": "a test names a rule of the files beside it",
    "calendar-in-test": "a length of a test's clock is in fixed units; a date is written as one",
    "plain-value": "a test states plain values",
    "no-expectation": "a test expects something, be it nothing",
    "unknown-action": "nothing is bound to the action",
}

_WARNINGS = {
    "no-blank-line": "two rules are kept apart by a blank line",
    "waits-for-event": "a positive gate that looks forward waits for the event",
    "or-inside-where": "OR ends a 'where' and begins a new item",
    "and-inside-where": "AND ends a 'where' and begins a new item",
    "value-as-event": "OR begins a new item, so a second value is read as an event",
    "word-as-event": "a word such as nothing or anything is an event like any other",
    "mixed-and-or": "AND binds tighter than OR",
    "window-covers-last": "a window belongs to the item just before it",
    "includes-none": "the condition also holds for people who never did it",
    "includes-unset": "a negated comparison also holds when the value is missing",
    "each-without-same": "'For each' by itself compares nothing",
    "earlier-events": "a window that looks forward sees nothing from before its step",
    "goal-not-exit": "reaching the goal does not end the journey",
    "renamed": "a rule without 'Rule:' is known by its title",
    "trigger-left-alone": "an event that does not match the trigger changes nothing",
    "longer-than-schedule": "a schedule's next start is ignored while a journey waits",
    "unlimited": "a condition on a count can become true many times",
    "trigger-while-waiting": "after its first action a journey ignores new triggers until it ends",
    "foreign-recipient": "an action goes to an address that need not be the person's own",
    "no-window": "without a window the whole history up to now is asked",
    "ambiguous-name": "a bare name could mean the trigger's field or the person's attribute",
    "event-or-date": "a bare name could mean an event or a date",
    "unknown-event": "no event type of that name is known",
    "unknown-field": "the event type declares no such field",
    "unknown-attribute": "no such attribute of a person is known",
    "near-purpose": "a topic is nearly the name of a purpose",
    "never-equal": "a number never equals a text",
    "unused-directive": "a directive allows a warning that is not there",
    "odd-in-quotes": "a quoted text holds something that cannot be seen",
    "text-for-field": "a name on the right is a text, and not the field of that name",
    "word-as-text": "a word such as empty, none or today is a text like any other",
    "word-as-name": "a word such as now is read as a field like any other",
    "currency-sign": "an amount with a sign behind or before it is a text",
    "yearly-date": "a birthday lies in the past; its anniversary is a schedule",
    "excludes-unset": "the comparison does not hold where the value is missing",
    "past-date": "a date lies in the past, so nothing will come of it",
    "exit-replaces": "an own 'Exit:' takes the place of the one that follows from the Conditions",
    "limit-by-field": "a limit counts by the trigger's field of that name",
    "since-own-trigger": "the trigger is itself an event of that name; the one before it is meant",
    "count-with-trigger": "a count shown in a message counts the trigger, one in a condition does not",
    "quiet-loses-time": "an action that waits for the end of quiet days leaves at midnight",
}

OTHER_WARNINGS: Final = ("event-name", "template-missing", "template-no-default", "template-no-subject")
"""Warnings at a place in a rule file that checks beyond the language give."""

CODES: dict[str, Code] = {
    **{code: Code("error", meaning) for code, meaning in _ERRORS.items()},
    **{code: Code("warning", meaning) for code, meaning in _WARNINGS.items()},
}


def finding(code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> Diagnostic:
    """A diagnostic of a known code."""
    return Diagnostic(code, CODES[code].severity, message, span, help, fix)
