"""Events one by one and in lists, as vendors show them. What actions put on timelines is left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.runtime import contacts, cursors
from engine.runtime.contacts import PersonRef
from engine.store import Connection, people, records
from engine.store.records import Record


@dataclass(frozen=True)
class DoorEvent:
    """An event. ``id`` and ``type_id`` are the 16 bytes of public ids; moments are microseconds UTC.

    ``key`` is the key under which it came through the door that was asked for.
    """

    id: bytes
    person: PersonRef
    type_id: bytes
    name: str
    at: int
    received_at: int
    source: str
    message_id: str | None
    properties: dict[str, Any]
    key: str | None


@dataclass(frozen=True)
class ArrivalPage:
    """Events, newest arrival first; what to ask the next page with (None: there is none), and how many there are."""

    events: tuple[DoorEvent, ...]
    after: str | None
    total: int


@dataclass(frozen=True)
class Happenings:
    """A person's events, the latest first, and how many there are."""

    events: tuple[DoorEvent, ...]
    total: int


def one(connection: Connection, workspace: int, public_id: bytes, namespace: str) -> DoorEvent | None:
    """The event of a public id."""
    found = records.one(connection, workspace, public_id, namespace)
    return None if found is None else _shown(connection, [found])[0]


def arrivals(
    connection: Connection,
    workspace: int,
    person: PersonRef | None,
    type_id: bytes | None,
    limit: int,
    after: str | None,
    namespace: str,
) -> ArrivalPage:
    """A page of events behind ``after``. Raises ConfigError for an ``after`` that no page gave."""
    behind = cursors.behind(connection, workspace, "arrivals", after)
    row = None if person is None else people.by_id(connection, workspace, person.id)
    if person is not None and row is None:
        return ArrivalPage((), None, 0)
    found = records.arrivals(
        connection, workspace, person=row, type_id=type_id, behind=behind.row, limit=limit + 1, namespace=namespace
    )
    total = records.total(connection, workspace, person=row, type_id=type_id)
    following = cursors.following(connection, workspace, "arrivals", found, limit)
    return ArrivalPage(_shown(connection, found[:limit]), following, total)


def happenings(
    connection: Connection,
    workspace: int,
    person: PersonRef,
    name: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    offset: int,
) -> Happenings:
    """Events of a person between two moments, both left out."""
    row = people.by_id(connection, workspace, person.id)
    if row is None:
        return Happenings((), 0)
    found, total = records.happenings(
        connection,
        workspace,
        row,
        name=name,
        since=-1 if since is None else since,
        until=cursors.LAST if until is None else until,
        limit=limit,
        offset=offset,
        namespace="",
    )
    return Happenings(_shown(connection, found), total)


def _shown(connection: Connection, found: Sequence[Record]) -> tuple[DoorEvent, ...]:
    whose = contacts.refs(connection, {one.person_id for one in found})
    return tuple(
        DoorEvent(
            id=one.public_id,
            person=whose[one.person_id],
            type_id=one.type_id,
            name=one.name,
            at=one.at,
            received_at=one.received_at,
            source=one.source,
            message_id=one.message_id,
            properties=json.loads(one.properties),
            key=one.key,
        )
        for one in found
    )
