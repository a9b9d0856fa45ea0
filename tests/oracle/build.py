"""Short ways to write rule nodes and timelines by hand; hours are counted from a Thursday, 2026-01-01 00:00 UTC."""

from __future__ import annotations

import datetime
from typing import Any

from engine.language import nodes

from .timeline import Change, Event
from .times import DAY, HOUR

START = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MINUTE = HOUR // 60


def hour(hours: float) -> int:
    """The moment that many hours after the beginning."""
    return START + round(hours * HOUR)


def utc(text: str) -> int:
    """The moment of an ISO time in UTC."""
    wall = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return int(wall.timestamp()) * 1_000_000


def ev(hours: float, name: str, /, **properties: Any) -> Event:
    return Event(hour(hours), name, properties)


def was(hours: float, name: str, /, **properties: Any) -> Event:
    """A historical event."""
    return Event(hour(hours), name, properties, historical=True)


def attr(hours: float, **values: Any) -> Change:
    return Change(hour(hours), values)


def hours(number: float) -> nodes.Duration:
    return nodes.Duration(round(number * HOUR))


def days(number: float) -> nodes.Duration:
    return nodes.Duration(round(number * DAY))


def months(number: int) -> nodes.Duration:
    return nodes.Duration(months=number)


def within(duration: nodes.Duration) -> nodes.Window:
    return nodes.Window("within", duration)


def coming(duration: nodes.Duration) -> nodes.Window:
    return nodes.Window("next", duration)


def last(duration: nodes.Duration) -> nodes.Window:
    return nodes.Window("last", duration)


SINCE_TRIGGER = nodes.Window("since trigger")


def event(name: str, /, **equal: Any) -> nodes.Pattern:
    """A pattern whose ``where`` says that each field equals the value, or the trigger's field for ``SAME``."""
    where = tuple(
        nodes.Comparison(
            nodes.Path("event", (key,)),
            "=",
            (nodes.Path("trigger", (key,)) if value is SAME else nodes.Literal(value),),
        )
        for key, value in equal.items()
    )
    return nodes.Pattern(name, where)


SAME = object()


def happened(name: str, window: nodes.Window | None = None, /, **equal: Any) -> nodes.Happened:
    return nodes.Happened(event(name, **equal), None, window)


def count(kind: Any, number: int, name: str, window: nodes.Window | None = None, /, **equal: Any) -> nodes.Happened:
    return nodes.Happened(event(name, **equal), nodes.Count(kind, number), window)


def no(name: str, window: nodes.Window | None = None, /, **equal: Any) -> nodes.Not:
    return nodes.Not(happened(name, window, **equal))


def path(text: str) -> nodes.Path:
    """``trigger.x``, ``person.x`` or a bare ``x``."""
    first, *rest = text.split(".")
    if rest and first in ("trigger", "person", "event"):
        return nodes.Path(first, tuple(rest))  # type: ignore[arg-type]
    return nodes.Path("bare", (first, *rest))


def fact(text: str, operator: Any, *right: Any) -> nodes.Fact:
    operands = tuple(one if isinstance(one, (nodes.Literal, nodes.Path)) else nodes.Literal(one) for one in right)
    return nodes.Fact(nodes.Comparison(path(text), operator, operands))


def act(name: str = "mail", template: str | None = None, **more: Any) -> nodes.Action:
    return nodes.Action(name, template, **more)


def rule(trigger: Any, *steps: Any, id: str = "r", **clauses: Any) -> nodes.Rule:
    """A rule; a trigger given as text is an event's name (several: ``a b``), expressions are Conditions."""
    if isinstance(trigger, str):
        trigger = nodes.EventTrigger(tuple(nodes.Pattern(name) for name in trigger.split()))
    elif isinstance(trigger, nodes.Pattern):
        trigger = nodes.EventTrigger((trigger,))
    elif trigger is None:
        trigger = nodes.NoTrigger()
    built = tuple(nodes.Condition(step) if isinstance(step, EXPRESSIONS) else step for step in steps)
    return nodes.Rule(id, None, (), trigger, built, **clauses)


EXPRESSIONS = (
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Group,
    nodes.Happened,
    nodes.Chain,
    nodes.Race,
    nodes.TotalFact,
    nodes.Fact,
    nodes.DateFact,
    nodes.LastEvent,
    nodes.Sample,
)


def moment_text(at: int) -> str:
    """A moment as wall clock UTC, to the minute."""
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (epoch + datetime.timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M")
