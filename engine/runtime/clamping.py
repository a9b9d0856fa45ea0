"""Pauses that a wrong clock wrote: no longer than they would be by the clock there is now.

A retry is written as a moment. Written while the clock was a day ahead, it would come a day after the clock was put
right; so would the end of a claim whose sender is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from engine.delivery_settings import ChannelSettings, LogSettings
from engine.durations import in_micros
from engine.store import Connection, outbox
from engine.store.store import Store

PAGE: Final = 500
"""Actions changed in a transaction."""


def longest_pause(channels: Iterable[ChannelSettings]) -> int:
    """Return the longest pause before a retry that any of the channels may make, in microseconds."""
    return max(in_micros(one.longest_retry) for one in (LogSettings(type="log"), *channels))


def clamp(
    store: Store, run: Callable[[Callable[[Connection], int]], int], workspace: int, now: int, pause: int, lease: int
) -> int:
    """Shorten the pauses of a workspace that are longer than they can be; return how many were.

    A retry is due at once. A claim is over after a whole ``lease``: its sender may be at work. ``now`` is
    microseconds UTC, ``pause`` and ``lease`` microseconds.
    """
    changed = 0
    for state, longest, due in (("failed", pause, now), ("sending", lease, now + lease)):
        before: set[int] = set()
        while (ids := _beyond(store, workspace, state, now + longest)) - before:
            changed += run(partial(_shorten, state=state, ids=ids, latest=now + longest, due=due))
            before = ids
    return changed


def _beyond(store: Store, workspace: int, state: str, latest: int) -> set[int]:
    with store.read() as connection:
        return {row.id for row in outbox.beyond(connection, workspace, state, latest, PAGE)}


def _shorten(connection: Connection, state: str, ids: set[int], latest: int, due: int) -> int:
    rows = [row for row in outbox.by_id(connection, ids) if row.status == state and row.due_at > latest]
    outbox.save(connection, [row._replace(due_at=due) for row in rows])
    return len(rows)
