"""What an action carries, and what effects on Lapse itself put on the timeline (section 2, rulings 28 and 29)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.journeys import payload
from engine.journeys.conditions import EVENTS, Entry
from engine.journeys.journey import Effect, Journey
from engine.journeys.timeline import Change, Event
from engine.language import nodes, program
from engine.language.program import Program
from tests.oracle.build import attr, ev, hour

from .scenes import scene
from .story import rule_of

DONE = Effect(0, "3", "act_1", hour(5), hour(9), 0, Entry((hour(9), EVENTS)), "left")
HERE = scene(
    attr(-2, plan="free", address={"city": "Lodz", "zip": "90-001"}),
    ev(-1, "buy", amount=5),
    ev(0, "start", cart={"total": 80}, plan="trial"),
    ev(3, "buy", amount=7),
    attr(6, plan="pro"),
    ev(10, "buy", amount=100),
)


def written(text: str) -> nodes.Effect:
    (step,) = (one for one in Program(rule_of(f"Trigger: start\nAction: {text}")).code if isinstance(one, program.Do))
    assert not isinstance(step.effect, program.Match)
    return step.effect


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("10", 10),
        ("hello", "hello"),
        ("true", True),
        ("trigger.cart.total", 80),
        ("trigger.absent", None),
        ("person.plan", "pro"),
        ("plan", "plan"),
        ("person.address.city", "Lodz"),
        ("sum of amount from buy in the last 30 days", 12),
        ("sum of amount from buy since trigger", 7),
        ("count of buy", 2),
        ("max of amount from buy in the last 1h", None),
    ],
)
def test_arguments_read_as_they_stand_at_the_leaving(argument: str, value: object) -> None:
    action = written(f"mail with x = {argument}")
    assert isinstance(action, nodes.Action)
    assert payload.arguments(action.arguments, HERE, DONE.leave) == {"x": value}


def test_the_variables_of_an_action() -> None:
    action = written('mail "reminder" in person.address.zip to person.address.city with a = 1')
    assert isinstance(action, nodes.Action)
    journey = Journey("v", "", "t", hour(0), hour(0), Entry((hour(0), EVENTS)))
    assert payload.variables(action, DONE, journey, HERE) == {
        "trigger": {"cart": {"total": 80}, "plan": "trial"},
        "person": {"plan": "pro", "address": {"city": "Lodz", "zip": "90-001"}},
        "journey": {"rule": "r", "start": hour(0), "moment": hour(5), "step": "3"},
        "with": {"a": 1},
        "to": "Lodz",
        "variant": "90-001",
    }


def test_a_moment_has_no_fields() -> None:
    action = written("mail with x = trigger.y")
    assert isinstance(action, nodes.Action)
    assert payload.arguments(action.arguments, scene(ev(0, "seen")), hour(1)) == {"x": None}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("set person.plan = gold", {"plan": "gold"}),
        ("set person.spent = trigger.cart.total", {"spent": 80}),
        ("set person.address.city = Gdynia", {"address": {"city": "Gdynia", "zip": "90-001"}}),
        ("set person.a.b.c = 1", {"a": {"b": {"c": 1}}}),
        ("set person.plan.name = x", {"plan": {"name": "x"}}),
        ("set person.orders = count of buy", {"orders": 2}),
    ],
)
def test_an_assignment_leaves_what_else_the_attribute_holds(text: str, values: dict[str, Any]) -> None:
    found = payload.caused(written(text), DONE, HERE)
    assert isinstance(found, Change)
    assert (found.at, found.values, found.causes) == (DONE.leave, values, frozenset({"r"}))


def test_a_tracked_event_carries_its_arguments_and_its_causes() -> None:
    assert HERE.trigger is not None
    trigger = Event(hour(0), "start", "t", causes=frozenset({"s"}))
    found = payload.caused(written('track "was.told" with why = upgrade'), DONE, HERE._replace(trigger=trigger))
    assert isinstance(found, Event)
    assert (found.name, found.at, found.fields, found.made) == ("was.told", DONE.leave, {"why": "upgrade"}, False)
    assert found.causes == {"r", "s"}


def test_an_action_puts_nothing_on_the_timeline_before_it_left() -> None:
    assert payload.caused(written("mail"), DONE, HERE) is None
    assert payload.caused(program.Match(), DONE, HERE) is None
