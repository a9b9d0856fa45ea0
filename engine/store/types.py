"""Event types: what a workspace knows of its events by name. Those merely met are made by ``events.intern``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Select, func, literal_column, or_, select

from engine.store import changes
from engine.store.prepared import Prepared, bound, inserting, updating
from engine.store.prepared import next_id as _next_id
from engine.store.schema import event_types, events


class TypeRow(NamedTuple):
    """An event type. ``schema`` is JSON; ``updated_at`` is None until it is changed. Moments are microseconds UTC."""

    id: int
    public_id: bytes
    name: str
    description: str | None
    schema: str | None
    predefined: int
    created_at: int
    updated_at: int | None = None


class StoredEvent(NamedTuple):
    """An event of a type, as a new schema looks at it."""

    id: int
    public_id: bytes
    at: int
    properties: str


_WHAT = "types"
_workspace = bound("workspace")
_row: Select[TypeRow] = select(*(event_types.c[one] for one in TypeRow._fields)).where(
    event_types.c.workspace_id == _workspace
)
BY_NAME = Prepared(_row.where(event_types.c.name == bound("name")), "workspace", "name")
BY_PUBLIC_ID = Prepared(_row.where(event_types.c.public_id == bound("public_id")), "workspace", "public_id")
PAGE = Prepared(
    _row.where(event_types.c.public_id > bound("after")).order_by(event_types.c.public_id).limit(bound("limit")),
    "workspace", "after", "limit",
)  # fmt: skip
TOTAL = Prepared(
    select(func.count()).select_from(event_types).where(event_types.c.workspace_id == _workspace), "workspace"
)
WITH_SCHEMAS = Prepared(_row.where(event_types.c.schema.is_not(None)), "workspace")
NAMES = Prepared(select(event_types.c.name).where(event_types.c.workspace_id == _workspace), "workspace")
_INSERT = inserting(
    event_types, "id", "workspace_id", "public_id", "name", "description", "schema", "predefined", "created_at",
    "updated_at",
)  # fmt: skip
_UPDATE = updating(event_types, "id", "name", "description", "schema", "predefined", "updated_at")
DELETE = Prepared(event_types.delete().where(event_types.c.id == bound("row")), "row")

_of_type = (events.c.workspace_id == _workspace, events.c.type_id == bound("type"))
_event = select(*(events.c[one] for one in StoredEvent._fields))
ANY_EVENT = Prepared(
    select(literal_column("1")).select_from(events).where(*_of_type).limit(literal_column("1")), "workspace", "type"
)
EVENTS = Prepared(
    _event.where(
        *_of_type,
        events.c.at >= bound("at"),
        or_(events.c.at > bound("at"), events.c.id > bound("behind")),
    )
    .order_by(events.c.at, events.c.id)
    .limit(bound("limit")),
    "workspace", "type", "at", "behind", "limit",
)  # fmt: skip
NEWEST = Prepared(select(events.c.id, events.c.public_id).order_by(events.c.id.desc()).limit(literal_column("1")))
PUBLIC_ID = Prepared(select(events.c.public_id).where(events.c.id == bound("row")), "row")
ARRIVED = Prepared(
    _event.where(
        events.c.id > bound("behind"),
        # a term and not a column, so that no index of it is taken: few events are newer, and many are of the type
        events.c.type_id + literal_column("0") == bound("type"),
    )
    .order_by(events.c.id)
    .limit(bound("limit")),
    "behind", "type", "limit",
)  # fmt: skip


def by_name(connection: Connection, workspace: int, name: str) -> TypeRow | None:
    """The type of a name."""
    found = BY_NAME.row(connection, workspace, name)
    return None if found is None else TypeRow._make(found)


def by_public_id(connection: Connection, workspace: int, public_id: bytes) -> TypeRow | None:
    """The type of a public id."""
    found = BY_PUBLIC_ID.row(connection, workspace, public_id)
    return None if found is None else TypeRow._make(found)


def page(connection: Connection, workspace: int, after: bytes, limit: int) -> list[TypeRow]:
    """Types behind a public id, in the order in which they were made."""
    return list(map(TypeRow._make, PAGE.rows(connection, workspace, after, limit)))


def total(connection: Connection, workspace: int) -> int:
    """How many types a workspace has."""
    found = TOTAL.row(connection, workspace)
    return 0 if found is None else int(found[0])


def with_schemas(connection: Connection, workspace: int) -> list[TypeRow]:
    """The types that have a schema."""
    return list(map(TypeRow._make, WITH_SCHEMAS.rows(connection, workspace)))


def names(connection: Connection, workspace: int) -> list[str]:
    """The names of all types."""
    return [name for (name,) in NAMES.rows(connection, workspace)]


def changed(connection: Connection, workspace: int) -> int:
    """How often a type was made, changed or deleted on purpose: what tells a process that another one did."""
    return changes.changes(connection, workspace, _WHAT)


def insert(connection: Connection, workspace: int, rows: Sequence[TypeRow]) -> list[TypeRow]:
    """Add types; gives them with the rows they got, whatever ``id`` they came with."""
    first = _next_id(connection, event_types)
    added = [row._replace(id=first + place) for place, row in enumerate(rows)]
    _INSERT.many(connection, [(row.id, workspace, *row[1:]) for row in added])
    changes.note_change(connection, workspace, _WHAT)
    return added


def update(connection: Connection, workspace: int, rows: Iterable[TypeRow]) -> None:
    """Write types anew, by their rows."""
    _UPDATE.many(
        connection, [(row.id, row.name, row.description, row.schema, row.predefined, row.updated_at) for row in rows]
    )
    changes.note_change(connection, workspace, _WHAT)


def delete(connection: Connection, workspace: int, row: int) -> None:
    """Remove a type of which no event is stored."""
    DELETE.run(connection, row)
    changes.note_change(connection, workspace, _WHAT)


def has_events(connection: Connection, workspace: int, row: int) -> bool:
    """Whether events of a type are stored."""
    return ANY_EVENT.row(connection, workspace, row) is not None


def events_of(
    connection: Connection, workspace: int, row: int, after: StoredEvent | None, limit: int
) -> list[StoredEvent]:
    """Events of a type behind another, by time."""
    at, behind = (0, 0) if after is None else (after.at, after.id)
    return list(map(StoredEvent._make, EVENTS.rows(connection, workspace, row, at, behind, limit)))


def newest_event(connection: Connection) -> tuple[int, bytes]:
    """The newest event of the store and its public id."""
    found = NEWEST.row(connection)
    return (0, b"") if found is None else (int(found[0]), found[1])


def is_there(connection: Connection, event: tuple[int, bytes]) -> bool:
    """Whether a row still holds the event it held: a row that was the newest is used again when it was deleted."""
    row, public_id = event
    found = PUBLIC_ID.row(connection, row)
    return row == 0 or (found is not None and found[0] == public_id)


def events_after(connection: Connection, row: int, behind: int, limit: int) -> list[StoredEvent]:
    """Events of a type that came after the event in the row ``behind``."""
    return list(map(StoredEvent._make, ARRIVED.rows(connection, behind, row, limit)))
