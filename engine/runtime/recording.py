"""What became of attempts, written down: the action itself, and what it says about its channel and its address."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from engine.delivery.sender import Outcome
from engine.runtime import switches
from engine.runtime.deciding import Caused
from engine.runtime.intake import Intake
from engine.runtime.naming import rule_ids
from engine.runtime.reports import BOUNCED, about, note_bounces
from engine.store import outbox
from engine.store.addresses import Bounce
from engine.store.rows import OutboxRow

_log = logging.getLogger("lapse.actions")

GONE = "the receiver answered 410: it wants nothing more"
"""Why a channel is stopped whose endpoint is gone."""


def record(intake: Intake, outcomes: Sequence[tuple[OutboxRow, Outcome]]) -> None:
    """Write what became of claimed actions.

    A receiver that is gone stops its channel until somebody resumes it. An address that bounced takes nothing more of
    that channel's kind, and the bounce is an event of the person.
    """
    connection, workspace, now = intake.connection, intake.workspace, intake.now
    outbox.save(connection, [_after(row, outcome) for row, outcome in outcomes])
    for row, outcome in outcomes:
        if outcome.gone and row.channel is not None and switches.stop(connection, workspace, row.channel, now, GONE):
            _alert(row.channel)
    bounced = [row for row, outcome in outcomes if outcome.bounced]
    if bounced:
        rows = outbox.by_id(connection, [row.id for row in bounced])
        named = {row.recipient: Bounce(now, row.error or "") for row in rows if row.recipient is not None}
        note_bounces(connection, workspace, named)
        live = [row for row in rows if row.reason != outbox.ERASED]
        called = rule_ids(connection, workspace, intake.live, {row.rule for row in live})
        intake.put(_bounce(row, called[row.rule], now) for row in live)


def _alert(channel: str) -> None:
    """Said in the transaction: where that is undone, the receiver is asked again, and it may be said once more."""
    _log.error(
        "alert: the channel '%s' is switched off: %s; look at where it sends to, then: lapse resume --channel %s",
        channel, GONE, channel, extra={"fields": {"alert": "channel_gone", "channel": channel, "reason": GONE}},
    )  # fmt: skip


def _bounce(row: OutboxRow, rule: str, now: int) -> Caused:
    values = {**about(row, rule), "hard": True, "reason": row.error}
    return Caused(row.person_id, now, BOUNCED, values, frozenset(json.loads(row.causes)), row.key)


def _after(row: OutboxRow, outcome: Outcome) -> OutboxRow:
    due = outcome.next_attempt_at if outcome.next_attempt_at is not None else row.due_at
    return row._replace(status=outcome.status, error=outcome.error, due_at=due)
