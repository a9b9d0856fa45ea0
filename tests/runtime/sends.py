"""Engines that send, and what became of what they sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from engine import Engine
from engine.store import outbox
from engine.store.rows import OutboxRow

ONE = "Rule: r\nTrigger: go\nAction: mail\n"
Opened = Callable[..., Engine]
"""``opened(rules, **settings)``: an engine on the test's file; without rules, another process on it."""


class Died(BaseException):
    """The process is gone."""


def go(engine: Engine, count: int = 1, first: int = 0) -> None:
    engine.ingest([{"event": "go", "user_id": f"u{number}"} for number in range(first, first + count)])


def rows(engine: Engine) -> list[OutboxRow]:
    with engine.store.read() as connection:
        return outbox.listing(connection, engine.workspace, 0, 1_000)


def states(engine: Engine) -> dict[str, int]:
    return dict(Counter(row.status for row in rows(engine)))


def dies_at(engine: Engine, point: str) -> None:
    def reach(name: str) -> None:
        if name == point:
            raise Died

    engine.sending.reached = reach
