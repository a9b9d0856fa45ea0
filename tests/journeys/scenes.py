"""What the parts of a decision are asked of: conditions as a marketer writes them, and a person's timeline."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from engine.journeys.conditions import EVENTS, Entry, Scene
from engine.journeys.timeline import Change, Event, Timeline
from engine.language import nodes, program
from engine.language.program import Program
from tests.oracle import oracle
from tests.oracle.build import START, hour
from tests.oracle.times import HOUR

from .comparing import entry_of
from .story import rule_of


def forward(text: str) -> program.Condition:
    """A condition as the first gate of an event rule reads it."""
    step = Program(rule_of(f"Trigger: start\nCondition: {text}")).code[0]
    assert isinstance(step, program.Gate)
    return step.condition


def backward(text: str) -> program.Condition:
    """A condition as a rule without trigger follows it."""
    return Program(rule_of(f"Trigger: None\nCondition: {text}")).opening


def wait(text: str) -> nodes.Wait:
    step = Program(rule_of(f"Trigger: start\nWait: {text}")).code[0]
    assert isinstance(step, program.Pause)
    return step.wait


def timeline(*entries: oracle.Event | oracle.Change) -> Timeline:
    made = [entry_of(one) for one in entries]
    return Timeline([one for one in made if isinstance(one, Event)], [one for one in made if isinstance(one, Change)])


def scene(*entries: oracle.Event | oracle.Change, zone: str = "UTC") -> Scene:
    """Person ``p`` under rule ``r``; an event named ``start`` is the trigger."""
    line = timeline(*entries)
    trigger = next((event for event in line.events if event.name == "start"), None)
    at = trigger.at if trigger else START
    return Scene(line, "r", "p", ZoneInfo(zone), at, trigger)


def entry(at: float = 0, *left_out: str) -> Entry:
    return Entry((hour(at), EVENTS), frozenset(left_out))


def in_hours(at: int) -> float:
    return (at - START) / HOUR


def iso(at: int) -> str:
    """A moment as UTC text, seconds where there are any."""
    found = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=at)
    text = found.isoformat().removesuffix("+00:00")
    return text.removesuffix(":00") + "Z"
