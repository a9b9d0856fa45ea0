"""What the grammar cannot see: errors and warnings over whole rules and over the rules of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .advice import advise
from .asked import Survey
from .catalog import Catalog
from .codes import finding
from .diagnostics import Diagnostic
from .names import Names
from .nodes import Rule
from .scopes import check_scopes
from .source import Source


def check(survey: Survey, text: str) -> tuple[Diagnostic, ...]:
    """What a rule shows by itself: its errors or, where it has none, what is easily misread in it."""
    return tuple(check_scopes(survey)) or tuple(advise(survey, text))


def resolve(
    surveys: Iterable[Survey], found: Iterable[Diagnostic], source: Source, catalog: Catalog
) -> Iterator[Diagnostic]:
    """What only all rules and the catalog show, and what was ``found`` in single rules, in their light."""
    surveys = tuple(surveys)
    rules = tuple(survey.rule for survey in surveys)
    names = Names(rules, catalog)
    yield from _shared_identities(rules)
    for survey in surveys:
        yield from names.check(survey)
    for diagnostic in found:
        start, end = diagnostic.span
        # An OR in front of a known event is no slip.
        if diagnostic.code != "or-inside-where" or not names.is_event(source.text[start:end].strip("\"'")):
            yield diagnostic


def _shared_identities(rules: tuple[Rule, ...]) -> Iterator[Diagnostic]:
    first: dict[str, Rule] = {}
    for rule in rules:
        if first.setdefault(rule.id, rule) is not rule:
            yield shared_identity(rule, "this file")


def shared_identity(rule: Rule, where: str) -> Diagnostic:
    """Another rule, in the file ``where``, has the identity of this one."""
    advice = "give one of them another name with 'Rule:'" if rule.named else "give it a name with 'Rule:'"
    return finding("duplicate-id", f"another rule of {where} is called '{rule.id}'", rule.trigger.span, advice)
