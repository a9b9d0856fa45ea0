"""A look at what a store holds, for those who only want to know which names there are. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, make_url, select
from sqlalchemy.exc import DBAPIError

from engine.errors import StoreError
from engine.store import sqlite
from engine.store.files import Files
from engine.store.migrations import is_current
from engine.store.prepared import Prepared, bound
from engine.store.schema import attribute_changes, event_types, events, workspaces

SAMPLE: Final = 5_000
"""The newest events, and the newest changes of attributes, that are looked at."""

_WORKSPACE = Prepared(select(workspaces.c.id).where(workspaces.c.name == bound("name")), "name")
_TYPES = Prepared(
    select(event_types.c.name, event_types.c.schema).where(event_types.c.workspace_id == bound("workspace")),
    "workspace",
)
_EVENTS = Prepared(
    select(event_types.c.name, events.c.properties)
    .join_from(events, event_types, event_types.c.id == events.c.type_id)
    .where(events.c.workspace_id == bound("workspace"))
    .order_by(events.c.id.desc())
    .limit(bound("most")),
    "workspace",
    "most",
)
_CHANGES = Prepared(
    select(attribute_changes.c.properties)
    .where(attribute_changes.c.workspace_id == bound("workspace"))
    .order_by(attribute_changes.c.id.desc())
    .limit(bound("most")),
    "workspace",
    "most",
)


@contextmanager
def looking(url: str) -> Iterator[Connection | None]:
    """Open the store at ``url`` for reading; None where it is in memory, not there, not up to date or not readable."""
    path = sqlite.file_of(make_url(url))
    if path is None or not path.is_file() or not path.stat().st_size:
        yield None
        return
    engine = sqlite.open_engine(make_url(url), Files(path))
    try:
        with engine.connect() as connection:
            yield connection if _is_readable(connection) else None
    finally:
        engine.dispose()


def _is_readable(connection: Connection) -> bool:
    try:
        return is_current(connection)
    except (DBAPIError, StoreError):
        return False


def workspace_named(connection: Connection, name: str) -> int | None:
    """Return the row of a workspace."""
    row = _WORKSPACE.row(connection, name)
    return None if row is None else int(row[0])


def event_types_of(connection: Connection, workspace: int) -> list[tuple[str, str | None]]:
    """Return the event types, each with its schema as JSON where it has one."""
    return [(str(name), schema) for name, schema in _TYPES.rows(connection, workspace)]


def event_samples(connection: Connection, workspace: int) -> list[tuple[str, str]]:
    """Return the names and properties (JSON) of the newest events."""
    return [(str(name), str(text)) for name, text in _EVENTS.rows(connection, workspace, SAMPLE)]


def attribute_samples(connection: Connection, workspace: int) -> list[str]:
    """Return the newest changes of attributes as JSON; what an event said of consent is a list."""
    return [str(text) for (text,) in _CHANGES.rows(connection, workspace, SAMPLE)]
