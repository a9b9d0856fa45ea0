"""Journeys and deliveries for those who look, page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from engine.clock import iso, iso_or_none
from engine.runtime import cursors
from engine.runtime.engine import Engine
from engine.store import Connection, listing, people, rules
from engine.store.rows import JourneyRow, OutboxRow

Row = TypeVar("Row", JourneyRow, OutboxRow)


@dataclass(frozen=True)
class Page:
    """Some of what was asked for, newest first. ``after`` is what to ask the next page with; None: there is none."""

    items: tuple[dict[str, Any], ...] = ()
    after: str | None = None


@dataclass(frozen=True)
class Asked:
    """Whose journeys or deliveries: of a person (any id), of a rule, of both, or of all; and which page.

    ``after`` is what the page before gave.
    """

    person: str | None = None
    rule: str | None = None
    limit: int = 50
    after: str | None = None


class _Filters(TypedDict):
    """What was asked for, as rows; items before the row ``before``."""

    person: int | None
    rule: int | None
    before: int


def journeys(engine: Engine, asked: Asked) -> Page:
    """A page of journeys; an empty one for a person or rule that is not there.

    Raises ConfigError for an ``after`` that no page gave.
    """
    return _page(engine, "journeys", asked, listing.journey_page, _journey)


def deliveries(engine: Engine, asked: Asked) -> Page:
    """A page of actions that left, are to leave, or were withdrawn; as :func:`journeys`."""
    return _page(engine, "deliveries", asked, listing.action_page, _delivery)


def _page(
    engine: Engine,
    of: cursors.Of,
    asked: Asked,
    read: Callable[..., list[Row]],
    shown: Callable[[Row, str, str], dict[str, Any]],
) -> Page:
    with engine.store.read() as connection:
        names = _rule_names(connection, engine.workspace)
        filters = _filters(connection, engine.workspace, of, asked, names)
        if filters is None:
            return Page()
        rows = read(connection, engine.workspace, **filters, limit=asked.limit + 1)
        page = rows[: asked.limit]
        called = people.names(connection, {one.person_id for one in page})
        items = tuple(shown(one, names[one.rule], called[one.person_id]) for one in page)
        return Page(items, cursors.following(connection, engine.workspace, of, rows, asked.limit))


def _rule_names(connection: Connection, workspace: int) -> dict[int, str]:
    return {row.id: name for name, row in rules.every(connection, workspace).items()}


def _filters(
    connection: Connection, workspace: int, of: cursors.Of, asked: Asked, names: dict[int, str]
) -> _Filters | None:
    """What the store is asked with; None where nothing can be found."""
    person = rule = None
    if asked.person is not None and (person := people.find(connection, workspace, asked.person)) is None:
        return None
    if asked.rule is not None:
        rule = next((row for row, name in names.items() if name == asked.rule), None)
        if rule is None:
            return None
    return {"person": person, "rule": rule, "before": cursors.behind(connection, workspace, of, asked.after).row}


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


def _delivery(row: OutboxRow, rule: str, person: str) -> dict[str, Any]:
    moments = {name: iso_or_none(getattr(row, name)) for name in ("moment", "due_at", "left_at")}
    return {
        "key": row.key,
        "rule": rule,
        "person": person,
        "action": row.name,
        "template": row.template,
        "status": row.status,
        "reason": row.reason,
        "attempts": row.attempts,
        "error": row.error,
        **moments,
    }
