"""What a decision needs to see, read for a whole batch in a constant number of statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
from pydantic_core import from_json

from engine.journeys import journey as states
from engine.journeys.calendar import LAST
from engine.journeys.conditions import EVENTS, Entry
from engine.journeys.journey import Journey, Recorded, Taken
from engine.journeys.rulebook import Acted, Person
from engine.journeys.standing import Watch
from engine.journeys.timeline import Change, Event, Timeline
from engine.runtime.consenting import said_of
from engine.runtime.faults import keep
from engine.runtime.live import Live
from engine.store import Connection, events, journeys, outbox, people
from engine.store import watches as watching
from engine.store.rows import ChangeRow, EventRow, JourneyRow, OutboxRow, WatchRow

Pair = tuple[int, int]
"""A person's row and a rule's row."""


@dataclass
class Touch:
    """Why a pair is decided: ``since`` is the earliest instant at which something new is known."""

    since: int
    merged: bool = False

    def join(self, since: int, merged: bool = False) -> None:
        self.since = min(self.since, since)
        self.merged = self.merged or merged


@dataclass
class Loaded:
    """The state of a batch's pairs, and the people in it."""

    people: Mapping[int, Person]
    journeys: Mapping[Pair, list[Journey]]
    watches: Mapping[Pair, WatchRow]
    acted: Mapping[Pair, tuple[Acted, ...]] = field(default_factory=dict)
    record: Mapping[Pair, Mapping[str, Recorded]] = field(default_factory=dict)
    """What is on record of the effects of pairs whose state could not be read."""
    failed: dict[Pair, Exception] = field(default_factory=dict)
    """Pairs whose state or timeline could not be read, and why."""

    def person(self, pair: Pair) -> Person:
        found = self.people[pair[0]]
        acted = self.acted.get(pair, ())
        if not self.record:
            return Person(found.name, found.timeline, acted)
        return Person(found.name, found.timeline, acted, self.record.get(pair, {}))


def load(connection: Connection, workspace: int, live: Live, touches: Mapping[Pair, Touch]) -> Loaded:
    """Everything that the decisions of ``touches`` read. What cannot be read of one pair fails that pair alone."""
    failed: dict[Pair, Exception] = {}
    goals = {row: live.goal(row) for row in {row for _, row in touches}}
    wanted = [(person, row, touch.since - goals[row]) for (person, row), touch in touches.items()]
    loaded = journeys.load(connection, wanted)
    by_pair: dict[Pair, list[Journey]] = defaultdict(list)
    for row in loaded:
        pair = (row.person_id, row.rule)
        try:
            by_pair[pair].append(revived(row))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this pair's
            keep(failed, pair, error)
    watches = {(row.person_id, row.rule): row for row in watching.load_watches(connection, workspace, touches)}
    acted = read_acted(connection, live, touches, failed)
    starts = _starts(live, touches, by_pair, watches, failed)
    broken: dict[int, Exception] = {}
    whole = _shown_by_history(connection, live, touches, watches)
    found = read_people(connection, workspace, live, {row for _, row in touches}, starts, broken, whole)
    spoiled = {pair for pair, ones in by_pair.items() if any(one.spoiled for one in ones)}
    record = read_record(connection, spoiled) if spoiled else {}
    failed |= {pair: broken[pair[0]] for pair in touches if pair[0] in broken} if broken else {}
    return Loaded(found, by_pair, watches, {pair: tuple(ones) for pair, ones in acted.items()}, record, failed)


def read_record(connection: Connection, pairs: set[Pair]) -> dict[Pair, dict[str, Recorded]]:
    """Return what became of the actions of pairs whose journeys cannot be read. One statement."""
    found: dict[Pair, dict[str, Recorded]] = defaultdict(dict)
    for row in outbox.of_people(connection, {person for person, _ in pairs}):
        pair, taken = (row.person_id, row.rule), taken_of(row)
        if pair in pairs and taken is not None:
            held = row.due_at if taken == "pending" else None
            found[pair][row.key] = Recorded(taken, row.left_at, held, row.journey_id)
    return found


def taken_of(row: OutboxRow) -> Taken | None:
    """Return what a journey makes of an action's state; nothing where it was withdrawn, as if it had not been."""
    if row.left_at is not None:
        return "held_out" if row.reason == "holdout" else "left"
    if row.status == "suppressed":
        return _SUPPRESSED.get(row.reason or "", "suppressed")
    return None if row.status == "cancelled" else "skipped_late" if row.status == "skipped_late" else "pending"


_SUPPRESSED: Final[Mapping[str, Taken]] = {
    "holdout": "held_out",
    "history": "skipped_history",
    "no_recipient": "no_recipient",
    "date_passed": "date_passed",
}
"""What became of an effect whose action was suppressed, by the reason, where that is one of the rule's own."""


def read_acted(
    connection: Connection, live: Live, pairs: Iterable[Pair], failed: dict[Pair, Exception]
) -> dict[Pair, list[Acted]]:
    """What limits count of the pairs, where their rules have any. Pairs of which it cannot be read have ``failed``."""
    limited = {pair for pair in pairs if live.rules[pair[1]].program.rule.limits}
    acted: dict[Pair, list[Acted]] = defaultdict(list)
    for one in journeys.acted(connection, limited) if limited else ():
        pair = (one.person_id, one.rule)
        try:
            acted[pair].append(Acted(one.acted_at, one.trigger_key, one.start, tuple(json.loads(one.limit_values))))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this pair's
            keep(failed, pair, error)
    return acted


def read_people(
    connection: Connection,
    workspace: int,
    live: Live,
    rules: Iterable[int],
    starts: Mapping[int, int],
    failed: dict[int, Exception],
    whole: Set[int] = frozenset(),
) -> dict[int, Person]:
    """The people of ``starts`` with as much of their timelines as ``rules`` look at, from the given times on; those of
    ``whole`` with all of it.

    Those whose timeline cannot be read have ``failed``, and are left out.
    """
    ids = list(starts)
    names = people.names(connection, ids)
    seen = people.first_seen(connection, ids)
    by_person: dict[int, list[Event]] = defaultdict(list)
    looked = live.names(rules)
    types = None if looked is None else events.known_types(connection, workspace, looked).values()
    rows = events.timelines(connection, [want for want in starts.items() if want[0] not in whole], types)
    rows += events.timelines(connection, [(person, 0) for person in whole if person in starts]) if whole else ()
    for row in rows:
        try:
            by_person[row.person_id].append(event_of(row))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this person's
            keep(failed, row.person_id, error)
    changes: dict[int, list[Change]] = defaultdict(list)
    for change in events.changes(connection, ids) if live.reading or live.sending else ():
        try:
            changes[change.person_id].append(change_of(change))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this person's
            keep(failed, change.person_id, error)
    found: dict[int, Person] = {}
    for one in ids:
        try:
            found[one] = Person(names[one], Timeline(by_person[one], changes[one], seen.get(one)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this person's
            keep(failed, one, error)
    return found


def _shown_by_history(
    connection: Connection, live: Live, touches: Mapping[Pair, Touch], watches: Mapping[Pair, WatchRow]
) -> set[int]:
    """Return the people whose whole timeline a rule without a trigger needs, whatever it looks at.

    History starts nothing, and where it alone shows that somebody was there, what else does has to be known.
    """
    since: dict[int, int] = {}
    for pair, touch in touches.items():
        if live.rules[pair[1]].program.follows:
            watch = watches.get(pair)
            first = min(touch.since, 0 if watch is None else watch.followed + 1)
            since[pair[0]] = min(first, since.get(pair[0], first))
    return events.shown_by_history(connection, since.items()) if since else set()


def _starts(
    live: Live,
    touches: Mapping[Pair, Touch],
    by_pair: Mapping[Pair, list[Journey]],
    watches: Mapping[Pair, WatchRow],
    failed: Mapping[Pair, Exception],
) -> dict[int, int]:
    """From when on each person's timeline is needed: before the earliest thing decided, as far as rules look back."""
    starts: dict[int, int] = {}
    lookbacks = {row: live.lookback(row) for row in {row for _, row in touches}}
    for pair, touch in touches.items():
        if pair in failed:
            continue
        moments = [touch.since, *(one.first_at for one in by_pair.get(pair, ()))]
        watch = watches.get(pair)
        if live.rules[pair[1]].program.stands:
            moments.append(0 if watch is None else max(watch.followed, 0))
        elif watch is not None and watch.followed >= 0:
            moments.append(watch.followed + 1)
        lookback = lookbacks[pair[1]]
        start = 0 if lookback is None else min(moments) - lookback
        starts[pair[0]] = min(start, starts.get(pair[0], start))
    return starts


def revived(row: JourneyRow) -> Journey:
    """The journey of a row; ``spoiled`` where its state cannot be read."""
    journey = Journey(
        version=row.version,
        value=row.value,
        trigger=row.trigger_key,
        first_at=row.first_at,
        start=row.start,
        entry=Entry((row.start, EVENTS)),
        row=row.id,
        ended_at=row.ended_at,
        held_out=bool(row.held_out),
        goal_at=row.goal_at,
        due=row.due_at,
    )
    journey.reason = row.reason  # type: ignore[assignment]
    try:
        journey.limit_values = tuple(json.loads(row.limit_values))
        return states.restore(journey, row.state)
    except (TypeError, ValueError):
        return _spoiled(row, journey)


def _spoiled(row: JourneyRow, journey: Journey) -> Journey:
    """What the columns alone say."""
    return replace(journey, spoiled=True, place=0, entry=Entry((row.start, EVENTS)), limit_values=(), effects=[])


def watch_of(row: WatchRow) -> Watch:
    """The watch of a row."""
    return Watch.restore(row.state, None if row.followed < 0 else row.followed, row.due_at, row.id)


def event_of(row: EventRow) -> Event:
    """The timeline's event of a row."""
    return Event(
        row.at,
        row.name,
        row.public_id.hex(),
        row.properties,
        message_id=row.message_id,
        arrived=row.received_at,
        historical=bool(row.historical),
        causes=causes_of(row.cause),
        made=row.source != "action" and row.cause is None,
    )


def change_of(row: ChangeRow) -> Change:
    said = said_of(row)
    return Change(
        row.at,
        from_json(row.properties) if said is None else {},
        known=bool(row.known),
        arrived=row.received_at,
        historical=bool(row.historical),
        causes=causes_of(row.cause),
        place=row.place,
        said=said,
        page=bool(row.page),
    )


def attributes_of(rows: Iterable[ChangeRow]) -> dict[str, Any]:
    """A person's attributes as they stand after all their changes."""
    standing = Timeline((), map(change_of, rows)).attributes(LAST)
    return {name: value for name, value in standing.items() if value is not None}


def causes_of(text: str | None) -> frozenset[str]:
    """The rules that led to an entry."""
    return frozenset(json.loads(text)) if text else frozenset()


def causes_text(rules: Iterable[str]) -> str:
    return orjson.dumps(sorted(rules)).decode()
