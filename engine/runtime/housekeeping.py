"""What is kept for a time only, and goes when that is over."""

from __future__ import annotations

from engine.clock import HOUR
from engine.runtime.guarding import HOURS
from engine.store import Connection, answers, erasing, events, faults, guarding, imports


def tidy(connection: Connection, now: int, uploads: int) -> int:
    """Drop what has expired by ``now`` in all workspaces of a store: keys, answers, the ids of erased
    people, abandoned uploads, and what the blast guard counted before the hours it looks at. Gives how much.

    An upload is abandoned when nothing has come of it for ``uploads``, microseconds.
    """
    faults.expire(connection)
    expired = events.expire_claims(connection, now) + answers.expire(connection, now) + erasing.expire(connection, now)
    return expired + imports.expire(connection, now - uploads) + guarding.forget(connection, now // HOUR - HOURS)
