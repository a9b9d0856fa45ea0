"""Journeys for those who look, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.clock import iso, iso_or_none
from engine.runtime import cursors
from engine.runtime.completed import completed_journeys
from engine.runtime.engine import Engine
from engine.store import listing, people, rules
from engine.store.rows import JourneyRow


@dataclass(frozen=True)
class Page:
    """Some of what was asked for, newest first. ``after`` is what to ask the next page with; None: there is none."""

    items: tuple[dict[str, Any], ...] = ()
    after: str | None = None


@dataclass(frozen=True)
class Asked:
    """Whose journeys: of a person (any id), of a rule, of both, or of all; and which page.

    ``after`` is what the page before gave.
    """

    person: str | None = None
    rule: str | None = None
    limit: int = 50
    after: str | None = None


def journeys(engine: Engine, asked: Asked) -> Page:
    """A page of journeys; an empty one for a person or rule that is not there.

    Raises ConfigError for an ``after`` that no page gave.
    """
    workspace = engine.workspace
    with engine.store.read() as connection:
        before = cursors.behind(connection, workspace, "journeys", asked.after).row
        named = {name: row.id for name, row in rules.every(connection, workspace).items()}
        person = None if asked.person is None else people.find(connection, workspace, asked.person)
        rule = None if asked.rule is None else named.get(asked.rule)
        if (asked.person is not None and person is None) or (asked.rule is not None and rule is None):
            return Page()
        rows = listing.journey_page(
            connection, workspace, person=person, rule=rule, before=before, limit=asked.limit + 1
        )
        page = completed_journeys(connection, workspace, rows[: asked.limit])
        names = {row: name for name, row in named.items()}
        called = people.names(connection, {one.person_id for one in page})
        items = tuple(_journey(one, names[one.rule], called[one.person_id]) for one in page)
        return Page(items, cursors.following(connection, workspace, "journeys", rows, asked.limit))


def _journey(row: JourneyRow, rule: str, person: str) -> dict[str, Any]:
    moments = {name: iso_or_none(getattr(row, name)) for name in ("due_at", "ended_at", "acted_at", "goal_at")}
    return {
        "rule": rule,
        "person": person,
        "started_at": iso(row.start),
        **moments,
        "reason": row.reason,
        "held_out": bool(row.held_out),
    }
