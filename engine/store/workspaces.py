"""Workspaces as rows."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from engine.store.prepared import Prepared, bound
from engine.store.schema import workspaces


class WorkspaceRow(NamedTuple):
    """A workspace. ``created_at`` is microseconds UTC."""

    id: int
    public_id: bytes
    name: str
    created_at: int


_columns = [workspaces.c[one] for one in WorkspaceRow._fields]
EVERY = Prepared(select(*_columns).order_by(workspaces.c.id))
BY_NAME = Prepared(select(*_columns).where(workspaces.c.name == bound("name")), "name")


def every(connection: Connection) -> list[WorkspaceRow]:
    """All workspaces, oldest first."""
    return list(map(WorkspaceRow._make, EVERY.rows(connection)))


def named(connection: Connection, name: str) -> WorkspaceRow | None:
    """The workspace of a name."""
    found = BY_NAME.row(connection, name)
    return None if found is None else WorkspaceRow._make(found)
