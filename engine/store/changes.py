"""How often something of a workspace has changed: one number, by which a process sees that another changed it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import meta

_of = (meta.c.workspace_id == bound("workspace"), meta.c.key == bound("what"))
CHANGES = Prepared(select(meta.c.value).where(*_of), "workspace", "what")
_FIRST = inserting(meta, "workspace_id", "key", "value")
_NEXT = Prepared(meta.update().where(*_of).values(value=bound("new_value")), "workspace", "what", "new_value")


def changes(connection: Connection, workspace: int, what: str) -> int:
    """How often it has changed."""
    found = CHANGES.row(connection, workspace, what)
    return 0 if found is None else int(found[0])


def note_change(connection: Connection, workspace: int, what: str) -> None:
    """Have every process see that it changed."""
    known = changes(connection, workspace, what)
    if known:
        _NEXT.run(connection, workspace, what, str(known + 1))
    else:
        _FIRST.many(connection, [(workspace, what, "1")])
