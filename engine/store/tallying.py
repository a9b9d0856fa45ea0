"""Journeys whose last word is not spoken: they have ended, and their only action has still to leave."""

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


def undecided(connection: Connection, workspace: int) -> dict[int, int]:
    """By rule, how many journeys ended without having acted so far, with an action still on its way.

    Such a journey acts when that leaves, unless what happens until then keeps it from leaving. Reads what waits to
    be sent, and no more.
    """
    return dict(UNDECIDED.rows(connection, workspace))
