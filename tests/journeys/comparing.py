"""The engine beside the oracle: the same rule and entries, and what is comparable of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from engine.journeys import payload
from engine.journeys.draws import drawn, drawn_holdout
from engine.journeys.journey import ACTED, Journey
from engine.journeys.rulebook import Settings
from engine.journeys.timeline import Change, Event
from engine.language import nodes
from tests.oracle import oracle
from tests.oracle.conditions import DrawKey

from .bench import Bench


def draw(key: DrawKey, person: str) -> float:
    """The engine's chance under the oracle's names."""
    rule, which, ordinal = key
    if rule is None:
        return drawn("", which, person) / 100
    return (drawn_holdout(rule, None, person) if which == "holdout" else drawn(rule, ordinal, person)) / 100


@dataclass(frozen=True)
class Seen:
    """What engine and oracle must agree on of one journey."""

    value: str | None
    trigger_at: int
    first_at: int
    start: int
    ended_at: int | None
    held_out: bool
    actions: tuple[tuple[int, str, str], ...]
    skipped: tuple[tuple[int, str, str, str], ...]
    goal_at: int | None
    reason: str | None


_WHY = {"past_date": "date_passed"}
"""Steps passed over, or too late for a date, are records of the oracle alone."""


def of_oracle(journeys: Iterable[oracle.Journey]) -> list[Seen]:
    """Journeys of the oracle; what has no row in the engine is left out."""
    found = [
        Seen(
            one.value,
            one.trigger_at,
            one.first_at,
            one.start,
            one.ended_at,
            one.held_out,
            tuple((action.at, action.name, action.step) for action in one.actions),
            tuple((skip.at, skip.name, skip.step, _WHY.get(skip.why, skip.why)) for skip in one.skipped),
            one.goal_at,
            _reason(one.reason, one.ended_at == one.start),
        )
        for one in journeys
        if one.reason != "missing_field"
    ]
    return sorted(map(_ended_when_inactive, found), key=repr)


def _reason(reason: str | None, at_once: bool) -> str | None:
    """Of an exit and ``Only while`` at the trigger's own instant either may be named."""
    return "exit" if at_once and reason == "only_while" else reason


def _ended_when_inactive(one: Seen) -> Seen:
    """The oracle lets a journey go on without acting once ``Active`` is over; the engine ends it."""
    first = min((at for at, _, _, why in one.skipped if why == "inactive"), default=None)
    kept = tuple(skip for skip in one.skipped if skip[3] not in ("inactive", "date_passed"))
    if first is None:
        return replace(one, skipped=kept)
    kept = tuple(skip for skip in kept if skip[0] <= first)
    return replace(one, skipped=kept, ended_at=first, reason="inactive")


def of_engine(bench: Bench, name: str) -> list[Seen]:
    standing = bench.people.get(name)
    return sorted((_seen(bench, one) for one in standing.journeys), key=repr) if standing else []


def _seen(bench: Bench, one: Journey) -> Seen:
    rules = bench.life.version(one.version)
    names = {effect.step: payload.name_of(payload.do_at(rules.code, effect.place)) for effect in one.effects}
    return Seen(
        one.value if rules.rule.for_each is not None else None,
        one.start,
        one.first_at,
        one.start,
        one.ended_at,
        one.held_out,
        tuple((effect.leave, names[effect.step], effect.step) for effect in one.effects if effect.taken in ACTED),
        tuple(
            (effect.leave, names[effect.step], effect.step, effect.taken)
            for effect in one.effects
            if effect.taken not in ACTED and effect.taken != "date_passed"
        ),
        one.goal_at,
        _reason(one.reason, one.ended_at == one.start),
    )


_IDS = count()


def entry_of(one: oracle.Event | oracle.Change) -> Event | Change:
    """An entry of the oracle as one of the engine."""
    if isinstance(one, oracle.Change):
        return Change(one.at, one.values, historical=one.historical, causes=frozenset(one.caused_by))
    return Event(
        one.at, one.name, f"e{next(_IDS):09}", json.dumps(dict(one.properties), sort_keys=True),
        message_id=one.message_id, historical=one.historical, causes=frozenset(one.caused_by), made=one.by_person,
    )  # fmt: skip


People = Mapping[str, Iterable[oracle.Event | oracle.Change]]


def replay(
    rule: nodes.Rule,
    people: People,
    until: int,
    settings: Settings | None = None,
    live_at: int | None = None,
    *,
    lazy: bool = False,
) -> Bench:
    """Every entry arrives at its own time."""
    bench = Bench(rule, settings, live_at, lazy=lazy)
    instants: dict[int, dict[str, list[Event | Change]]] = {}
    for name, entries in people.items():
        for one in entries:
            instants.setdefault(one.at, {}).setdefault(name, []).append(entry_of(one))
    if live_at is not None:
        instants.setdefault(live_at, {})
    for at, arrivals in sorted(instants.items()):
        if at <= until:
            bench.run_to(at - 1)
            bench.now = at
            bench.ingest(arrivals)
        if at == live_at:
            bench.go_live()
    bench.run_to(until)
    if lazy:
        bench.look()
    return bench
