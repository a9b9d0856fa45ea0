"""What rules are called, by their rows."""

from __future__ import annotations

from collections.abc import Set

from engine.runtime.live import Live
from engine.store import Connection, rules


def rule_ids(connection: Connection, workspace: int, live: Live, wanted: Set[int]) -> dict[int, str]:
    """The ids of some rules, and maybe more. A rule that was removed is called what it was."""
    if wanted <= live.rules.keys():
        return {row: rule.id for row, rule in live.rules.items()}
    return {row.id: row.rule_id for row in rules.every(connection, workspace).values()}
