"""One attempt to send an action, and what becomes of it: sent, tried again, dead, or parked where nobody knows."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass

from engine.clock import SECOND
from engine.delivery.channels import Channel, LogChannel, Outgoing, Sealed, SendError
from engine.delivery_settings import ChannelSettings
from engine.durations import in_micros
from engine.pseudonyms import LogNames
from engine.store.rows import OutboxRow

_log = logging.getLogger("lapse.actions")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt: ``sent``, ``failed`` (tried again at ``next_attempt_at``), ``dead`` or ``parked``.

    ``gone``: the receiver wants nothing more of anybody. ``bounced``: the address takes no mail.
    """

    id: int
    status: str
    error: str | None = None
    next_attempt_at: int | None = None
    gone: bool = False
    bounced: bool = False


def attempt(channel: Channel, settings: ChannelSettings, row: OutboxRow, action: Outgoing, now: int) -> Outcome:
    """Send a claimed action; gives what became of it. ``now`` is microseconds UTC."""
    try:
        channel.send(action)
    except SendError as error:
        outcome = failed(row, error, settings, now)
        line = action.log_line(f"{outcome.status}, {error}")
        _log.warning("%s", line, extra={"fields": action.log_fields()})
        return outcome
    if not isinstance(channel, LogChannel):
        _log.info("%s: sent", action.log_line(), extra={"fields": action.log_fields()})
    return Outcome(row.id, "sent")


def failed(row: OutboxRow, error: SendError, settings: ChannelSettings, now: int) -> Outcome:
    """What becomes of a failure: patience begins with the first attempt, or when the action was redriven."""
    if error.unknown and settings.delivery == "at_most_once":
        return Outcome(row.id, "parked", str(error))
    since = row.redriven_at or row.left_at or now
    if error.permanent or now - since >= in_micros(settings.give_up_after):
        return Outcome(row.id, "dead", str(error), gone=error.gone, bounced=error.bounced)
    longest = in_micros(settings.longest_retry)
    wait = _backoff(row.key, row.attempts, in_micros(settings.first_retry), longest)
    if error.retry_after is not None:
        wait = max(wait, min(int(error.retry_after * SECOND), longest))
    return Outcome(row.id, "failed", str(error), now + wait)


def _backoff(key: str, attempts: int, first: int, longest: int) -> int:
    """Twice as long each time, between half and all of it: a crowd that failed together does not return together."""
    full = min(first * 2 ** min(max(attempts - 1, 0), 20), longest)
    share = hashlib.sha256(f"{key}\0{attempts}".encode()).digest()[0] / 255
    return int(full * (1 + share) / 2)


def outgoing(
    row: OutboxRow,
    rule: str,
    person: str,
    unsubscribe_url: str | None = None,
    log_names: LogNames | None = None,
) -> Outgoing:
    """Return the action of a row; logs name its person as ``log_names`` says."""
    return Outgoing(
        key=row.key,
        rule=rule,
        person=person,
        step=row.step,
        action=row.name,
        template=row.template,
        moment=row.moment,
        attempt=row.attempts,
        variables=json.loads(row.variables),
        purpose=row.purpose,
        unsubscribe_url=unsubscribe_url,
        sealed=None if row.body is None else Sealed(row.body, row.recipient),
        log_names=LogNames() if log_names is None else log_names,
    )
