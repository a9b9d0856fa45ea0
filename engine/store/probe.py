"""Whether the store can be written: by writing as much as the largest event."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from engine.store import meta

_KEYS: Final = ("probe", "probe again")


def write(connection: Connection, size: int) -> None:
    """Leave a mark of so many bytes, and only then remove the last one: room that is used again proves nothing.

    Raises what any writing would.
    """
    old, new = _KEYS if meta.read(connection, _KEYS[0]) is not None else _KEYS[::-1]
    meta.write(connection, new, "x" * size)
    meta.remove(connection, old)
