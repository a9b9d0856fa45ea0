"""What can be seen of an engine: counts of its rules, a person with their journeys, what left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.clock import iso, iso_or_none
from engine.delivery.channels import Outgoing
from engine.delivery.sender import outgoing
from engine.runtime.consenting import is_heard
from engine.runtime.live import Live
from engine.runtime.loading import attributes_of
from engine.store import Connection, counters, events, journeys, outbox, people, tallying
from engine.store.rows import OutboxRow, Tally

PAGE = 1_000
"""Rows read at once."""


@dataclass(frozen=True)
class RuleCounts:
    """``started`` = ``acted`` (a match counts) + ``ended`` without acting + ``waiting`` without having acted.

    A journey that has come to its end acts when its action leaves; until then it waits. ``people`` are those acted on,
    ``outbox`` how many actions are in which state, ``notes`` what is only counted.
    """

    rule: str
    title: str | None
    paused: bool = False
    started: int = 0
    acted: int = 0
    ended: int = 0
    waiting: int = 0
    people: int = 0
    held_out: int = 0
    converted: int = 0
    outbox: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass(frozen=True)
class JourneyView:
    """One journey of a person. Times are microseconds UTC; ``actions`` name what left or is about to, and when."""

    rule: str
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
        return {"rule": self.rule, **times, "reason": self.reason, "held_out": self.held_out, "actions": actions}


@dataclass(frozen=True)
class PersonView:
    """A person: ids, attributes as they stand, the timeline (oldest first) and the journeys."""

    identifiers: list[tuple[str, str]]
    attributes: dict[str, Any]
    timeline: list[tuple[int, str, dict[str, Any]]]
    journeys: list[JourneyView]

    def plain(self) -> dict[str, Any]:
        return {
            "identifiers": [{"kind": kind, "value": value} for kind, value in self.identifiers],
            "attributes": self.attributes,
            "timeline": [{"at": iso(at), "event": name, "properties": more} for at, name, more in self.timeline],
            "journeys": [one.plain() for one in self.journeys],
        }


def rule_counts(connection: Connection, workspace: int, live: Live) -> list[RuleCounts]:
    """The counts of every live rule, in a constant number of statements."""
    tally = journeys.tally(connection, workspace)
    undecided = tallying.undecided(connection, workspace)
    states: dict[int, dict[str, int]] = {}
    for (number, status), times in outbox.counts(connection, workspace).items():
        states.setdefault(number, {})[status] = times
    notes: dict[int, dict[str, int]] = {}
    for (number, name), times in counters.counters(connection, workspace).items():
        notes.setdefault(number, {})[name] = times
    found = []
    for row, rule in sorted(live.rules.items()):
        figures, open_ends = tally.get(row, _NOTHING), undecided.get(row, 0)
        found.append(
            RuleCounts(
                rule=rule.id,
                title=rule.program.rule.title,
                paused=rule.paused_at is not None,
                started=figures.started,
                acted=figures.acted,
                ended=figures.ended - open_ends,
                waiting=figures.waiting + open_ends,
                people=figures.people,
                held_out=figures.held_out,
                converted=figures.goals,
                outbox=states.get(row, {}),
                notes=notes.get(row, {}),
            )
        )
    return found


_NOTHING = Tally(0, 0, 0, 0, 0, 0, 0)


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
    names = {rule_row: rule.id for rule_row, rule in live.rules.items()}
    actions: dict[int, list[OutboxRow]] = {}
    for one in outbox.of_person(connection, row):
        actions.setdefault(one.journey_id, []).append(one)
    views = [
        JourneyView(
            names.get(one.rule, "(removed)"), one.start, one.ended_at, one.reason, one.due_at, bool(one.held_out),
            one.goal_at, [(action.name, action.moment, action.status) for action in actions.get(one.id, ())],
        )
        for one in journeys.of_person(connection, row)
    ]  # fmt: skip
    return PersonView(people.identifiers(connection, row), attributes_of(changes), timeline, views)


def sent(connection: Connection, workspace: int, live: Live) -> Iterator[Outgoing]:
    """Every action that left, by moment, a match included."""
    names = {row: rule.id for row, rule in live.rules.items()}
    rows: list[OutboxRow] = []
    after = 0
    while page := outbox.listing(connection, workspace, after, PAGE):
        after = page[-1].id
        rows += [row for row in page if row.status in _LEFT]
    called: dict[int, str] = {}
    for start in range(0, len(rows), PAGE):
        called |= people.names(connection, {row.person_id for row in rows[start : start + PAGE]})
    for row in sorted(rows, key=lambda row: (row.moment, called[row.person_id], row.id)):
        yield outgoing(row, names.get(row.rule, "(removed)"), called[row.person_id])


_LEFT = frozenset({"sending", "sent", "failed", "dead", "parked"})
