"""All that is stored of a person, for that person."""

from __future__ import annotations

import json
from typing import Any

from ulid import ULID

from engine.clock import iso, iso_or_none
from engine.runtime import erasing
from engine.runtime.completed import completed_actions, completed_journeys
from engine.runtime.consenting import is_heard
from engine.runtime.loading import attributes_of
from engine.store import Connection, events, journeys, outbox, people, quarantine, rules
from engine.store.rows import ChangeRow, EventRow, JourneyRow, OutboxRow


def export(connection: Connection, workspace: int, who: str) -> dict[str, Any] | None:
    """Everything of the person with an id of any kind, as JSON has it; nothing if nobody has the id.

    Moments are ISO 8601 in UTC. In a constant number of statements.
    """
    person = people.find(connection, workspace, who)
    if person is None:
        return None
    seen = people.first_seen(connection, [person])[person]
    links = people.links(connection, person)
    changes = sorted(events.changes(connection, [person]), key=lambda one: (one.at, one.known, one.properties))
    happened = sorted(events.timelines(connection, [(person, 0)]), key=lambda one: (one.at, one.id))
    called = {row.id: row.rule_id for row in rules.every(connection, workspace).values()}
    theirs = completed_journeys(connection, workspace, journeys.of_person(connection, person))
    actions = completed_actions(connection, workspace, outbox.of_person(connection, person))
    (public_id,) = people.public_ids(connection, [person]).values()
    return {
        "id": f"con_{ULID(public_id)}",
        "first_seen": iso_or_none(seen),
        "identifiers": [{"kind": kind, "value": value, "linked_at": iso(at)} for kind, value, at in links],
        "attributes": attributes_of(changes),
        "attribute_changes": [_change(one) for one in changes if not is_heard(one)],
        "events": [_event(one) for one in happened],
        "journeys": [_journey(one, called[one.rule]) for one in theirs],
        "actions": [_action(one, called[one.rule]) for one in actions],
        "quarantined": _quarantined(connection, workspace, {(kind, value) for kind, value, _ in links}),
    }


def _change(row: ChangeRow) -> dict[str, Any]:
    return {
        "at": iso(row.at),
        "received_at": iso(row.received_at),
        "source": row.source,
        "message_id": row.message_id,
        "attributes": json.loads(row.properties),
    }


def _event(row: EventRow) -> dict[str, Any]:
    return {
        "id": f"evt_{ULID(row.public_id)}",
        "event": row.name,
        "at": iso(row.at),
        "received_at": iso(row.received_at),
        "source": row.source,
        "historical": bool(row.historical),
        "message_id": row.message_id,
        "caused_by": json.loads(row.cause) if row.cause else [],
        "properties": json.loads(row.properties),
    }


def _journey(row: JourneyRow, rule: str) -> dict[str, Any]:
    moments = ("start", "due_at", "ended_at", "acted_at", "goal_at")
    return {
        "rule": rule,
        "value": row.value,
        **{name: iso_or_none(getattr(row, name)) for name in moments},
        "reason": row.reason,
        "held_out": bool(row.held_out),
    }


def _action(row: OutboxRow, rule: str) -> dict[str, Any]:
    return {
        "key": row.key,
        "rule": rule,
        "action": row.name,
        "template": row.template,
        "at": iso(row.moment),
        "status": row.status,
        "reason": row.reason,
        "left_at": iso_or_none(row.left_at),
        "error": row.error,
        "variables": json.loads(row.variables),
    }


def _quarantined(connection: Connection, workspace: int, keys: set[tuple[str, str]]) -> list[Any]:
    rows = erasing.quarantined(connection, workspace, keys)
    return [json.loads(row.body) for row in quarantine.by_row(connection, rows)]
