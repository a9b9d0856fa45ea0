"""What is kept for a time only, and goes when that is over."""

from __future__ import annotations

from engine.store import Connection, answers, erasing, events, imports


def tidy(connection: Connection, now: int, uploads: int) -> int:
    """Drop what has expired by ``now`` in all workspaces of a store: keys, answers, the ids of erased
    people, abandoned uploads. Gives how much.

    An upload is abandoned when nothing has come of it for ``uploads``, microseconds.
    """
    expired = events.expire_claims(connection, now) + answers.expire(connection, now) + erasing.expire(connection, now)
    return expired + imports.expire(connection, now - uploads)
