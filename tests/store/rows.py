"""Rows to store, with what matters to a test said by name."""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlalchemy import Connection

from engine.store import events, people, rules
from engine.store.rows import ChangeRow, EventRow, JourneyRow, NewEvent, OutboxRow, RuleRow

WORKSPACE = 1
_IDS = count(1)


def public_id() -> bytes:
    return next(_IDS).to_bytes(16)


def public_ids(count: int, now: int) -> list[bytes]:
    return [public_id() for _ in range(count)]


def event(person: int, name: str, at: int, **more: Any) -> EventRow:
    return EventRow(0, public_id(), person, name, at, at, "api", 0, None, None, "{}")._replace(**more)


def change(person: int, at: int, **more: Any) -> ChangeRow:
    return ChangeRow(0, public_id(), person, at, at, "api", 0, 1, None, "{}")._replace(**more)


def journey(id: int, person: int, rule: int = 1, **more: Any) -> JourneyRow:
    return JourneyRow(
        id, WORKSPACE, rule, "v", person, "", "t", 0, 0, 0, None, None, None, None, None, 0, None, "[]", ""
    )._replace(**more)


def action(key: str, person: int = 1, rule: int = 1, **more: Any) -> OutboxRow:
    return OutboxRow(
        0, WORKSPACE, key, 1, rule, person, "1", "mail", None, 5, 5, "pending", None, 0, None, None, "[]", "{}", 1
    )._replace(**more)


def add_people(connection: Connection, *users: str) -> list[int]:
    first = people.next_id(connection)
    rows = list(range(first, first + len(users)))
    people.create(connection, WORKSPACE, zip(rows, public_ids(len(rows), 0), strict=True), 0)
    people.link(connection, WORKSPACE, [(("user", user), row) for user, row in zip(users, rows, strict=True)], 0)
    return rows


def add_rule(connection: Connection, name: str = "rule") -> int:
    row = rules.next_id(connection)
    rules.insert(connection, [RuleRow(row, WORKSPACE, name, "v", "o", 0, 0, None, "[]")])
    return row


def add_events(connection: Connection, *rows: EventRow) -> None:
    types = events.intern(connection, WORKSPACE, [row.name for row in rows], 0, public_ids)
    events.insert(connection, [_new(row, types[row.name]) for row in rows])


def _new(row: EventRow, type_id: int) -> NewEvent:
    given = {name: value for name, value in row._asdict().items() if name not in ("id", "name")}
    return NewEvent(workspace_id=WORKSPACE, type_id=type_id, **given)
