"""What a decision is given besides the timeline: the rule's versions and life, the settings, the counts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from engine.journeys import calendar, values
from engine.journeys.calendar import Zone
from engine.journeys.journey import Recorded
from engine.journeys.misread import Misread
from engine.journeys.timeline import Event, Timeline
from engine.language import nodes
from engine.language.layout import path_text
from engine.language.program import TRANSACTIONAL, Program
from engine.zones import zone_named

DAY = 86_400_000_000


class Acted(NamedTuple):
    """A journey of a person and rule that acted: what ``Limit`` counts. ``values`` are its ``limit_values``."""

    at: int
    trigger: str
    start: int
    values: tuple[str, ...]


class Ledger(Protocol):
    """Counts that reach beyond one person."""

    def everyone(self, rule: str, after: int, until: int) -> int:
        """How many journeys of the rule, whoever's, acted in ``(after, until]``."""
        ...

    def record(self, rule: str, at: int) -> None:
        """A journey of the rule acted at ``at``."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """The workspace's settings; microseconds. ``quiet`` holds for every rule but transactional ones; ``chain`` is
    how many rules may follow from one another's events."""

    workspace: str = "default"
    zone: str = "UTC"
    grace: int = 0
    late: int = DAY
    max_event_age: int = 3 * DAY
    quiet: tuple[nodes.QuietHours, ...] = ()
    chain: int = 10


@dataclass(frozen=True)
class RuleLife:
    """A rule with its versions: ``live_at`` is when it was first loaded under its id, ``opened_at`` when its
    trigger or opening Conditions last changed (``None``: before everything); ``pauses`` are stretches during
    which triggers count as outside ``Active``.
    """

    current: Program
    versions: Mapping[str, Program] = field(default_factory=dict)
    live_at: int | None = None
    opened_at: int | None = None
    pauses: tuple[tuple[int, int | None], ...] = ()

    def version(self, digest: str) -> Program:
        """The program of a version; the current one where the version is no longer known."""
        return self.versions.get(digest, self.current)

    def knows(self, digest: str) -> bool:
        """Whether the program of a version is at hand."""
        return digest == self.current.digest or digest in self.versions

    def before_opening(self, event: Event) -> bool:
        """Whether a trigger had come and gone before the rule's trigger and opening Conditions were what they are."""
        return self.opened_at is not None and max(event.at, event.arrived) < self.opened_at

    def open_at(self, at: int, zone: Zone) -> bool:
        """Whether a trigger at ``at`` counts: after going live, inside ``Active`` and outside every pause."""
        if self.live_at is not None and at < self.live_at:
            return False
        if any(start <= at and (end is None or at < end) for start, end in self.pauses):
            return False
        return _active(self.current.rule.active, at, zone)


def _active(active: nodes.Active | None, at: int, zone: Zone) -> bool:
    if active is None:
        return True
    if active.start is not None and at < calendar.midnight(_day(active.start), zone):
        return False
    return not ended(active, at, zone)


def ended(active: nodes.Active | None, at: int, zone: Zone) -> bool:
    """Whether the last day of ``Active`` is over."""
    if active is None or active.end is None:
        return False
    return at >= calendar.midnight(calendar.day_after(_day(active.end)), zone)


def _day(date: nodes.Date) -> datetime.date:
    return datetime.date(date.year, date.month, date.day)


class Person(NamedTuple):
    """Whose journeys are decided. ``name`` is the user id, else the anonymous id: what draws and keys go by."""

    name: str
    timeline: Timeline
    acted: tuple[Acted, ...] = ()
    record: Mapping[str, Recorded] = MappingProxyType({})
    """What is on record of effects, by their keys: only where a journey's state could not be read."""


def zone_of(zone: nodes.Zone | None, rule: nodes.Rule, person: Person, settings: Settings, at: int) -> Zone:
    """The zone a line goes by: its own, else the rule's, else the workspace's, else UTC.

    A person's zone that is missing or unknown falls back likewise.
    """
    for one in (zone, rule.zone):
        found = None if one is None else _known_zone(one, person, at)
        if found is not None:
            return found
    return zone_named(settings.zone) or datetime.UTC


def quiet_lines(rule: nodes.Rule, settings: Settings) -> tuple[nodes.QuietHours, ...]:
    """The quiet hours that hold for a rule: its own and, unless its purpose is transactional, those of the settings."""
    return rule.quiet if rule.purpose == TRANSACTIONAL else (*rule.quiet, *settings.quiet)


def quiet_end(rule: nodes.Rule, person: Person, settings: Settings, at: int) -> int:
    """The first moment at or after ``at`` at which no quiet hours hold, by the person's zone at ``at``."""
    lines = quiet_lines(rule, settings)
    zones = (zone_of(line.zone, rule, person, settings, at) for line in lines)
    return calendar.quiet_end(at, tuple(zip(lines, zones, strict=True)))


def _known_zone(zone: nodes.Zone, person: Person, at: int) -> Zone | None:
    if zone.path is None:
        return zone_named(zone.name or "")
    value: object = person.timeline.attributes(at)
    for part in zone.path.parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return zone_named(value) if isinstance(value, str) else None


def misread(rules: Program, person: Person, settings: Settings, at: int) -> set[Misread]:
    """Return the zones of the person's that nobody knows, and the date of a yearly schedule where it is none."""
    lines = quiet_lines(rules.rule, settings) if settings.quiet else ()
    paths = [*rules.zone_paths, *(line.zone.path for line in lines if line.zone is not None and line.zone.path)]
    yearly = rules.rule.trigger.path if isinstance(rules.rule.trigger, nodes.Schedule) else None
    if not paths and yearly is None:
        return set()
    attributes, found = person.timeline.attributes(at), set()
    for path in paths:
        value = values.read(attributes, path.parts)
        if value is not None and (not isinstance(value, str) or zone_named(value) is None):
            found.add(Misread("unknown_zone", path_text(path)))
    born = None if yearly is None else values.read(attributes, yearly.parts)
    if yearly is not None and born is not None and not values.days(born, datetime.UTC):
        found.add(Misread("unreadable_date", path_text(yearly)))
    return found
