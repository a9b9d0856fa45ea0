"""A secret of each workspace: what it is shown and may not read is made with it."""

from __future__ import annotations

import os
from typing import Final

from sqlalchemy import Connection, literal_column, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import meta

_KEY: Final = "secret"
_BYTES: Final = 32
SECRET: Final = Prepared(
    select(meta.c.value).where(meta.c.workspace_id == bound("workspace"), meta.c.key == literal_column(f"'{_KEY}'")),
    "workspace",
)
_INSERT: Final = inserting(meta, "workspace_id", "key", "value")


def secret(connection: Connection, workspace: int) -> bytes:
    """The one that was made with :func:`ensure`."""
    row = SECRET.row(connection, workspace)
    assert row is not None
    return bytes.fromhex(row[0])


def is_there(connection: Connection, workspace: int) -> bool:
    """Whether a workspace has one."""
    return SECRET.row(connection, workspace) is not None


def ensure(connection: Connection, workspace: int) -> None:
    """Make one where there is none."""
    if not is_there(connection, workspace):
        _INSERT.many(connection, [(workspace, _KEY, os.urandom(_BYTES).hex())])
