"""Where a person stands under a rule that starts by itself: when it becomes true, when its schedule comes round."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest
from math import inf
from typing import Any, NamedTuple

from engine.journeys import calendar, conditions, following, rulebook, values
from engine.journeys.calendar import Zone
from engine.journeys.conditions import Scene
from engine.journeys.journey import FORMAT, Journey
from engine.journeys.misread import Misread
from engine.journeys.rulebook import Person, RuleLife, Settings
from engine.journeys.timeline import Change, Event
from engine.language import nodes
from engine.language.program import Condition, Program, attributes_in, parts, patterns


@dataclass(slots=True)
class Watch:
    """When to look at a person next, and how far they have been followed. Microseconds.

    ``followed`` is the last instant worked through; ``moments`` the latest occurrences of a schedule that were
    triggers, with the person's local date at the time, or the start of a journey that stands for a stretch still to
    come, because late events have moved its beginning; ``due`` the next moment worth looking. For a rule with an
    event trigger a watch exists only while there are triggers to work through: some lie ahead of the clock, or
    can lead to nothing yet.
    """

    followed: int | None = None
    moments: list[tuple[int, str]] = field(default_factory=list)
    due: int | None = None
    row: int | None = None
    spoiled: bool = False
    """Its moments could not be read."""

    def dump(self) -> str:
        """What of a watch has no column of its own, as JSON; empty for most."""
        return json.dumps({"v": FORMAT, "moments": self.moments}, separators=(",", ":")) if self.moments else ""

    @classmethod
    def restore(cls, text: str, followed: int | None, due: int | None, row: int | None = None) -> Watch:
        """Return the watch that :meth:`dump` wrote, ``spoiled`` where the text is none of its."""
        try:
            return cls(followed, _moments(json.loads(text)) if text else [], due, row)
        except (TypeError, ValueError):
            return cls(followed, [], due, row, spoiled=True)


def _moments(state: Any) -> list[tuple[int, str]]:
    """The moments of a watch; the first format was a list of them alone. Raises ValueError for anything else."""
    if isinstance(state, dict):
        if state.get("v") != FORMAT:
            raise ValueError("another format")
        state = state.get("moments")
    moments = [(at, day) for at, day in state]
    if not all(type(at) is int and type(day) is str for at, day in moments):
        raise ValueError("another kind of value")
    return moments


def rebuilt(life: RuleLife, person: Person, settings: Settings, watch: Watch, until: int) -> Watch:
    """A watch whose moments could not be read: those a schedule had since events may still come late."""
    schedule, seen = life.current.rule.trigger, person.timeline.first_seen
    moments: dict[str, int] = {}
    if isinstance(schedule, nodes.Schedule) and seen is not None and watch.followed is not None:
        floor = max(until - settings.max_event_age, seen, life.opened_at or 0) - 1
        for at, day in _occurrences(schedule, life.current.rule, person, settings, floor, watch.followed):
            if at <= watch.followed:
                moments.setdefault(day, at)
    return replace(watch, moments=[(at, day) for day, at in moments.items()], spoiled=False)


# --------------------------------------------------------------------------------- becoming true


def becoming_true(
    life: RuleLife,
    person: Person,
    settings: Settings,
    watch: Watch,
    since: int,
    until: int,
    kept: list[Journey],
    notes: MutableMapping[str, int],
    misread: set[Misread] | None = None,
) -> tuple[list[int], int | None]:
    """The moments in ``[since, until]`` at which the opening Conditions become true and start a journey, and the
    next moment at which they may turn. ``kept`` are the journeys that stand (ruling 10); a start that too long a
    chain of rules led to is only among the ``notes``."""
    since = min(since, 0 if watch.followed is None else watch.followed + 1)
    scene = scene_of(life, person, settings, until, misread)
    live = life.opened_at
    base = since - 1 if live is None else max(since - 1, live)
    turns = _course(life, settings, scene, base)
    before = turns[0][1]
    starts: list[int] = []
    if live is not None and base == live and before and _includes(life, watch):
        starts.append(live)
    passed = [turn for turn in turns if turn[0] <= until]
    told = _Told(
        life.current.opening, scene, [journey.start for journey in kept], [at for at, day in watch.moments if not day]
    )
    for one in _stretches(passed):
        if told.covers(one):
            continue
        if _starts(life, settings, scene, one.start, settings.chain):
            starts.append(one.start)
        elif _starts(life, settings, scene, one.start, inf):
            notes["chain_cut"] += 1
    watch.moments = [(at, "") for at in told.still(passed, until)]
    return starts, next((at for at, _ in turns[1:] if at > until), None)


class _Stretch(NamedTuple):
    """A stretch in which the opening Conditions are true, and since when they had not been: it began ``after`` that."""

    after: int
    start: int
    end: int | None


def _stretches(turns: list[tuple[int, bool]]) -> Iterator[_Stretch]:
    """Give the stretches that begin with one of the turns, the first of which is none; the last may have no end yet."""
    ends = [*(at for at, _ in turns[2:]), None]
    for (after, _), (start, true), end in zip(turns, turns[1:], ends, strict=False):
        if true:
            yield _Stretch(after, start, end)


@dataclass
class _Told:
    """The starts of journeys that stand, each for a stretch: one action a spell.

    A journey stands for the stretch it lies in. Where late events have moved the beginning behind it, it stands for the
    next one (``moved``, as far as that is still to come), unless something that the Conditions look at has happened
    since: that begins another.
    """

    opening: Condition
    scene: Scene
    starts: list[int]
    moved: list[int]

    def covers(self, stretch: _Stretch) -> bool:
        """Return whether a journey stands for a stretch; stretches are asked in order."""
        moved, self.moved = self.moved, []
        inside = any(stretch.start <= at and (stretch.end is None or at < stretch.end) for at in self.starts)
        before = [*moved, *(at for at in self.starts if stretch.after <= at < stretch.start)]
        return inside or not all(self._ended(at, stretch.start) for at in before)

    def still(self, turns: list[tuple[int, bool]], until: int) -> list[int]:
        """Return the start that stands for a stretch beginning later than ``until``, where there is one."""
        after, true = turns[-1]
        before = [] if true else [*self.moved, *(at for at in self.starts if after <= at)]
        return [at for at in before if not self._ended(at, until)][-1:]

    def _ended(self, after: int, until: int) -> bool:
        """Return whether anything the Conditions look at has its time later than ``after``, up to ``until``."""
        if attributes_in(self.opening) and self.scene.timeline.changed(after, until):
            return True
        looked = (pattern for item in parts(self.opening) for pattern in patterns(item))
        return any(self.scene.seen(pattern, after + 1, until, most=1) for pattern in looked)


def _course(life: RuleLife, settings: Settings, scene: Scene, after: int) -> list[tuple[int, bool]]:
    """Return whether the opening Conditions are true at ``after``, and every turn later, by the person's zone of then.

    Unknown, and not yet seen, count as not true.
    """
    seen = scene.timeline.first_seen
    if seen is None:
        return [(after, False)]
    marks = {after, max(after, seen), *(scene.timeline.changed(after, calendar.LAST) if _travels(life) else ())}
    courses: dict[Zone, following.Course] = {}
    found: list[tuple[int, bool]] = []
    for start, end in pairwise([*sorted(marks), calendar.LAST + 1]):
        here = _zoned(life, settings, scene, start)
        if here.zone not in courses:
            courses[here.zone] = following.course(life.current.opening, here, after)
        for at, value in following.stretch(courses[here.zone], start, end):
            true = value is True and start >= seen
            if not found or true != found[-1][1]:
                found.append((at, true))
    return found


def scene_of(life: RuleLife, person: Person, settings: Settings, at: int, misread: set[Misread] | None = None) -> Scene:
    """The scene of a condition that is asked of a person, without a journey."""
    zone = rulebook.zone_of(None, life.current.rule, person, settings, at)
    return Scene(person.timeline, life.current.id, person.name, zone, misread=misread)


def _travels(life: RuleLife) -> bool:
    """Whether the clock of the rule is the person's own."""
    zone = life.current.rule.zone
    return zone is not None and zone.path is not None


def _zoned(life: RuleLife, settings: Settings, scene: Scene, at: int) -> Scene:
    """``scene`` by the person's zone of that moment."""
    if not _travels(life):
        return scene
    return scene_of(life, Person(scene.person, scene.timeline), settings, at, scene.misread)


def _true(life: RuleLife, settings: Settings, scene: Scene, at: int) -> bool:
    """Whether the opening Conditions are true at ``at``; unknown, and not yet seen, count as not true."""
    seen = scene.timeline.first_seen
    if seen is None or at < seen:
        return False
    return _holds(life.current, _zoned(life, settings, scene, at), at)


def _holds(rules: Program, scene: Scene, at: int) -> bool:
    return conditions.ask(rules.opening, scene, (at, conditions.ENDS), {}) is True


def _includes(life: RuleLife, watch: Watch) -> bool:
    """Whether people for whom it is already true start when the rule goes live: once, and not at an edit."""
    never = watch.followed is None or (life.opened_at is not None and watch.followed < life.opened_at)
    return life.current.rule.existing == "include" and never and life.opened_at == life.live_at


def _starts(life: RuleLife, settings: Settings, scene: Scene, at: int, chain: float) -> bool:
    """Whether becoming true at ``at`` counts: not by history, nor by an action of the rule itself or one that as many
    rules led to as a ``chain`` may have.

    History that came after the moment shows what is over; a historical entry of the moment starts nothing itself. What
    is true without them has to become so then as well: history that only interrupts a spell begins no other.
    """

    def stands(entry: Event | Change) -> bool:
        if entry.historical and (entry.at == at or entry.at < at < entry.arrived):
            return False
        return not (entry.at == at and (life.current.id in entry.causes or len(entry.causes) >= chain))

    timeline = scene.timeline
    if all(map(stands, (*timeline.instant(at), *timeline.historical))):
        return True
    without = timeline.where(stands)
    if without is None:
        return True
    standing = scene._replace(timeline=without)
    return _true(life, settings, standing, at) and not _true(life, settings, standing, at - 1)


def causes(rules: Program, scene: Scene, at: int) -> frozenset[str]:
    """The rules without whose actions at ``at`` the opening Conditions would not have been true then."""
    found = scene.timeline.causes(at)
    without = scene.timeline.where(lambda entry: entry.at != at or not entry.causes) if found else None
    return frozenset() if without is None or _holds(rules, scene._replace(timeline=without), at) else found


# ------------------------------------------------------------------------------------- schedules


def coming_round(
    life: RuleLife, person: Person, settings: Settings, watch: Watch, since: int, until: int, *_: object
) -> tuple[list[int], int | None]:
    """The occurrences of a schedule in ``[since, until]`` that are triggers for the person, and the next one.

    Those of earlier calls are remembered in ``watch.moments``; of several new ones only the newest counts
    (ruling 12).
    """
    schedule = life.current.rule.trigger
    assert isinstance(schedule, nodes.Schedule)
    watch.moments = [one for one in watch.moments if one[1]]  # the rule may have had no trigger before
    seen = person.timeline.first_seen
    followed = until - 1 if watch.followed is None else watch.followed
    floor = max(followed, (seen or 0) - 1, (life.opened_at or 0) - 1)
    newest = upcoming = None
    for at, day in _occurrences(schedule, life.current.rule, person, settings, floor, until):
        if at > until:
            upcoming = at
        elif all(day != had for _, had in watch.moments):  # somebody who travels could see a day's moment twice
            newest = (at, day)
    if newest is not None and seen is not None:
        recent = [one for one in watch.moments if one[0] >= until - settings.max_event_age]
        watch.moments = [*recent, newest]
        since = min(since, newest[0])
    return [at for at, _ in watch.moments if at >= since], upcoming


def _occurrences(
    schedule: nodes.Schedule, rule: nodes.Rule, person: Person, settings: Settings, after: int, until: int
) -> Iterator[tuple[int, str]]:
    """The moments of a schedule later than ``after`` and the first one later than ``until``, each by the
    attributes of its time, with their local dates."""
    edges = [after + 1, *person.timeline.changed(after + 1, until)]
    for start, end in zip_longest(edges, edges[1:]):
        zone = rulebook.zone_of(schedule.zone, rule, person, settings, start)
        for at in calendar.occurrences(schedule, start - 1, zone, _born(schedule, person, zone, start)):
            if end is not None and at >= end:
                break
            yield at, calendar.wall(at, zone).date().isoformat()
            if at > until:
                break


def _born(schedule: nodes.Schedule, person: Person, zone: Zone, at: int) -> datetime.date | None:
    """The date a yearly schedule goes by."""
    if schedule.path is None:
        return None
    found = values.read(person.timeline.attributes(at), schedule.path.parts)
    return next(iter(values.days(found, zone)), None)
