"""The outbox's sender: claims what may leave, sends it, records what became of it.

An action is asked again in the transaction that claims it (exits, ``Only while``, limits, lateness), by the
same core that decided it. From the claim on it counts as left. What was claimed and never recorded, because the
process died, is claimed again once its lease is over: at least once, always under the same key.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.clock import DAY, HOUR, SECOND
from engine.delivery.channels import Channel, LogChannel, Outgoing, SendError
from engine.store.rows import OutboxRow

_log = logging.getLogger("lapse.actions")

CLAIM = 200
"""Actions claimed in one transaction."""

LEASE = 5 * 60 * SECOND
"""How long a claimed action may be on its way before another sender takes it up."""

FIRST_RETRY = 5 * SECOND
LONGEST_RETRY = HOUR
GIVE_UP_AFTER = 3 * DAY

AT_ONCE = 8
"""Sends under way at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt: ``sent``, ``failed`` (tried again at ``next_attempt_at``) or ``dead``."""

    id: int
    status: str
    error: str | None = None
    next_attempt_at: int | None = None


class Sender:
    """Sends claimed actions through channels by the action's name; ``fallback`` takes names nothing binds.

    ``reached`` is called with the name of each commit point (``claimed``, ``sent``), so that a test can break there.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        fallback: Channel,
        reached: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._channels = channels
        self._fallback = fallback
        self._reached = reached
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lapse-send")

    def send(self, rows: list[tuple[OutboxRow, Outgoing]], now: int) -> list[Outcome]:
        """Send what was claimed; gives what became of each."""
        self._reached("claimed")
        if len(rows) == 1 or len({self._channel(row.name) for row, _ in rows} - {self._fallback}) == 0:
            outcomes = [self._attempt(row, outgoing, now) for row, outgoing in rows]
        else:
            outcomes = list(self._pool.map(lambda one: self._attempt(one[0], one[1], now), rows))
        self._reached("sent")
        return outcomes

    def _channel(self, name: str) -> Channel:
        return self._channels.get(name, self._fallback)

    def _attempt(self, row: OutboxRow, outgoing: Outgoing, now: int) -> Outcome:
        channel = self._channel(row.name)
        try:
            channel.send(outgoing)
        except SendError as error:
            outcome = _failed(row, error, now)
            _log.warning("%s: %s, %s", outgoing, outcome.status, error, extra={"fields": outgoing.summary()})
            return outcome
        if not isinstance(channel, LogChannel):
            _log.info("%s: sent", outgoing, extra={"fields": outgoing.summary()})
        return Outcome(row.id, "sent")

    def close(self) -> None:
        self._pool.shutdown()


def _failed(row: OutboxRow, error: SendError, now: int) -> Outcome:
    first = row.left_at if row.left_at is not None else now
    if error.permanent or now - first >= GIVE_UP_AFTER:
        return Outcome(row.id, "dead", str(error))
    wait = _backoff(row.key, row.attempts)
    if error.retry_after is not None:
        wait = max(wait, min(int(error.retry_after * SECOND), LONGEST_RETRY))
    return Outcome(row.id, "failed", str(error), now + wait)


def _backoff(key: str, attempts: int) -> int:
    """Twice as long each time, between half and all of it: a crowd that failed together does not return together."""
    full = min(FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 20), LONGEST_RETRY)
    share = hashlib.sha256(f"{key}\0{attempts}".encode()).digest()[0] / 255
    return int(full * (1 + share) / 2)


def outgoing(row: OutboxRow, rule: str, person: str) -> Outgoing:
    """The action of a claimed row."""
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
    )
