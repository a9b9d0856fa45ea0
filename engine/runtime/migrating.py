"""Moving journeys that wait on older versions of a rule to the live one, where their step exists unchanged in both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.journeys import journey as states
from engine.journeys.conditions import Entry
from engine.journeys.journey import Effect, Journey
from engine.language.program import Program
from engine.runtime.live import Live, LiveRule
from engine.runtime.loading import Pair, revived
from engine.store import Connection, journeys, migrating
from engine.store.rows import JourneyRow
from engine.store.rule_pages import Place


class Moves(NamedTuple):
    """What became of a rule's waiting journeys when an edit was loaded."""

    moved: int = 0
    """They go on under the new version."""
    stayed: int = 0
    """They finish on the version they entered with: their step is gone, or not as it was."""
    ended: int = 0
    """Their rule is gone."""


def move_page(connection: Connection, rule: LiveRule, now: int, after: Place, limit: int) -> tuple[Moves, Place | None]:
    """Move the next journeys of a rule that can be moved, and the place behind them; nothing at the end.

    Those that are moved are due ``now``, by the new version.
    """
    rows, place = migrating.waiting_on_others(connection, rule.row, rule.program.digest, after, limit)
    return _move(connection, rule, rows, now), place


def move_pairs(connection: Connection, live: Live, pairs: Iterable[Pair]) -> dict[int, int]:
    """Move what waits under pairs of rules that are moving; gives how many journeys were, by rule."""
    waiting: dict[int, list[JourneyRow]] = defaultdict(list)
    for row in migrating.of_pairs(connection, [pair for pair in pairs if pair[1] in live.moving]):
        if row.version != live.rules[row.rule].program.digest:
            waiting[row.rule].append(row)
    return {
        rule: _move(connection, live.rules[rule], rows, live.moving[rule].since).moved for rule, rows in waiting.items()
    }


def _move(connection: Connection, rule: LiveRule, rows: Sequence[JourneyRow], now: int) -> Moves:
    due = None if rule.paused_at is not None else now
    changed = [_moved(row, rule, due) for row in rows]
    journeys.update(connection, [row for row in changed if row is not None])
    return Moves(len(changed) - changed.count(None), changed.count(None))


def _moved(row: JourneyRow, rule: LiveRule, due: int | None) -> JourneyRow | None:
    """The row on the live version; nothing where it has to stay."""
    old, new = rule.life.version(row.version), rule.program
    if old.rule.for_each != new.rule.for_each or _fields_of_limits(old) != _fields_of_limits(new):
        return None
    journey = revived(row)
    found = None if journey.spoiled else move(journey, old, new)
    return None if found is None else row._replace(version=new.digest, due_at=due, state=states.dump(found))


def _fields_of_limits(one: Program) -> list[object]:
    """What a journey noted of its trigger for the sake of limits."""
    return [limit.path for limit in one.rule.limits if limit.path is not None]


def move(journey: Journey, old: Program, new: Program) -> Journey | None:
    """The journey at the same step of ``new``; nothing where that does not exist, or not unchanged.

    A gate that still matters, because an action waits to leave after it, has to exist as well. Of an action that
    left it is only kept that it did.
    """
    places = _places(old, new)
    place = places.get(journey.place)
    if place is None:
        return None
    effects = [_effect(one, place, places) for one in journey.effects]
    if any(one is None for one in effects):
        return None
    return replace(
        journey,
        version=new.digest,
        place=place,
        gate=_gate(journey.gate, places),
        effects=[one for one in effects if one is not None],
    )


def _effect(one: Effect, standing: int, places: Mapping[int, int]) -> Effect | None:
    gate = _gate(one.gate, places)
    if one.taken == "pending" and (one.place not in places or (gate is None and one.gate is not None)):
        return None
    return replace(one, place=places.get(one.place, standing - 1), gate=gate)


def _gate(passed: tuple[int, Entry] | None, places: Mapping[int, int]) -> tuple[int, Entry] | None:
    """The gate passed last; nothing where the new version does not have it."""
    return None if passed is None or passed[0] not in places else (places[passed[0]], passed[1])


def _places(old: Program, new: Program) -> dict[int, int]:
    """Where the instructions of ``old`` stand in ``new``; -1 are the opening Conditions of a rule without trigger."""
    known = {name: place for place, name in enumerate(new.step_names) if name}
    found = {place: known[name] for place, name in enumerate(old.step_names) if name in known}
    if old.opening_digest == new.opening_digest:
        found[-1] = -1
    return found
