"""Rows as they stand once every operation under way has come by: what those see who look at journeys and actions."""

from __future__ import annotations

from collections.abc import Iterable

from engine.runtime.pausing import PAUSED, is_paused
from engine.store import Connection, operations, outbox, rules
from engine.store.rows import JourneyRow, OutboxRow, RuleRow

REMOVED = "rule_removed"


def completed_journeys(connection: Connection, workspace: int, rows: Iterable[JourneyRow]) -> list[JourneyRow]:
    """Return journeys as they are: those of removed rules and erased people have ended, those of paused rules rest."""
    under_way = operations.under_way(connection, workspace)
    if not under_way:
        return list(rows)
    known = _rules(connection, workspace)
    erased = {one.subject: one.since for one in under_way if one.kind == "erase"}
    return [
        _ended(row, erased[row.person_id], outbox.ERASED) if row.person_id in erased else _journey(row, known[row.rule])
        for row in rows
    ]


def completed_actions(connection: Connection, workspace: int, rows: Iterable[OutboxRow]) -> list[OutboxRow]:
    """Return actions as they are: of erased people without a word, of removed and paused rules kept from leaving."""
    under_way = operations.under_way(connection, workspace)
    if not under_way:
        return list(rows)
    known = _rules(connection, workspace)
    erased = {one.subject for one in under_way if one.kind == "erase"}
    return [_blank(row) if row.person_id in erased else _action(row, known[row.rule]) for row in rows]


def _rules(connection: Connection, workspace: int) -> dict[int, RuleRow]:
    return {row.id: row for row in rules.every(connection, workspace).values()}


def _journey(row: JourneyRow, rule: RuleRow) -> JourneyRow:
    if rule.removed_at is not None:
        return _ended(row, rule.removed_at, REMOVED)
    return row._replace(due_at=None) if is_paused(rule) else row


def _ended(row: JourneyRow, at: int, reason: str) -> JourneyRow:
    """A journey that has ended at ``at`` unless it had before."""
    return row if row.ended_at is not None else row._replace(ended_at=at, reason=reason, due_at=None)


def _action(row: OutboxRow, rule: RuleRow) -> OutboxRow:
    if row.status in outbox.OPEN and rule.removed_at is not None:
        return row._replace(status="cancelled", reason=REMOVED)
    if row.status == "pending" and is_paused(rule):
        return row._replace(status="held", reason=PAUSED)
    return row


def _blank(row: OutboxRow) -> OutboxRow:
    """An action of somebody who is erased: what had not left never will, and nothing says what it was."""
    bare = row._replace(error=None, recipient=None, body=None, variables="{}")
    if row.status in outbox.OPEN:
        return bare._replace(status="cancelled", reason=outbox.ERASED)
    return bare._replace(status="dead", reason=outbox.ERASED) if row.status in ("sending", "failed") else bare
