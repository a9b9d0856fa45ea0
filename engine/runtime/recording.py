"""What became of attempts, written down: the action itself, and what it says about its channel and its address."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from engine.delivery.sender import Outcome
from engine.runtime import switches
from engine.runtime.deciding import Caused
from engine.runtime.faults import keep
from engine.runtime.intake import Intake
from engine.runtime.naming import rule_ids
from engine.runtime.reports import BOUNCED, about, note_bounces
from engine.store import outbox
from engine.store.addresses import Bounce
from engine.store.rows import OutboxRow

_log = logging.getLogger("lapse.actions")

A = TypeVar("A")
T = TypeVar("T")

GONE = "the receiver answered 410: it wants nothing more"
"""Why a channel is stopped whose endpoint is gone."""


def record(intake: Intake, outcomes: Sequence[tuple[OutboxRow, Outcome]]) -> None:
    """Write what became of claimed actions.

    A receiver that is gone stops its channel until somebody resumes it. An address that bounced takes nothing more of
    that channel's kind, and the bounce is an event of the person.
    """
    connection, workspace, now = intake.connection, intake.workspace, intake.now
    failed: dict[int, Exception] = {}
    after = dict(_each(outcomes, lambda row, outcome: (row.id, _after(row, outcome)), failed))
    aside = intake.isolation.failed([row for row, _ in outcomes], "record", failed)
    outbox.save(connection, [*after.values(), *aside])
    outcomes = [(row, outcome) for row, outcome in outcomes if row.id in after]
    intake.isolation.succeeded([row for row, _ in outcomes], "record")
    intake.isolation.stop_rules()
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
        intake.put(_each([(row, called[row.rule]) for row in live], lambda row, rule: _bounce(row, rule, now), failed))


def _each(
    given: Iterable[tuple[OutboxRow, A]], work: Callable[[OutboxRow, A], T], failed: dict[int, Exception]
) -> list[T]:
    """What ``work`` makes of each action; those it fails with have ``failed``, by row."""
    made = []
    for row, more in given:
        try:
            made.append(work(row, more))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
            keep(failed, row.id, error)
    return made


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
