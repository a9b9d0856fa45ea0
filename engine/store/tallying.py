"""What a look at rules counts beside their journeys: those whose last word is not spoken, having ended while their only
action has still to leave; why actions were kept from leaving; and what went through each channel.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, distinct, func, literal_column, select

from engine.store.prepared import Prepared, bound
from engine.store.schema import journeys, outbox

UNDECIDED = Prepared(
    select(outbox.c.rule, func.count(distinct(outbox.c.journey_id)))
    .join(journeys, journeys.c.id == outbox.c.journey_id)
    .where(
        outbox.c.workspace_id == bound("workspace"),
        outbox.c.status.in_([literal_column("'held'"), literal_column("'pending'")]),
        and_(journeys.c.ended_at.is_not(None), journeys.c.acted_at.is_(None)),
    )
    .group_by(outbox.c.rule),
    "workspace",
)
SUPPRESSED = Prepared(
    select(outbox.c.rule, outbox.c.reason, func.count())
    .where(outbox.c.workspace_id == bound("workspace"), outbox.c.status == literal_column("'suppressed'"))
    .group_by(outbox.c.rule, outbox.c.reason),
    "workspace",
)
CHANNELS = Prepared(
    select(outbox.c.channel, outbox.c.status, func.count())
    .where(outbox.c.workspace_id == bound("workspace"), outbox.c.channel.is_not(None))
    .group_by(outbox.c.channel, outbox.c.status),
    "workspace",
)


def undecided(connection: Connection, workspace: int) -> dict[int, int]:
    """By rule, how many journeys ended without having acted so far, with an action still on its way.

    Such a journey acts when that leaves, unless what happens until then keeps it from leaving. Reads what waits to
    be sent, and no more.
    """
    return dict(UNDECIDED.rows(connection, workspace))


def suppressed(connection: Connection, workspace: int) -> dict[int, dict[str, int]]:
    """By rule and reason, how many actions were kept from leaving. Reads those, and no more."""
    found: dict[int, dict[str, int]] = {}
    for rule, reason, number in SUPPRESSED.rows(connection, workspace):
        found.setdefault(rule, {})[reason or ""] = number
    return found


def by_channel(connection: Connection, workspace: int) -> dict[tuple[str, str], int]:
    """How many actions that each channel took up are in each state. Reads them all."""
    return {(channel, status): number for channel, status, number in CHANNELS.rows(connection, workspace)}
