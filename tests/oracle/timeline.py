"""What the oracle is given: one person's events and attribute changes."""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happened. Two events are the same only if they are one object."""

    at: int
    name: str
    properties: Values = field(default_factory=dict)
    message_id: str | None = None
    historical: bool = False
    by_person: bool = True  # an action's or a channel's events are not
    caused_by: tuple[str, ...] = ()  # the rules that led to it (ruling 29)

    @cached_property
    def order(self) -> tuple[int, str, str, str]:
        content = json.dumps(dict(self.properties), sort_keys=True)
        return self.at, self.name, self.message_id or "", content


@dataclass(frozen=True, eq=False)
class Change:
    """Attributes a person has from ``at`` on; ``None`` removes one."""

    at: int
    values: Values
    historical: bool = False
    caused_by: tuple[str, ...] = ()


Entry = Event | Change


def event_order(event: Event) -> tuple[int, str, str, str]:
    """Ruling 7: name, then message id, then canonical content."""
    return event.order


def change_order(change: Change) -> tuple[int, str]:
    """Changes of one instant in an order that does not depend on arrival (section 6)."""
    return change.at, json.dumps(dict(change.values), sort_keys=True)


class Timeline:
    """What is known of one person so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.changes: list[Change] = []

    def add(self, entry: Entry) -> None:
        if isinstance(entry, Event):
            insort(self.events, entry, key=event_order)
        else:
            insort(self.changes, entry, key=change_order)

    def without(self, left: frozenset[Entry]) -> Timeline:
        """The timeline as it would be without some of its entries."""
        other = Timeline()
        other.events = [event for event in self.events if event not in left]
        other.changes = [change for change in self.changes if change not in left]
        return other

    def attributes(self, at: int) -> dict[str, Any]:
        """The person's attributes at ``at``: changes of an instant apply before its events (section 4.1)."""
        values: dict[str, Any] = {}
        for change in self.changes:
            if change.at <= at:
                values.update(change.values)
        return {name: value for name, value in values.items() if value is not None}

    def first_seen(self) -> int | None:
        """Section 4.5, ruling 11: the time of the earliest event or attribute, history included."""
        moments = [event.at for event in self.events] + [change.at for change in self.changes]
        return min(moments, default=None)
