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
    step: int = 0  # of the `set` it comes from, in reading order from 1 on
    page: bool = False  # it came with a key that may stand in web pages


Entry = Event | Change


def event_order(event: Event) -> tuple[int, str, str, str]:
    """Ruling 7: name, then message id, then canonical content."""
    return event.order


def change_order(change: Change) -> tuple[int, int, str]:
    """Changes of one instant in an order that does not depend on arrival (section 6), steps as they are written."""
    return change.at, change.step, json.dumps(dict(change.values), sort_keys=True)


def heard(event: Event, before: Any) -> Any:
    """The attribute ``unsubscribed`` after an event of consent: true, or a list of channels and topics."""
    given = [event.properties[key] for key in ("channel", "topic") if event.properties.get(key) is not None]
    names = [one for one in given if isinstance(one, str) and one != ""]
    everything = before is True or before == "true"
    old = before if isinstance(before, list) else [before] if isinstance(before, str) else []
    if event.name == "unsubscribed":
        return True if everything or not names else sorted({*(one for one in old if isinstance(one, str)), *names})
    if not given:
        return None
    if everything or not names:
        return before
    return sorted({one for one in old if isinstance(one, str) and one not in names}) or None


def set_by_page(given: Values, served: set[str], before: Any) -> dict[str, Any]:
    """What a page's key sets: nothing that was set otherwise, and of consent a no more, whoever set it."""
    own = {name: value for name, value in given.items() if name not in served and name != "unsubscribed"}
    if "unsubscribed" in given:
        no = given["unsubscribed"]
        names = [one for one in (no if isinstance(no, list) else [no]) if isinstance(one, str)]
        old = [one for one in (before if isinstance(before, list) else [before]) if isinstance(one, str)]
        if no is True or no == "true":
            own["unsubscribed"] = True
        elif names:
            own["unsubscribed"] = True if before is True or before == "true" else sorted({*names, *old})
    return own


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
        """The person's attributes at ``at``: changes of an instant apply before its events (section 4.1), and what
        these say of consent after the changes, a no last."""
        order = {"resubscribed": 1, "unsubscribed": 2}
        told = [(change.at, 0, place, change) for place, change in enumerate(self.changes)]
        said = [
            (event.at, order[event.name], place, event)
            for place, event in enumerate(self.events)
            if event.name in order
        ]
        values: dict[str, Any] = {}
        served: set[str] = set()
        for moment, _, _, entry in sorted([*told, *said], key=lambda one: one[:3]):
            if moment > at:
                break
            if isinstance(entry, Event):
                values["unsubscribed"] = heard(entry, values.get("unsubscribed"))
            elif entry.page:
                values |= set_by_page(entry.values, served, values.get("unsubscribed"))
            else:
                values.update(entry.values)
                served.update(entry.values)
        return {name: value for name, value in values.items() if value is not None}

    def first_seen(self) -> int | None:
        """Section 4.5, ruling 11: the time of the earliest event or attribute, history included."""
        moments = [event.at for event in self.events] + [change.at for change in self.changes]
        return min(moments, default=None)
