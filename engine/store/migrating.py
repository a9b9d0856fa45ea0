"""Journeys that wait on other versions of their rule than the live one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from engine.store import journeys, rule_pages
from engine.store.rows import JourneyRow
from engine.store.rule_pages import Place


def waiting_on_others(
    connection: Connection, rule: int, version: str, after: Place, limit: int
) -> tuple[list[JourneyRow], Place | None]:
    """Return the next journeys of the rule on other versions, and the place behind them; nothing at the end."""
    ids, place = rule_pages.waiting(connection, rule, after, limit, but=version)
    return journeys.by_id(connection, ids), place


def of_pairs(connection: Connection, pairs: Iterable[tuple[int, int]]) -> list[JourneyRow]:
    """Return the journeys that wait under pairs of person and rule."""
    return journeys.by_id(connection, rule_pages.of_pairs(connection, pairs))
