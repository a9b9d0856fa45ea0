"""What ended without acting, and why: for those who want to see what a rule kept quiet about."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, exists, func, select

from engine.runtime.live import Live, LiveRule
from engine.store import people
from engine.store.outbox import OPEN
from engine.store.schema import event_types, events, journeys, outbox


@dataclass(frozen=True)
class Ending:
    """A journey that ended without acting. ``events`` are what the person did at that instant, as far as it counts."""

    person: str
    start: int
    at: int
    reason: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class Endings:
    """How many journeys of a rule ended without acting, by reason, and the first few of them."""

    reasons: dict[str, int] = field(default_factory=dict)
    examples: list[Ending] = field(default_factory=list)


_on_its_way = exists().where(
    outbox.c.person_id == journeys.c.person_id,
    outbox.c.rule == journeys.c.rule,
    outbox.c.journey_id == journeys.c.id,
    outbox.c.status.in_(OPEN),
)
_quiet = and_(journeys.c.acted_at.is_(None), journeys.c.ended_at.is_not(None), ~_on_its_way)


def endings(connection: Connection, live: Live, few: int) -> dict[str, Endings]:
    """The endings of every live rule by its id, with up to ``few`` examples each."""
    return {
        rule.id: Endings(_reasons(connection, rule), _examples(connection, rule, few)) for rule in live.rules.values()
    }


def _reasons(connection: Connection, rule: LiveRule) -> dict[str, int]:
    found = connection.execute(
        select(journeys.c.reason, func.count())
        .where(journeys.c.rule == rule.row, _quiet)
        .group_by(journeys.c.reason)
        .order_by(func.count().desc(), journeys.c.reason)
    )
    return dict(found.all())


def _examples(connection: Connection, rule: LiveRule, few: int) -> list[Ending]:
    rows = connection.execute(
        select(journeys.c.person_id, journeys.c.start, journeys.c.ended_at, journeys.c.reason)
        .where(journeys.c.rule == rule.row, _quiet)
        .order_by(journeys.c.ended_at, journeys.c.id)
        .limit(few)
    ).all()
    called = people.names(connection, {row.person_id for row in rows})
    return [
        Ending(called[person], start, at, reason, _happened(connection, rule, person, at))
        for person, start, at, reason in rows
    ]


def _happened(connection: Connection, rule: LiveRule, person: int, at: int) -> tuple[str, ...]:
    """The names of the events of an instant that the rule looks at."""
    names = connection.scalars(
        select(event_types.c.name)
        .distinct()
        .join(events, events.c.type_id == event_types.c.id)
        .where(events.c.person_id == person, events.c.at == at)
        .order_by(event_types.c.name)
    )
    watched = rule.program.names
    return tuple(name for name in names if watched is None or name in watched)
