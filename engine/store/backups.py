"""What a copy of a store notes about itself, and the hold on sending of a store that was brought back from one.

Actions that were open when a copy was taken may have left since. So a copy carries a mark, and whoever opens it as a
store, by 'lapse restore' or by putting the file in place, finds all sending held in every workspace.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from engine.clock import WallClock, iso
from engine.store import meta, schema, switches
from engine.store.schema import outbox, workspaces
from engine.store.switches import SwitchRow

RESTORED: Final = "restored from a backup"
"""What the reason of a hold after a restore begins with."""

OPEN: Final = ("held", "pending", "sending", "failed")
"""States of actions that are still to leave, or to leave again."""

_KEY: Final = "backup"
_RELEASE: Final = schema.switches.delete().where(
    schema.switches.c.kind == "all", schema.switches.c.reason.startswith(RESTORED, autoescape=True)
)


class Mark(NamedTuple):
    """When the copy was taken, microseconds UTC; None where that is not known."""

    at: int | None


def mark(connection: Connection, at: int | None) -> None:
    """Mark a copy. A mark that it has already stays where the moment is not known."""
    if at is not None or marked(connection) is None:
        meta.write(connection, _KEY, json.dumps({"at": at}))


def marked(connection: Connection) -> Mark | None:
    """Return the mark of a copy; None in a store."""
    text = meta.read(connection, _KEY)
    return None if text is None else Mark(json.loads(text)["at"])


def open_actions(connection: Connection, workspace: int | None = None) -> int:
    """Count the actions that are still to leave, of one workspace or of all."""
    counted = select(func.count()).select_from(outbox).where(outbox.c.status.in_(OPEN))
    chosen = counted if workspace is None else counted.where(outbox.c.workspace_id == workspace)
    return int(connection.scalar(chosen) or 0)


def settle(connection: Connection) -> None:
    """Hold all sending of a store that is a copy, and make it a store like any other."""
    with connection.begin():
        copied = marked(connection)
        if copied is None:
            return
        meta.remove(connection, _KEY)
        now = WallClock().now()
        for workspace in connection.scalars(select(workspaces.c.id)).all():
            reason = _reason(copied, open_actions(connection, workspace))
            switches.stop_anew(connection, workspace, SwitchRow("all", "", now, reason))


def release(connection: Connection) -> bool:
    """End the hold of a restored store in every workspace; False where there was none."""
    return connection.execute(_RELEASE).rowcount > 0


def _reason(copied: Mark, actions: int) -> str:
    when = "" if copied.at is None else f" of {iso(copied.at)}"
    if actions == 1:
        return f"{RESTORED}{when}: 1 action was open then and may have left since"
    return f"{RESTORED}{when}: {actions:,} actions were open then and may have left since"
