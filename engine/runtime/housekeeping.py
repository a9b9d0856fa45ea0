"""What is kept for a time only, and goes when that is over."""

from __future__ import annotations

from engine.store import Connection, answers, events


def tidy(connection: Connection, now: int) -> int:
    """Drop what has expired by ``now`` in all workspaces of a store: keys and answers. Gives how much."""
    return events.expire_claims(connection, now) + answers.expire(connection, now)
