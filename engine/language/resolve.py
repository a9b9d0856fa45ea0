"""What the grammar cannot see: errors and warnings over whole rules and over the rules of a file."""

from __future__ import annotations

from collections.abc import Iterator

from .advice import advise
from .catalog import Catalog
from .codes import finding
from .diagnostics import Diagnostic
from .names import Names
from .nodes import Rule
from .scopes import check_scopes
from .source import Source


def resolve(rules: tuple[Rule, ...], source: Source, catalog: Catalog) -> list[Diagnostic]:
    """Everything to be said about rules that could be read."""
    found = list(_shared_identities(rules))
    names = Names(rules, catalog)
    for rule in rules:
        errors = list(check_scopes(rule))
        found += errors
        found += names.check(rule)
        if not errors:
            found += advise(rule, source.text, names.is_event)
    return found


def _shared_identities(rules: tuple[Rule, ...]) -> Iterator[Diagnostic]:
    first: dict[str, Rule] = {}
    for rule in rules:
        if first.setdefault(rule.id, rule) is not rule:
            message = f"another rule of this file is called '{rule.id}'"
            advice = "give one of them another name with 'Rule:'" if rule.named else "give it a name with 'Rule:'"
            yield finding("duplicate-id", message, rule.trigger.span, advice)
