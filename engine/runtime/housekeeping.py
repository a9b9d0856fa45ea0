"""What is kept for a time only, and goes when that is over."""

from __future__ import annotations

from typing import Final

from engine.clock import DAY, HOUR
from engine.runtime.guarding import HOURS
from engine.store import Connection, answers, erasing, events, expiring, faults, guarding, imports, operations

PAGE: Final = 500
"""Keys, answers and ids of erased people each that one transaction drops, but for those that expire at one moment."""


def tidy(connection: Connection, now: int, uploads: int) -> bool:
    """Drop what has expired by ``now`` in all workspaces of a store: keys, answers, the ids of erased
    people, abandoned uploads, and what the blast guard counted before the hours it looks at. Gives whether there is
    more to drop in another transaction.

    An upload is abandoned when nothing has come of it for ``uploads``, microseconds.
    """
    faults.expire(connection)
    dropped = (
        events.expire_claims(connection, expiring.until(connection, "idempotency", now, PAGE)),
        answers.expire(connection, expiring.until(connection, "answers", now, PAGE)),
        erasing.expire(connection, expiring.until(connection, "tombstones", now, PAGE)),
    )
    imports.expire(connection, now - uploads)
    guarding.forget(connection, now // HOUR - HOURS)
    operations.forget(connection, now - DAY)
    return max(dropped) >= PAGE
