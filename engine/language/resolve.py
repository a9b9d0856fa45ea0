"""What the grammar cannot see: errors and warnings over whole rules and over the rules of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .advice import advise
from .asked import Survey
from .catalog import Catalog
from .codes import finding
from .diagnostics import Diagnostic
from .names import Names
from .nodes import Path, Rule, Span
from .scopes import check_scopes
from .source import Source

_OF_AN_ITEM = frozenset({
    "waits-for-event", "window-covers-last", "includes-none", "includes-unset", "unlimited", "foreign-recipient",
})  # fmt: skip
"""Warnings about something that means nothing yet while an error stands in it."""


_BEFORE_EVENT = ("or-inside-where", "value-as-event")


def check(survey: Survey, text: str, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """All that a rule shows by itself: what was ``found`` in its clauses, its errors, and what is easily misread."""
    found = (*found, *check_scopes(survey))
    wrong = [one.span for one in found if one.severity == "error"]
    if not survey.knows("trigger"):
        wrong += (path.span for path in survey.of(Path) if path.scope == "trigger")
    return (*found, *(one for one in advise(survey, text) if not _follows(one, wrong)))


def _follows(warning: Diagnostic, wrong: Iterable[Span]) -> bool:
    """Whether a warning is about an item with something in it that is ``wrong``, or may be."""
    first, last = warning.span
    return warning.code in _OF_AN_ITEM and any(start < last and first < end for start, end in wrong)


def resolve(
    surveys: Iterable[Survey], found: Iterable[Diagnostic], source: Source, catalog: Catalog
) -> Iterator[Diagnostic]:
    """What only all rules and the catalog show, and what was ``found`` in single rules, in their light."""
    surveys = tuple(surveys)
    names = Names(surveys, catalog, source.text)
    yield from _shared_identities(survey.rule for survey in surveys if survey.rule.id)
    for survey in surveys:
        yield from names.check(survey)
    apart = {span for survey in surveys for span in names.facts_of_their_own(survey)}
    for diagnostic in found:
        if not _is_meant(diagnostic, source, names, apart):
            yield diagnostic


def _is_meant(diagnostic: Diagnostic, source: Source, names: Names, apart: set[Span]) -> bool:
    """Whether what is known shows a warning to be none: OR before an event, AND before what the event does not have."""
    if diagnostic.code == "and-inside-where":
        return diagnostic.span in apart
    start, end = diagnostic.span
    return diagnostic.code in _BEFORE_EVENT and names.is_event(source.text[start:end].strip("\"'"))


def _shared_identities(rules: Iterable[Rule]) -> Iterator[Diagnostic]:
    first: dict[str, Rule] = {}
    for rule in rules:
        if first.setdefault(rule.id, rule) is not rule:
            yield shared_identity(rule, "this file")


def shared_identity(rule: Rule, where: str) -> Diagnostic:
    """Another rule, in the file ``where``, has the identity of this one."""
    advice = "give one of them another name with 'Rule:'" if rule.named else "give it a name with 'Rule:'"
    return finding("duplicate-id", f"another rule of {where} is called '{rule.id}'", rule.trigger.span, advice)
