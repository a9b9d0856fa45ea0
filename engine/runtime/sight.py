"""What can be seen of an engine: counts of its rules, a person with their journeys, what left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.clock import iso, iso_or_none
from engine.delivery.channels import Outgoing
from engine.delivery.sender import outgoing
from engine.journeys.misread import misread_in
from engine.language import nodes
from engine.language.program import Do
from engine.runtime import switches
from engine.runtime.completed import completed_actions, completed_journeys
from engine.runtime.consenting import is_heard
from engine.runtime.live import Live
from engine.runtime.loading import attributes_of
from engine.runtime.naming import rule_ids
from engine.runtime.switches import Switch
from engine.runtime.unstarted import Reason, may_start, why_not
from engine.store import Connection, counters, events, faults, journeys, outbox, people, tallying
from engine.store.faults import FaultRow
from engine.store.rows import EventRow, OutboxRow, Tally
from engine.strict_json import shown

PAGE = 1_000
"""Rows read at once."""


class Misreading(NamedTuple):
    """How often decisions of a rule met a value of another kind than it asks for: ``text_and_number``,
    ``unreadable_date`` or ``unknown_zone``."""

    field: str
    kind: str
    times: int

    @property
    def sentence(self) -> str:
        """What was met, in words."""
        met = f"{self.times:,} decision{'' if self.times == 1 else 's'}"
        return f"'{shown(self.field)}' {_MISREAD[self.kind]} in {met}, and what is asked of it was false"


_MISREAD = {
    "text_and_number": "held text where the rule has a number, or the other way round,",
    "unreadable_date": "held what is no date",
    "unknown_zone": "held no zone of the IANA list",
}


@dataclass(frozen=True)
class FaultCounts:
    """An error for which people are set aside under a rule: its kind and place, where it was raised, and how many.

    ``stage`` is ``decide``, ``seal``, ``claim`` or ``record``. Moments are microseconds UTC; ``next_at`` is when the
    first of them is tried again, None while the rule is paused. ``examples`` are a few of them, by their ids.
    """

    error: str
    stage: str
    people: int
    since: int
    next_at: int | None
    examples: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        moments = {"since": iso(self.since), "next_at": iso_or_none(self.next_at)}
        return {**self.__dict__, **moments, "examples": list(self.examples)}


@dataclass(frozen=True)
class RuleCounts:
    """``started`` = ``acted`` (a match counts) + ``ended`` without acting + ``waiting`` without having acted.

    A journey that has come to its end acts when its action leaves; until then it waits. ``people`` are those acted on,
    ``exited`` the journeys that left by an exit. ``outbox`` is how many actions are in which state, ``suppressed_by``
    why some were kept from leaving, ``notes`` what is only counted, ``misread`` the values of another kind than it
    asks for.

    Journeys of the holdout count as having acted, at the same moments: so what is compared are the journeys that acted,
    ``held_out_acted`` of them in the holdout. ``converted`` and ``held_out_converted`` of these reached the goal.
    """

    rule: str
    title: str | None
    paused: bool = False
    paused_since: int | None = None
    paused_why: str | None = None
    started: int = 0
    acted: int = 0
    ended: int = 0
    waiting: int = 0
    exited: int = 0
    people: int = 0
    goal: bool = False
    converted: int = 0
    held_out: int = 0
    held_out_acted: int = 0
    held_out_converted: int = 0
    outbox: dict[str, int] = field(default_factory=dict)
    suppressed_by: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    misread: list[Misreading] = field(default_factory=list)
    faults: tuple[FaultCounts, ...] = ()
    """Why people are set aside, the most first."""
    set_aside: int = 0
    """How many people are."""

    @property
    def delivered(self) -> int:
        """Actions that were sent."""
        return self.outbox.get("sent", 0)

    @property
    def failed(self) -> int:
        """Actions that left and did not arrive, as far as anybody knows: to be tried again, dead or parked."""
        return sum(self.outbox.get(state, 0) for state in ("failed", "dead", "parked"))

    @property
    def suppressed(self) -> int:
        """Actions that were kept from leaving."""
        return self.outbox.get("suppressed", 0)

    @property
    def conversion_rate(self) -> float | None:
        """The share of the journeys that acted and reached the goal, the holdout apart; None: there is none."""
        return self._rate(self.converted, self.acted - self.held_out_acted)

    @property
    def held_out_rate(self) -> float | None:
        """The same of the holdout."""
        return self._rate(self.held_out_converted, self.held_out_acted)

    @property
    def uplift(self) -> float | None:
        """By how many percentage points more reach the goal than in the holdout; None without either rate."""
        own, other = self.conversion_rate, self.held_out_rate
        return None if own is None or other is None else round(100 * (own - other), 4)

    def _rate(self, converted: int, of: int) -> float | None:
        return round(converted / of, 6) if self.goal and of else None

    def plain(self) -> dict[str, Any]:
        derived = ("delivered", "failed", "suppressed", "conversion_rate", "held_out_rate", "uplift")
        moments = {"paused_since": iso_or_none(self.paused_since)}
        plain = {"misread": [one._asdict() for one in self.misread], "faults": [one.plain() for one in self.faults]}
        return {**self.__dict__, **moments, **plain, **{name: getattr(self, name) for name in derived}}


@dataclass(frozen=True)
class JourneyView:
    """One journey of a person. Times are microseconds UTC; ``actions`` name what left or is about to, and when.

    Its rule may be ``removed`` since: live no more.
    """

    rule: str
    removed: bool
    start: int
    ended_at: int | None
    reason: str | None
    due_at: int | None
    held_out: bool
    goal_at: int | None
    actions: list[tuple[str, int, str]]

    def plain(self) -> dict[str, Any]:
        times = {name: iso_or_none(getattr(self, name)) for name in ("start", "ended_at", "due_at", "goal_at")}
        actions = [{"action": name, "at": iso(at), "status": status} for name, at, status in self.actions]
        return {
            "rule": self.rule,
            "removed": self.removed,
            **times,
            "reason": self.reason,
            "held_out": self.held_out,
            "actions": actions,
        }


class UnstartedView(NamedTuple):
    """Why the latest trigger of a ``rule`` that a person has started no journey: it lies before the rule went live
    (``before_live``), or counts as history (``too_old``)."""

    rule: str
    event: str
    at: int
    reason: Reason

    @property
    def sentence(self) -> str:
        """The reason in words."""
        why = f"lies before '{self.rule}' went live" if self.reason == "before_live" else "counts as history"
        return f"{shown(self.event)} of {iso(self.at)} {why}: it starts no journey of '{self.rule}'"

    def plain(self) -> dict[str, Any]:
        return {**self._asdict(), "at": iso(self.at)}


@dataclass(frozen=True)
class PersonView:
    """A person: ids, attributes as they stand, the timeline (oldest first), the journeys, and why rules whose trigger
    came have none."""

    identifiers: list[tuple[str, str]]
    attributes: dict[str, Any]
    timeline: list[tuple[int, str, dict[str, Any]]]
    journeys: list[JourneyView]
    unstarted: list[UnstartedView] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return {
            "identifiers": [{"kind": kind, "value": value} for kind, value in self.identifiers],
            "attributes": self.attributes,
            "timeline": [{"at": iso(at), "event": name, "properties": more} for at, name, more in self.timeline],
            "journeys": [one.plain() for one in self.journeys],
            "unstarted": [one.plain() for one in self.unstarted],
        }


def rule_counts(connection: Connection, workspace: int, live: Live) -> list[RuleCounts]:
    """The counts of every live rule, in a constant number of statements."""
    paused = {one.name: one for one in pauses(connection, workspace, live) if one.kind == "rule"}
    tally = journeys.tally(connection, workspace)
    undecided = tallying.undecided(connection, workspace)
    suppressed = tallying.suppressed(connection, workspace)
    states: dict[int, dict[str, int]] = {}
    for (number, status), times in outbox.counts(connection, workspace).items():
        states.setdefault(number, {})[status] = times
    notes, misread = _notes(connection, workspace)
    aside = faults_by_rule(connection, workspace)
    found = []
    for row, rule in sorted(live.rules.items()):
        figures, open_ends = tally.get(row, Tally()), undecided.get(row, 0)
        found.append(
            RuleCounts(
                rule=rule.id,
                title=rule.program.rule.title,
                paused=rule.paused_at is not None,
                paused_since=rule.paused_at,
                paused_why=None if rule.id not in paused else paused[rule.id].reason,
                started=figures.started,
                acted=figures.acted,
                ended=figures.ended - open_ends,
                waiting=figures.waiting + open_ends,
                exited=figures.exited,
                people=figures.people,
                goal=rule.program.rule.goal is not None,
                converted=figures.goals - figures.held_out_goals,
                held_out=figures.held_out,
                held_out_acted=figures.held_out_acted,
                held_out_converted=figures.held_out_goals,
                outbox=states.get(row, {}),
                suppressed_by=suppressed.get(row, {}),
                notes=notes.get(row, {}),
                misread=sorted(misread.get(row, [])),
                faults=aside.get(row, (0, ()))[1],
                set_aside=aside.get(row, (0, ()))[0],
            )
        )
    return found


def _notes(connection: Connection, workspace: int) -> tuple[dict[int, dict[str, int]], dict[int, list[Misreading]]]:
    """Return what is only counted, and what was misread, by the number of the rule."""
    notes: dict[int, dict[str, int]] = {}
    misread: dict[int, list[Misreading]] = {}
    for (number, name), times in counters.counters(connection, workspace).items():
        met = misread_in(name)
        if met is None:
            notes.setdefault(number, {})[name] = times
        else:
            misread.setdefault(number, []).append(Misreading(met.field, met.kind, times))
    return notes, misread


def misread(connection: Connection, workspace: int, live: Live) -> dict[str, list[Misreading]]:
    """Return what the live rules met of another kind than they ask for, by rule."""
    _, found = _notes(connection, workspace)
    return {live.rules[row].id: sorted(met) for row, met in sorted(found.items()) if row in live.rules}


EXAMPLES = 3
"""People named for each error."""


def faults_by_rule(connection: Connection, workspace: int) -> dict[int, tuple[int, tuple[FaultCounts, ...]]]:
    """By the rule's row, how many people are set aside, and for which errors; the most people first."""
    rows = faults.every(connection, workspace)
    groups: dict[tuple[int, str, str], list[FaultRow]] = {}
    for row in rows:
        groups.setdefault((row.rule, row.stage, row.error), []).append(row)
    few = {key: list(dict.fromkeys(row.person_id for row in some))[:EXAMPLES] for key, some in groups.items()}
    names = people.names(connection, {one for some in few.values() for one in some}) if rows else {}
    found: dict[int, list[FaultCounts]] = {}
    for (rule, stage, error), some in groups.items():
        moments = [row.next_at for row in some if row.next_at is not None]
        found.setdefault(rule, []).append(
            FaultCounts(
                error, stage, len({row.person_id for row in some}), min(row.failed_at for row in some),
                min(moments, default=None), tuple(names[one] for one in few[rule, stage, error]),
            )
        )  # fmt: skip
    whole = {rule: len({row.person_id for row in rows if row.rule == rule}) for rule in found}
    ordered = {rule: tuple(sorted(some, key=lambda one: (-one.people, one.error))) for rule, some in found.items()}
    return {rule: (whole[rule], some) for rule, some in ordered.items()}


def pauses(connection: Connection, workspace: int, live: Live) -> list[Switch]:
    """All that stands still, the longest first: sending, channels, and every rule, whoever or whatever paused it."""
    found = switches.every(connection, workspace)
    why = {(one.name, one.since): one.reason for one in found if one.kind == "rule"}
    of_rules = [
        Switch("rule", rule.id, rule.paused_at, why.get((rule.id, rule.paused_at), switches.BY_HAND))
        for rule in live.rules.values()
        if rule.paused_at is not None
    ]
    others = [one for one in found if one.kind != "rule"]
    return sorted([*others, *of_rules], key=lambda one: (one.since, one.kind, one.name))


def person_view(connection: Connection, workspace: int, live: Live, id: str) -> PersonView | None:
    """What is known of the person with this id; nothing for an id nobody has."""
    row = people.find(connection, workspace, id)
    if row is None:
        return None
    changes = sorted(events.changes(connection, [row]), key=lambda one: (one.at, one.known, one.properties))
    timeline = [(change.at, "", json.loads(change.properties)) for change in changes if not is_heard(change)]
    happened = events.timelines(connection, [(row, 0)], None)
    timeline += [(event.at, event.name, json.loads(event.properties)) for event in happened]
    timeline.sort(key=lambda one: (one[0], one[1]))
    actions: dict[int, list[OutboxRow]] = {}
    for one in completed_actions(connection, workspace, outbox.of_person(connection, row)):
        actions.setdefault(one.journey_id, []).append(one)
    theirs = completed_journeys(connection, workspace, journeys.of_person(connection, row))
    names = rule_ids(connection, workspace, live, {one.rule for one in theirs})
    views = [
        JourneyView(
            names[one.rule], one.rule not in live.rules, one.start, one.ended_at, one.reason, one.due_at,
            bool(one.held_out), one.goal_at,
            [(action.name, action.moment, action.status) for action in actions.get(one.id, ())],
        )
        for one in theirs
    ]  # fmt: skip
    idle = list(_unstarted(live, happened, {one.rule for one in theirs}))
    return PersonView(people.identifiers(connection, row), attributes_of(changes), timeline, views, idle)


def _unstarted(live: Live, happened: Sequence[EventRow], with_journeys: set[int]) -> Iterator[UnstartedView]:
    """Of each rule that has no journey of the person's: why the latest trigger they have started none."""
    for row, rule in sorted(live.rules.items()):
        if row in with_journeys or not rule.program.triggers:
            continue
        for event in sorted(happened, key=lambda one: one.at, reverse=True):
            if rule in live.started_by(event.name) and may_start(rule, event.name, event.at, event.properties):
                reason = why_not(rule, event.at, bool(event.historical))
                if reason is not None:
                    yield UnstartedView(rule.id, event.name, event.at, reason)
                break


@dataclass(frozen=True)
class Caused:
    """What a rule's ``set`` or ``track`` put on a timeline: attributes, without a ``name``, or an event's fields."""

    at: int
    name: str
    values: dict[str, Any]


def caused(connection: Connection, workspace: int, live: Live, id: str) -> list[Caused]:
    """Return what live rules set and tracked for the person with this id, by moment."""
    row = people.find(connection, workspace, id)
    if row is None:
        return []
    effects = [step.effect for program in live.programs for step in program.code if isinstance(step, Do)]
    names = {effect.name for effect in effects if isinstance(effect, nodes.TrackEvent)}
    changes = [
        Caused(change.at, "", json.loads(change.properties))
        for change in events.changes(connection, [row])
        if change.cause is not None and not is_heard(change)
    ]
    tracked = [
        Caused(event.at, event.name, json.loads(event.properties))
        for event in events.timelines(connection, [(row, 0)], None)
        if event.cause is not None and event.name in names
    ]
    return sorted([*changes, *tracked], key=lambda one: one.at)


def sent(connection: Connection, workspace: int, live: Live) -> Iterator[Outgoing]:
    """Every action that left, by moment, a match included."""
    rows: list[OutboxRow] = []
    after = 0
    while page := outbox.listing(connection, workspace, after, PAGE):
        after = page[-1].id
        rows += [row for row in completed_actions(connection, workspace, page) if row.status in _LEFT]
    called: dict[int, str] = {}
    for start in range(0, len(rows), PAGE):
        called |= people.names(connection, {row.person_id for row in rows[start : start + PAGE]})
    names = rule_ids(connection, workspace, live, {row.rule for row in rows})
    for row in sorted(rows, key=lambda row: (row.moment, called[row.person_id], row.id)):
        yield outgoing(row, names[row.rule], called[row.person_id])


_LEFT = frozenset({"sending", "sent", "failed", "dead", "parked"})
