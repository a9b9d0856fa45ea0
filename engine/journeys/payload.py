"""What an effect carries when it leaves: its arguments, and the variables its template may name."""

from __future__ import annotations

from typing import Any

from engine.journeys import conditions
from engine.journeys.conditions import Scene
from engine.journeys.journey import Effect, Journey
from engine.language import nodes, program


def variables(effect: nodes.Action, done: Effect, journey: Journey, scene: Scene) -> dict[str, Any]:
    """``trigger``, ``person``, ``journey``, ``with``, ``to`` and ``language``, frozen as they stand at the leaving."""
    at = done.leave
    return {
        "trigger": dict(scene.trigger.fields) if scene.trigger else {},
        "person": dict(scene.timeline.attributes(at)),
        "journey": {"rule": scene.rule, "start": journey.start, "moment": done.moment, "step": done.step},
        "with": arguments(effect.arguments, scene, at),
        "to": None if effect.to is None else scene.values(effect.to, at),
        "variant": None if effect.variant is None else scene.values(effect.variant, at),
    }


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
    """The attribute change of ``set person.x = v``, nested as the path is."""
    value = argument(effect.value, scene, at)
    for part in reversed(effect.path.parts[1:]):
        value = {part: value}
    return {effect.path.parts[0]: value}


def do_at(code: tuple[program.Instruction, ...], place: int) -> nodes.Effect | program.Match:
    """The effect written at an instruction."""
    step = code[place]
    assert isinstance(step, program.Do)
    return step.effect
