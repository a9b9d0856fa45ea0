"""Triggers that start no journey: from before their rule went live, or too old on arrival.

Whoever sends yesterday's events to a rule of today gets nothing, as the language says; here it is found out, so that
they can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from engine.journeys.conditions import rules_out
from engine.journeys.timeline import Event
from engine.runtime.live import Live, LiveRule
from engine.store.rows import NewEvent

Reason = Literal["before_live", "too_old"]


class Unstarted(NamedTuple):
    """An event that would have started a journey of a rule, and why it does not."""

    event: NewEvent
    rule: LiveRule
    reason: Reason


def unstarted(live: Live, events: Sequence[NewEvent], names: Mapping[int, str]) -> Iterator[Unstarted]:
    """Find the triggers among new events that start nothing; ``names`` are those of their types, by row."""
    started = {type_id: live.started_by(name) for type_id, name in names.items()}
    newest = {type_id: max((rule.life.live_at or 0 for rule in rules), default=0) for type_id, rules in started.items()}
    for event in events:
        if event.historical or event.at < newest[event.type_id]:
            for rule in started[event.type_id]:
                reason = why_not(rule, event.at, bool(event.historical))
                if reason is not None and may_start(rule, names[event.type_id], event.at, event.properties):
                    yield Unstarted(event, rule, reason)


def why_not(rule: LiveRule, at: int, historical: bool) -> Reason | None:
    """Return why an event of that time starts no journey of a rule; None where it may."""
    if historical:
        return "too_old"
    return "before_live" if rule.life.live_at is not None and at < rule.life.live_at else None


def may_start(rule: LiveRule, name: str, at: int, properties: str) -> bool:
    """Return whether an event is a trigger of a rule, as far as its own name and fields show."""
    patterns = [one for one in rule.program.triggers if one.name is None or one.name == name]
    if any(not one.where for one in patterns):
        return True
    event = Event(at, name, "", properties)
    return not all(rules_out(one, event) for one in patterns)
