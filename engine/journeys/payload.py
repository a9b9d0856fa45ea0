"""What an effect carries when it leaves: its arguments, and the variables its template may name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.journeys import conditions
from engine.journeys.conditions import Scene
from engine.journeys.journey import Effect, Journey
from engine.journeys.timeline import Change, Event
from engine.language import nodes, program


def variables(effect: nodes.Action, done: Effect, journey: Journey, scene: Scene) -> dict[str, Any]:
    """The variables of an effect a journey came to, frozen as they stand at the leaving."""
    return frozen(effect, scene, done.leave, start=journey.start, moment=done.moment, step=done.step)


def frozen(effect: nodes.Action, scene: Scene, at: int, *, start: int, moment: int, step: str) -> dict[str, Any]:
    """``trigger``, ``person``, ``journey``, ``with``, ``to`` and ``variant``, as they stand at ``at``."""
    return {
        "trigger": dict(scene.trigger.fields) if scene.trigger else {},
        "person": dict(scene.timeline.attributes(at)),
        "journey": {"rule": scene.rule, "start": start, "moment": moment, "step": step},
        "with": arguments(effect.arguments, scene, at),
        "to": None if effect.to is None else scene.values(effect.to, at),
        "variant": None if effect.variant is None else scene.values(effect.variant, at),
    }


def lacks_recipient(effect: nodes.Action, scene: Scene, at: int) -> bool:
    """Whether its ``to`` names what is not there."""
    return effect.to is not None and scene.values(effect.to, at) in (None, "", [])


def arguments(written: tuple[nodes.Argument, ...], scene: Scene, at: int) -> dict[str, Any]:
    """The ``with`` arguments as they read at ``at``."""
    return {name: argument(value, scene, at) for name, value in written}


def argument(value: nodes.Literal | nodes.Path | nodes.Total, scene: Scene, at: int) -> Any:
    match value:
        case nodes.Literal(value=plain):
            return plain
        case nodes.Path():
            return scene.values(value, at)
        case nodes.Total():
            return conditions.total_at(value, scene, at)


def assignment(effect: nodes.SetAttribute, scene: Scene, at: int) -> dict[str, Any]:
    """The attribute change of ``set person.a.b = v``: what else ``a`` holds stays."""
    first, *rest = effect.path.parts
    return {first: _put(scene.timeline.attributes(at).get(first), rest, argument(effect.value, scene, at))}


def _put(holder: object, parts: list[str], value: Any) -> Any:
    if not parts:
        return value
    held = dict(holder) if isinstance(holder, Mapping) else {}
    return {**held, parts[0]: _put(held.get(parts[0]), parts[1:], value)}


class Said(NamedTuple):
    """An event of a ``name``, or without one a change of attributes; ``place`` is that of a ``set`` in its rule."""

    name: str
    values: dict[str, Any]
    place: int = 0


def said(written: nodes.Effect | program.Match, effect: Effect, scene: Scene) -> Said | None:
    """What an effect on Lapse itself puts on the timeline when it leaves (ruling 29)."""
    match written:
        case nodes.SetAttribute():
            return Said("", assignment(written, scene, effect.leave), effect.place + 1)
        case nodes.TrackEvent(name=name, arguments=given):
            return Said(name, arguments(given, scene, effect.leave))
        case _:
            return None


def caused(written: nodes.Effect | program.Match, effect: Effect, scene: Scene) -> Event | Change | None:
    """The same as an entry of the timeline."""
    told = said(written, effect, scene)
    if told is None:
        return None
    at, causes = effect.leave, causes_of(scene)
    if not told.name:
        return Change(at, told.values, causes=causes, place=told.place)
    content = json.dumps(told.values, sort_keys=True, ensure_ascii=False)
    return Event(at, told.name, effect.key, content, causes=causes, made=False)


def causes_of(scene: Scene) -> frozenset[str]:
    """The rules that led to what a journey does: those that led to the journey, and its own."""
    return (scene.trigger.causes if scene.trigger else scene.causes) | {scene.rule}


def name_of(written: nodes.Effect | program.Match) -> str:
    """What an effect is called."""
    match written:
        case nodes.Action(name=name):
            return name
        case nodes.SetAttribute():
            return "set"
        case nodes.TrackEvent():
            return "track"
        case program.Match():
            return "match"


def do_at(code: tuple[program.Instruction, ...], place: int) -> nodes.Effect | program.Match:
    """The effect written at an instruction."""
    step = code[place]
    assert isinstance(step, program.Do)
    return step.effect
