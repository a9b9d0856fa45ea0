"""Whom history concerns: gathered while a file of it comes in, and decided once, when all of it is there.

What is gathered stands in the store, and nobody sees that it waits: whoever decides a pair, sends to one, shows a
person or counts has it decided first. While pieces keep coming, nobody else begins to decide the rest. A file that
comes no further, because its process ended, is taken for done when nothing has come for :data:`LEASE`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.clock import SECOND
from engine.runtime.catching_up import LOOK
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.runtime.pausing import awake
from engine.store import Connection, operations, pausing, rules

LEASE: Final = 60 * SECOND
"""How long after the last piece of a file what was gathered is left to the process that reads it."""


def gather(connection: Connection, workspace: int, live: Live, touches: Mapping[Pair, Touch], now: int) -> None:
    """Put off what history touches. A moment ahead of ``now`` says that only a look is owed: it is one later too."""
    _keep_open(connection, workspace, live, now)
    wanted = awake(connection, workspace, live, touches)
    pausing.set_aside(
        connection,
        workspace,
        [
            (person, rule, LOOK if touch.since > now else touch.since, int(touch.merged))
            for (person, rule), touch in wanted.items()
            if person not in live.erasing
        ],
    )


def release(connection: Connection, workspace: int, now: int) -> None:
    """Have whoever works on the store begin to decide what is gathered: a file of it is there.

    While pieces of another file come, it is put off again.
    """
    for one in operations.under_way(connection, workspace):
        if one.kind == "history" and one.ready_at > now:
            operations.save(connection, one._replace(ready_at=now))


def gathered(connection: Connection, workspace: int, live: Live, people: Iterable[int]) -> set[Pair]:
    """Return the pairs of people that wait to be decided because of history."""
    if live.history is None:
        return set()
    asked = [(person, rule) for person in people for rule in live.rules]
    return {(person, rule) for person, rule, _, _ in pausing.known(connection, workspace, asked)}


def _keep_open(connection: Connection, workspace: int, live: Live, now: int) -> None:
    """Have nobody else begin to decide what is gathered, as long as pieces come."""
    if live.history is None:
        operations.begin(connection, workspace, "history", 0, now, now + LEASE)
        rules.note_change(connection, workspace)
        return
    known = operations.by_id(connection, live.history.id)
    if known is not None and known[0].ready_at < now + LEASE // 2:
        operations.save(connection, known[0]._replace(ready_at=now + LEASE))
