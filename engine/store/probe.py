"""Whether the store can be written: by writing."""

from __future__ import annotations

from sqlalchemy import Connection, delete, literal_column

from engine.store.prepared import Prepared, bound, inserting
from engine.store.schema import meta

_KEY = "probe"
_NOBODYS = 0
_DELETE = Prepared(
    delete(meta).where(meta.c.workspace_id == literal_column(str(_NOBODYS)), meta.c.key == bound("key")), "key"
)
_INSERT = inserting(meta, "workspace_id", "key", "value")


def write(connection: Connection, now: int) -> None:
    """Leave a mark of no meaning. Raises what any writing would."""
    _DELETE.run(connection, _KEY)
    _INSERT.many(connection, [(_NOBODYS, _KEY, str(now))])
