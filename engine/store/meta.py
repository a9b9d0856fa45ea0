"""What a store notes about itself, of no workspace: one text under each key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, literal_column, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import meta

NO_WORKSPACE: Final = 0

_own = meta.c.workspace_id == literal_column(str(NO_WORKSPACE))
_READ = Prepared(select(meta.c.value).where(_own, meta.c.key == bound("key")), "key")
_DELETE = Prepared(delete(meta).where(_own, meta.c.key == bound("key")), "key")
_INSERT = inserting(meta, "workspace_id", "key", "value")


def read(connection: Connection, key: str) -> str | None:
    """Return the text under a key; None where there is none."""
    row = _READ.row(connection, key)
    return None if row is None else str(row[0])


def write(connection: Connection, key: str, value: str) -> None:
    """Put a text under a key in the place of the one before."""
    remove(connection, key)
    _INSERT.many(connection, [(NO_WORKSPACE, key, value)])


def remove(connection: Connection, key: str) -> None:
    """Remove a key with its text."""
    _DELETE.run(connection, key)
