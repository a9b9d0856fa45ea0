"""Taking up again what was given up: as the same bytes, under the same key, as if its channel were new to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Final, NamedTuple

from engine.runtime.cursors import LAST
from engine.runtime.deliveries import check_states, rows_of
from engine.store import Connection, redriving, rules
from engine.store.listing import Wanted
from engine.store.redriving import STATES

PAGE: Final = 500
"""Actions that are taken up in one transaction."""

Run = Callable[[Callable[[Connection], Any]], Any]
"""Carries a function out in a writing transaction of its own."""


class Chosen(NamedTuple):
    """Which actions: those of some keys, or all; of a rule, that a channel took up, in some states."""

    keys: tuple[str, ...] | None = None
    rule: str | None = None
    channel: str | None = None
    states: tuple[str, ...] = ("dead",)


def chosen(keys: Iterable[str] | None, rule: str | None, channel: str | None, states: Iterable[str]) -> Chosen:
    """What was named, each key once. Raises ConfigError for states other than dead and parked."""
    found = Chosen(None if keys is None else tuple(dict.fromkeys(keys)), rule, channel, tuple(dict.fromkeys(states)))
    check_states(found.states, STATES)
    return found


def take_up(run: Run, workspace: int, chosen: Chosen, now: int) -> int:
    """Have them sent again from ``now`` on, a page a transaction; gives how many.

    Whatever is in another state by then, or was of somebody who is erased, stays as it is. Raises UnknownName for a
    rule that was never loaded.
    """
    taken, place = 0, _beginning(chosen)
    while place is not None:
        number, place = run(partial(_take_up, workspace=workspace, chosen=chosen, place=place, now=now))
        taken += number
    return taken


def count(connection: Connection, workspace: int, chosen: Chosen) -> int:
    """How many :func:`take_up` would take up. Raises what that raises."""
    found, place = 0, _beginning(chosen)
    while place is not None:
        rows, place = _some(connection, workspace, chosen, place)
        found += len(rows)
    return found


def missing(keys: Collection[str] | None, taken: int) -> int:
    """How many of the ``keys`` that were named are of nothing that could be taken up; 0 where none was named."""
    return len(set(keys)) - taken if keys else 0


def _take_up(connection: Connection, workspace: int, chosen: Chosen, place: int, now: int) -> tuple[int, int | None]:
    rows, following = _some(connection, workspace, chosen, place)
    return redriving.take_up(connection, rows, now), following


def _beginning(chosen: Chosen) -> int | None:
    if chosen.keys is None:
        return LAST
    return 0 if chosen.keys else None


def _some(connection: Connection, workspace: int, chosen: Chosen, place: int) -> tuple[list[int], int | None]:
    """The next rows, and the place to go on at: among the keys, or before the row found last."""
    named = {name: row.id for name, row in rules.every(connection, workspace).items()}
    wanted = Wanted(rules=rows_of(chosen.rule, named), states=chosen.states, channel=chosen.channel)
    if chosen.keys is None:
        rows = redriving.page(connection, workspace, named.values(), wanted, place, PAGE)
        return rows, rows[-1] if len(rows) == PAGE else None
    following = place + PAGE
    keys = chosen.keys[place:following]
    rows = redriving.of_keys(connection, workspace, named.values(), wanted, keys)
    return rows, following if following < len(chosen.keys) else None
