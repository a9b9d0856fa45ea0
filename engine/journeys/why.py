"""Why a rule did nothing: the first part of its trigger or of a gate that spoke against it, with what it read.

Every answer comes of the functions that decide: a rule is played through once more for one trigger, with each gate
noted as it is asked. Texts are for people; moments in them are written by the caller's ``clock``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from engine.journeys import conditions, values
from engine.journeys.conditions import ENDS, Entry, Point, Scene, Settled
from engine.journeys.journey import Journey
from engine.journeys.rulebook import Ledger, Person, RuleLife, Settings
from engine.journeys.standing import scene_of
from engine.journeys.steps import Steps
from engine.journeys.timeline import Event
from engine.language import layout_parts, nodes, program

Clock = Callable[[int], str]
"""Writes a moment, microseconds UTC, as its reader counts time."""


class Part(NamedTuple):
    """A part of a condition as it was asked: ``value`` is None while it is not known yet."""

    text: str
    value: bool | None
    detail: str

    def __str__(self) -> str:
        return f"{self.text} ({self.detail})" if self.detail else self.text


class Asked(NamedTuple):
    """A gate that a journey came to, and how far it was known."""

    condition: program.Condition
    scene: Scene
    entry: Entry
    horizon: Point
    due: int | None
    """The next moment that may decide it; None where it is decided."""


class _Nobody:
    """A ledger under which no limit is ever reached: limits are told apart from gates."""

    def everyone(self, rule: str, after: int, until: int) -> int:  # noqa: ARG002
        return 0

    def record(self, rule: str, at: int) -> None:
        pass


class _NotedSteps(Steps):
    """Steps that note every gate a journey does not pass."""

    stopped: Asked | None = None

    def _decide(self, journey: Journey, scene: Scene, step: program.Gate | program.Choose, horizon: Point) -> None:
        entry, place = journey.entry, journey.place
        super()._decide(journey, scene, step, horizon)
        if isinstance(step, program.Gate) and (journey.place == place):
            self.stopped = Asked(step.condition, scene, entry, horizon, journey.due)


def unmet_filter(life: RuleLife, person: Person, settings: Settings, until: int, clock: Clock) -> str | None:
    """Return why no event up to ``until`` is a trigger: none came, or a filter held it off. None where one is."""
    rules = life.current
    scene = scene_of(life, person, settings, until)
    events = [event for name in _names(rules) for event in person.timeline.between(name, 0, until)]
    if any(scene.matches(pattern, event) for pattern in rules.triggers for event in events):
        return None
    if not events:
        return f"no trigger: no {' or '.join(repr(name or 'event') for name in _names(rules))} came by {clock(until)}"
    last = max(events, key=lambda event: event.order)
    pattern = next(one for one in rules.triggers if one.name in (None, last.name))
    parts = [_comparison(one, scene, last) for one in pattern.where if not scene.holds(one, last.at, last)]
    return f"the trigger's filter is false for '{last.name}' at {clock(last.at)}: {'; '.join(map(str, parts))}"


def stopping_gate(
    life: RuleLife, person: Person, settings: Settings, trigger: Event | None, at: int, until: int
) -> Asked | None:
    """Return the gate that a journey from ``trigger`` did not pass up to ``until``; limits are left out of account."""
    unlimited = Person(person.name, person.timeline)
    ledger: Ledger = _Nobody()
    steps = _NotedSteps(life, unlimited, settings, ledger, now=until)
    journey = steps.begin(trigger, at, "", life.current)
    steps.admit(journey)
    steps.run(journey, (until, ENDS))
    return steps.stopped


def unmet_part(asked: Asked) -> Part | None:
    """Return the first part that keeps a gate from being true."""
    settled = conditions.settled_by(asked.condition, asked.scene, asked.entry, asked.horizon)
    point = max([asked.entry.point, *(one.point for one in settled.values() if one.point <= asked.horizon)])
    return _keeping(asked.condition, asked.scene, point, settled, True)


def unmet_now(condition: program.Condition, scene: Scene, at: int) -> Part | None:
    """Return the first part that keeps a condition that looks back from being true at ``at``."""
    return _keeping(condition, scene, (at, ENDS), {}, True)


def _keeping(
    condition: program.Condition, scene: Scene, point: Point, settled: dict[int, Settled], wanted: bool
) -> Part | None:
    """Return the first part because of which ``condition`` is not ``wanted``."""
    value = conditions.ask(condition, scene, point, settled)
    if value is wanted:
        return None
    match condition:
        case program.All(items=items) | program.Any(items=items):
            unmet = [part for one in items if (part := _keeping(one, scene, point, settled, wanted)) is not None]
            known = [part for part in unmet if part.value is not None]
            return next(iter(known or unmet), None)
        case program.Negated(item=item):
            inner = _keeping(item, scene, point, settled, not wanted)
            return None if inner is None else inner._replace(text=f"NOT {inner.text}")
        case _:
            return Part(layout_parts.item_text(condition), value, _detail(condition, scene, point[0], value))


def _detail(item: program.Item, scene: Scene, at: int, value: bool | None) -> str:
    """Return what an item read."""
    match item:
        case nodes.Fact(comparison=comparison):
            return _read(comparison.left, scene, at)
        case nodes.DateFact(path=path):
            return _read(path, scene, at)
        case program.Summed(total=total) if not item.reach.forward:
            return f"it is {_shown(conditions.total_at(total, scene, at))}"
        case nodes.Sample():
            return "the person is not in it"
        case _ if value is None:
            return "not known yet"
        case program.Seen(pattern=pattern):
            count = len(scene.seen(pattern, 0, at))
            return f"{count} in all so far"
        case _:
            return ""


def _comparison(comparison: nodes.Comparison, scene: Scene, event: Event) -> Part:
    held = scene.values(comparison.left, event.at, event)
    name = layout_parts.field_text(comparison.left)
    return Part(layout_parts.comparison_text(comparison), False, f"{name} is {_shown(held)}")


def _read(path: nodes.Path, scene: Scene, at: int) -> str:
    return f"{layout_parts.field_text(path)} is {_shown(scene.values(path, at))}"


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else values.text(value)


def _names(rules: program.Program) -> Sequence[str | None]:
    return tuple(dict.fromkeys(pattern.name for pattern in rules.triggers))
