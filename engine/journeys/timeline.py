"""A person's events in order: the only way a condition sees history.

The order of events within one instant never depends on arrival: by name, then the client's message id, then
canonical content. Attribute changes of an instant apply before its events; what its events say of consent is one
of them, and applies after the others, a no last.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import orjson

from engine.journeys import consent
from engine.journeys.consent import Said


class Event:
    """One event on a timeline. Times are microseconds UTC.

    ``content`` is the canonical JSON of its properties, read only when somebody asks for a field. ``causes``
    are the ids of the rules whose actions led to it; ``made`` is false for what an action or a channel caused.
    """

    __slots__ = ("_fields", "arrived", "at", "causes", "content", "historical", "id", "made", "message_id", "name")

    def __init__(
        self,
        at: int,
        name: str,
        id: str,
        content: str = "{}",
        *,
        message_id: str | None = None,
        arrived: int | None = None,
        historical: bool = False,
        causes: frozenset[str] = frozenset(),
        made: bool = True,
    ) -> None:
        self.at = at
        self.name = name
        self.id = id
        self.content = content
        self.message_id = message_id
        self.arrived = at if arrived is None else arrived
        self.historical = historical
        self.causes = causes
        self.made = made
        self._fields: dict[str, Any] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = orjson.loads(self.content)
        return self._fields

    @property
    def order(self) -> tuple[int, str, str, str]:
        return (self.at, self.name, self.message_id or "", self.content)

    @property
    def identity(self) -> str:
        """What names the event for ever: the client's id where there is one, else ours."""
        return self.message_id or self.id

    def __repr__(self) -> str:
        return f"Event({self.at}, {self.name!r}, {self.id!r})"


class Change:
    """A change of attributes: ``values`` replace those of the same names; ``None`` takes one away.

    ``known`` is true when it came under a user id: at one instant the known person's values win. ``place`` is that of
    a ``set`` among the steps of its rule, from 1 on: at one instant the steps count in their order, behind what came
    from outside. What an event ``said`` of consent changes that attribute by what it was before. One of a ``page``,
    whose key anybody can read, changes no attribute that something else has set before it; to consent it adds a no.
    """

    __slots__ = ("arrived", "at", "causes", "historical", "known", "page", "place", "said", "values")

    def __init__(
        self,
        at: int,
        values: Mapping[str, Any],
        *,
        known: bool = True,
        arrived: int | None = None,
        historical: bool = False,
        causes: frozenset[str] = frozenset(),
        place: int = 0,
        said: Said | None = None,
        page: bool = False,
    ) -> None:
        self.at = at
        self.values = values
        self.known = known
        self.arrived = at if arrived is None else arrived
        self.historical = historical
        self.causes = causes
        self.place = place
        self.said = said
        self.page = page

    @property
    def order(self) -> tuple[int, int, bool, int, str]:
        rank = 0 if self.said is None else 1 + self.said.refuses
        return (self.at, rank, self.known, self.place, json.dumps(self.said or self.values, sort_keys=True))

    def applied(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes after it, whoever set them before."""
        if self.said is None:
            return {**attributes, **self.values}
        return {**attributes, consent.ATTRIBUTE: self.said.applied(attributes.get(consent.ATTRIBUTE))}

    def without(self, served: Container[str], attributes: Mapping[str, Any]) -> Change:
        """Return what is left of a page's change where the names ``served`` were set by something else."""
        values = {name: value for name, value in self.values.items() if name not in served}
        if consent.ATTRIBUTE in self.values:
            before = attributes.get(consent.ATTRIBUTE)
            values[consent.ATTRIBUTE] = consent.widened(before, self.values[consent.ATTRIBUTE])
        return Change(self.at, values)


def changes_by(event: Event) -> tuple[Change, ...]:
    """The change of attributes that an event is by itself: what it says of consent. None for most."""
    said = consent.said(event.name, event.fields) if event.name in consent.EVENTS else None
    if said is None:
        return ()
    heard = Change(event.at, {}, arrived=event.arrived, historical=event.historical, causes=event.causes, said=said)
    return (heard,)


_order: Final = attrgetter("order")


class Timeline:
    """The events and attribute changes of one person, those of the future included.

    ``first_seen`` is the time of the earliest entry the person ever had, which may lie before what is held here.
    """

    __slots__ = ("_by_name", "_change_times", "_folds", "_historical", "_times", "changes", "events", "first_seen")

    def __init__(self, events: Iterable[Event], changes: Iterable[Change] = (), first_seen: int | None = None) -> None:
        self.events = sorted(events, key=_order)
        self.changes = sorted(changes, key=_order)
        if first_seen is None:
            earliest = (*(event.at for event in self.events[:1]), *(change.at for change in self.changes[:1]))
            first_seen = min(earliest, default=None)
        self.first_seen = first_seen
        self._times = [event.at for event in self.events]
        self._change_times = [change.at for change in self.changes]
        self._by_name: dict[str, tuple[list[int], list[Event]]] = {}
        for event in self.events:
            times, named = self._by_name.setdefault(event.name, ([], []))
            times.append(event.at)
            named.append(event)
        self._folds: list[dict[str, Any]] | None = None
        self._historical: Sequence[Event | Change] | None = None

    def between(self, name: str | None, start: int, end: int) -> Sequence[Event]:
        """Events with ``start <= at <= end``, of one name or (``None``) of all, in order."""
        times, events = (self._times, self.events) if name is None else self._by_name.get(name, ((), ()))
        return events[bisect_left(times, start) : bisect_right(times, end)]

    def backwards(self, name: str | None, until: int) -> Iterator[Event]:
        """Events with ``at <= until``, the latest first."""
        return self.newest(name, 0, until)

    def newest(self, name: str | None, start: int, end: int) -> Iterator[Event]:
        """Give the events of :meth:`between`, the latest first."""
        times, events = (self._times, self.events) if name is None else self._by_name.get(name, ((), ()))
        for index in range(bisect_right(times, end) - 1, bisect_left(times, start) - 1, -1):
            yield events[index]

    def attributes(self, at: int) -> Mapping[str, Any]:
        """The person's attributes as they stand at ``at``, the changes of that instant applied."""
        index = bisect_right(self._change_times, at)
        if not index:
            return {}
        if self._folds is None:
            self._folds = list(_folded(self.changes))
        return self._folds[index - 1]

    def changed(self, after: int, until: int) -> list[int]:
        """The instants in ``(after, until]`` at which attributes change."""
        low, high = bisect_right(self._change_times, after), bisect_right(self._change_times, until)
        return sorted(set(self._change_times[low:high]))

    def causes(self, at: int) -> frozenset[str]:
        """The rules that led to the entries of an instant."""
        return frozenset[str]().union(*(entry.causes for entry in self.instant(at)))

    def instant(self, at: int) -> Sequence[Event | Change]:
        """Return the entries of an instant."""
        low, high = bisect_left(self._change_times, at), bisect_right(self._change_times, at)
        return (*self.between(None, at, at), *self.changes[low:high])

    @property
    def historical(self) -> Sequence[Event | Change]:
        """The entries that came as history."""
        if self._historical is None:
            entries: Iterable[Event | Change] = (*self.events, *self.changes)
            self._historical = [entry for entry in entries if entry.historical]
        return self._historical

    def next_entry(self, after: int) -> int | None:
        """The time of the first entry later than ``after``."""
        found = []
        for times in (self._times, self._change_times):
            index = bisect_right(times, after)
            if index < len(times):
                found.append(times[index])
        return min(found, default=None)

    def with_entry(self, entry: Event | Change) -> Timeline:
        """The same timeline and one entry more, with what follows of it for the attributes."""
        if isinstance(entry, Event):
            return Timeline([*self.events, entry], [*self.changes, *changes_by(entry)], self.first_seen)
        return Timeline(self.events, [*self.changes, entry], self.first_seen)

    def where(self, stands: Callable[[Event | Change], bool]) -> Timeline | None:
        """The same timeline with only the entries that ``stands`` is true of; nothing when that is all of them.

        What lies before the timeline stands.
        """
        entries: Iterable[Event | Change] = (*self.events, *self.changes)
        if all(map(stands, entries)):
            return None
        held = min(entry.at for entry in entries)
        earlier = self.first_seen if self.first_seen is not None and self.first_seen < held else None
        return Timeline(filter(stands, self.events), filter(stands, self.changes), earlier)


def _folded(changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
    attributes: dict[str, Any] = {}
    served: set[str] | None = set() if any(change.page for change in changes) else None
    for change in changes:
        if served is None or not change.page:
            attributes = change.applied(attributes)
        else:
            attributes = change.without(served, attributes).applied(attributes)
        if served is not None and not change.page:
            served.update(change.values)
        yield attributes
