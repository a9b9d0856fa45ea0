"""A rule without ``Rule:`` is known by its title, so a new title looks like a new rule."""

from __future__ import annotations

from collections.abc import Iterable

from .codes import finding
from .diagnostics import Diagnostic
from .layout import canonical, name_text
from .nodes import Rule


def renamed(live: Iterable[Rule], now: Iterable[Rule]) -> dict[str, Diagnostic]:
    """The rules of ``now`` that are live under another title, by id, with the way to keep their state.

    A rule counts as the same when it does the same: its canonical text is unchanged and its old name is gone.
    """
    before, after = {rule.id: rule for rule in live}, {rule.id: rule for rule in now}
    gone = {canonical(rule): rule for id, rule in before.items() if id not in after}
    new = [rule for id, rule in after.items() if id not in before and not rule.named] if gone else []
    texts = {rule.id: canonical(rule) for rule in new}
    return {rule.id: _warning(rule, gone[texts[rule.id]].id) for rule in new if texts[rule.id] in gone}


def _warning(rule: Rule, before: str) -> Diagnostic:
    message = f"this rule was live as '{before}', and its new title makes it another: waiting journeys end"
    line = f"Rule: {name_text(before)}"
    return finding("renamed", message, rule.trigger.span, f"add '{line}' to keep its state")
