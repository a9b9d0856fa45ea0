"""Moving journeys that wait on older versions of a rule to the live one, where their step exists unchanged in both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from engine.journeys import journey as states
from engine.journeys.conditions import Entry
from engine.journeys.journey import Effect, Journey
from engine.language.program import Program
from engine.runtime.live import Live, LiveRule
from engine.runtime.loading import revived
from engine.store import Connection, journeys, migrating
from engine.store.rows import JourneyRow

PAGE = 500
"""Journeys read and written at once."""


class Moves(NamedTuple):
    """What became of a rule's waiting journeys when an edit was loaded."""

    moved: int = 0
    """They go on under the new version."""
    stayed: int = 0
    """They finish on the version they entered with: their step is gone, or not as it was."""
    ended: int = 0
    """Their rule is gone."""


def migrate(connection: Connection, workspace: int, live: Live, now: int) -> dict[str, Moves]:
    """Move every journey that can be moved; those that were are due ``now``, by the new version."""
    return {
        rule.id: _migrate_rule(connection, workspace, rule, now)
        for rule in live.rules.values()
        if len(rule.life.versions) > 1
    }


def _migrate_rule(connection: Connection, workspace: int, rule: LiveRule, now: int) -> Moves:
    due = None if rule.paused_at is not None else now
    moved = stayed = after = 0
    while rows := migrating.waiting_on_others(connection, workspace, rule.row, rule.program.digest, after, PAGE):
        after = rows[-1].id
        changed = [_moved(row, rule, due) for row in rows]
        journeys.update(connection, [row for row in changed if row is not None])
        stayed += changed.count(None)
        moved += len(changed) - changed.count(None)
    return Moves(moved, stayed)


def _moved(row: JourneyRow, rule: LiveRule, due: int | None) -> JourneyRow | None:
    """The row on the live version; nothing where it has to stay."""
    old, new = rule.life.version(row.version), rule.program
    if old.rule.for_each != new.rule.for_each or _fields_of_limits(old) != _fields_of_limits(new):
        return None
    found = move(revived(row), old, new)
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
