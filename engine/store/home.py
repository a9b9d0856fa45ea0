"""Where a store's file is at home, noted in it: a copy that was taken while the store was in use lacks the log.

While a process has a store open its file is in WAL mode, and says so; the last to close it brings the log in and
switches that mode off. So a file in WAL mode without a log beside it was copied alone, unless another program has
brought the log in. A copy is told from that by its inode.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from engine.errors import StoreError
from engine.store import meta

_KEY: Final = "home"


def refuse_copy(connection: Connection, path: Path) -> None:
    """Raise StoreError where a file in WAL mode, which has no log, is at home elsewhere."""
    with connection.begin():
        noted = meta.read(connection, _KEY) if inspect(connection).has_table("meta") else None
    if noted is not None and noted != _identity(path):
        raise StoreError(
            f"'{path}' is a copy of a store that was in use, without its log: what was stored last may be missing. "
            f"Copy its '-wal' file beside it, use a copy that 'lapse backup' made, or take this one as it is with "
            f"'lapse restore --incomplete'"
        )


def is_settled(connection: Connection, path: Path) -> bool:
    """Whether the file is noted to be at home where it is."""
    return bool(meta.read(connection, _KEY) == _identity(path))


def settle(connection: Connection, path: Path) -> None:
    """Note that the file is at home where it is."""
    with connection.begin():
        if meta.read(connection, _KEY) != _identity(path):
            meta.write(connection, _KEY, _identity(path))


def forget(connection: Connection) -> None:
    """Let a copy be at home wherever it is opened next."""
    meta.remove(connection, _KEY)


def _identity(path: Path) -> str:
    """The file system and the inode; device numbers may be others after a restart of the machine."""
    return f"{os.statvfs(path).f_fsid:x}:{os.stat(path).st_ino}"
