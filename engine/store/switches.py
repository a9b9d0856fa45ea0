"""What somebody, or something, has stopped until it is resumed: all sending, a channel, or, with a reason, a rule."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import switches

_workspace = bound("workspace")


class SwitchRow(NamedTuple):
    """``kind``: ``all`` (``name`` is empty), ``channel`` or ``rule``. ``since``: microseconds UTC."""

    kind: str
    name: str
    since: int
    reason: str


ALL = Prepared(
    select(*(switches.c[one] for one in SwitchRow._fields))
    .where(switches.c.workspace_id == _workspace)
    .order_by(switches.c.since, switches.c.kind, switches.c.name),
    "workspace",
)
_INSERT = inserting(switches, "workspace_id", *SwitchRow._fields)
_DELETE = Prepared(
    switches.delete().where(
        switches.c.workspace_id == _workspace, switches.c.kind == bound("of_kind"), switches.c.name == bound("of_name")
    ),
    "workspace", "of_kind", "of_name",
)  # fmt: skip


def every(connection: Connection, workspace: int) -> list[SwitchRow]:
    """All that is stopped, the longest first."""
    return list(map(SwitchRow._make, ALL.rows(connection, workspace)))


def stop(connection: Connection, workspace: int, row: SwitchRow) -> bool:
    """Stop something; False when it was stopped already, and then the first reason stands."""
    if any((one.kind, one.name) == (row.kind, row.name) for one in every(connection, workspace)):
        return False
    _INSERT.many(connection, [(workspace, *row)])
    return True


def stop_anew(connection: Connection, workspace: int, row: SwitchRow) -> None:
    """Stop something for a reason that takes the place of the one before."""
    release(connection, workspace, row.kind, row.name)
    _INSERT.many(connection, [(workspace, *row)])


def release(connection: Connection, workspace: int, kind: str, name: str) -> bool:
    """Let something go on; False when it was not stopped."""
    return _DELETE.run(connection, workspace, kind, name) > 0
