"""What the grammar cannot see: names, scopes and types across a rule."""

from __future__ import annotations

from .catalog import Catalog
from .diagnostics import Diagnostic
from .nodes import Rule
from .source import Source


def resolve(rules: tuple[Rule, ...], source: Source, catalog: Catalog) -> list[Diagnostic]:
    """Everything to be said about rules that could be read."""
    return []
