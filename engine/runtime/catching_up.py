"""What operations under way have still to change, done first for those who are decided or sent to now.

An operation over many rows takes effect in one small transaction, and its pages follow. Until they have come by, the
rows of the people at hand are brought up to date here, in the very transaction that goes by them: so nobody decides or
sends by half of an operation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.runtime.migrating import move_pairs
from engine.runtime.pausing import awake
from engine.store import Connection, operations, pausing, rule_pages, watches

LOOK: Final = 2**62
"""In place of an instant: nothing new is known of the past, only a look is owed. Beyond every moment there is."""


def to_decide(
    connection: Connection, workspace: int, live: Live, touches: Mapping[Pair, Touch], now: int
) -> Mapping[Pair, Touch]:
    """Return the touches that are decided now, by rows that are up to date with every operation."""
    wanted = awake(connection, workspace, live, touches)
    if not live.operations:
        return wanted
    wanted = {pair: touch for pair, touch in wanted.items() if pair[0] not in live.erasing}
    joined = _with_what_is_set_aside(connection, workspace, live, wanted, now)
    catch_up(connection, workspace, live, joined)
    return joined


def catch_up(connection: Connection, workspace: int, live: Live, pairs: Collection[Pair]) -> None:
    """Make the journeys of pairs due again and move them, where their rules are being resumed or moved."""
    for rule, since in live.resuming.items():
        mine = [pair for pair in pairs if pair[1] == rule]
        if mine:
            rouse(connection, workspace, mine, since)
    if live.moving:
        for rule, number in move_pairs(connection, live, pairs).items():
            count(connection, live.moving[rule].id, {"moved": number})


def rouse(connection: Connection, workspace: int, pairs: Collection[Pair], at: int | None) -> None:
    """Have pairs looked at from ``at`` on, or never."""
    rule_pages.rouse(connection, rule_pages.of_pairs(connection, pairs), at)
    known = watches.load_watches(connection, workspace, pairs)
    rule_pages.rouse_watches(connection, [row.id for row in known], at)


def rest(connection: Connection, workspace: int, live: Live, pairs: Iterable[Pair]) -> int:
    """Take due pairs that are not to be decided out of the queue: their rules are paused or removed, or the person is
    being erased, and the page that does so has not come by. Gives how many were.
    """
    resting = [pair for pair in pairs if is_resting(live, pair)]
    if resting:
        rouse(connection, workspace, resting, None)
    return len(resting)


def is_resting(live: Live, pair: Pair) -> bool:
    """Whether nothing is decided of a pair at present."""
    person, rule = pair
    return rule not in live.rules or rule in live.paused or person in live.erasing


def count(connection: Connection, operation: int, more: Mapping[str, int]) -> None:
    """Add to what an operation has changed."""
    known = operations.by_id(connection, operation)
    if known is not None and any(more.values()):
        operations.save(connection, known[0].counted(more))


def _with_what_is_set_aside(
    connection: Connection, workspace: int, live: Live, touches: Mapping[Pair, Touch], now: int
) -> Mapping[Pair, Touch]:
    """Join to the touches what is set aside of their pairs, which is done with then."""
    everything = live.history is not None
    asked = [pair for pair in touches if everything or pair[1] in live.resuming]
    found = pausing.known(connection, workspace, asked) if asked else []
    for person, rule, since, merged in found:
        touches[person, rule].join(min(since, now + 1), bool(merged))
    pausing.forget(connection, workspace, [(person, rule) for person, rule, _, _ in found])
    return touches
