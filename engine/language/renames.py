"""A rule without ``Rule:`` is known by its title, so a new title looks like a new rule."""

from __future__ import annotations

from collections.abc import Iterable

from .codes import finding
from .diagnostics import Diagnostic
from .layout import canonical, name_text
from .nodes import Rule


def renamed(live: Iterable[Rule], now: Iterable[Rule]) -> tuple[Diagnostic, ...]:
    """The rules of ``now`` that are live under another title, with the way to keep their state.

    A rule counts as the same when it does the same: its canonical text is unchanged and its old name is gone.
    """
    now = tuple(now)
    names = {rule.id for rule in now}
    gone = {canonical(rule): rule for rule in live if rule.id not in names}
    known = {rule.id for rule in gone.values()}
    return tuple(
        _warning(rule, gone[text].id)
        for rule in now
        if not rule.named and rule.id not in known and (text := canonical(rule)) in gone
    )


def _warning(rule: Rule, before: str) -> Diagnostic:
    message = f"this rule was live as '{before}', and its new title makes it another: waiting journeys end"
    line = f"Rule: {name_text(before)}"
    return finding("renamed", message, rule.trigger.span, f"add '{line}' to keep its state")
