"""Pausing a rule: it keeps its journeys and decides nothing, until it goes on as after downtime (ruling 32)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from engine.errors import ConfigError, did_you_mean
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.store import Connection, faults, operations, pausing, rules, switches
from engine.store.operations import OperationRow
from engine.store.rows import RuleRow
from engine.store.switches import SwitchRow

PAUSED: Final = "paused"
"""The reason of actions that a pause holds back."""

Pauses = tuple[tuple[int, int | None], ...]
"""Stretches of time, the last of them open while the rule is paused."""


def pauses_of(row: RuleRow) -> Pauses:
    return tuple((start, end) for start, end in json.loads(row.pauses))


def is_paused(row: RuleRow) -> bool:
    return any(end is None for _, end in pauses_of(row))


def ended(row: RuleRow, now: int) -> RuleRow:
    """The row with its pause, if there is one, over at ``now``."""
    return _with(row, tuple((start, now if end is None else end) for start, end in pauses_of(row)))


def pause(connection: Connection, workspace: int, rule: str, now: int) -> OperationRow | None:
    """Pause a rule from ``now`` on; nothing when it was paused already. Raises ConfigError where none is live.

    From here on nothing of it is decided or leaves; pages take its rows out of the indexes.
    """
    row = _row(connection, workspace, rule)
    if is_paused(row):
        return None
    rules.update(connection, [_with(row, (*pauses_of(row), (now, None)))])
    operations.supersede(connection, workspace, row.id, ("resume", "seed"), now)
    faults.rouse(connection, workspace, row.id, None)
    begun = operations.begin(connection, workspace, "pause", row.id, now)
    rules.note_change(connection, workspace)
    return begun


def stop(connection: Connection, workspace: int, rule: str, now: int, reason: str) -> bool:
    """Pause a rule for a reason that whoever resumes it should know; False when it was paused already."""
    paused = pause(connection, workspace, rule, now) is not None
    if paused:
        switches.stop(connection, workspace, SwitchRow("rule", rule, now, reason))
    return paused


def resume(connection: Connection, workspace: int, rule: str, now: int) -> OperationRow | None:
    """End a rule's pause: all of it is due ``now``, after what came late meanwhile; nothing when it was not paused.

    Raises ConfigError where no such rule is live.
    """
    row = _row(connection, workspace, rule)
    if not is_paused(row):
        return None
    rules.update(connection, [ended(row, now)])
    switches.release(connection, workspace, "rule", rule)
    operations.supersede(connection, workspace, row.id, ("pause",), now)
    faults.rouse(connection, workspace, row.id, now)
    begun = operations.begin(connection, workspace, "resume", row.id, now)
    rules.note_change(connection, workspace)
    return begun


def awake(connection: Connection, workspace: int, live: Live, touches: Mapping[Pair, Touch]) -> Mapping[Pair, Touch]:
    """Those of the touches that are decided now: none under a paused rule.

    What happens during a pause starts nothing and is seen on the timeline afterwards. Only what bears on the time
    before it, and people who become one, would not be looked at again: that is set aside.
    """
    paused = live.paused
    if not any(rule in paused for _, rule in touches):
        return touches
    late = [
        (person, rule, touch.since, int(touch.merged))
        for (person, rule), touch in touches.items()
        if rule in paused and (touch.merged or touch.since < paused[rule])
    ]
    pausing.set_aside(connection, workspace, late)
    return {pair: touch for pair, touch in touches.items() if pair[1] not in paused}


def set_aside_count(connection: Connection, workspace: int, live: Live) -> int:
    """Return how many pairs of rules that are not paused are set aside."""
    return sum(pausing.count(connection, workspace, rule) for rule in live.rules if rule not in live.paused)


def _with(row: RuleRow, pauses: Pauses) -> RuleRow:
    return row._replace(pauses=json.dumps(pauses))


def _row(connection: Connection, workspace: int, rule: str) -> RuleRow:
    known = {id: row for id, row in rules.every(connection, workspace).items() if row.removed_at is None}
    if rule in known:
        return known[rule]
    advice = did_you_mean(rule, known, "'lapse rules' shows those that are")
    raise ConfigError(f"no rule '{rule}' is live; {advice}")
