"""Why a store cannot be opened, in a sentence that says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from engine.errors import StoreError, StoreUnavailable
from engine.store import sqlite

LEAST_FREE: Final = 65_536
"""Bytes of free space below which a disk is full: opening a store takes 32 KiB for the log's index alone."""

FULL: Final = "SQLITE_FULL"

_SYSTEM: Final = {
    errno.ENAMETOOLONG: "its name is too long; name another file",
    errno.ELOOP: "its symbolic links lead in a circle; name another file",
    errno.EROFS: "it lies on a disk that is mounted read-only; mount it for writing, or name another file",
    errno.EMFILE: "this process has too many files open; raise its limit (ulimit -n)",
    errno.ENFILE: "the system has too many files open",
}


def refusal(url: str, path: Path | None, error: DBAPIError | sqlite3.Error | OSError) -> StoreError:
    """Return the error for a store that cannot be opened; StoreUnavailable where that may pass by itself."""
    if path is None:
        return StoreError(f"'{url}' cannot be opened as a store: {error}")
    return _of_place(path) or (_of_system(path, error) if isinstance(error, OSError) else _of_sqlite(path, error))


def is_full(path: Path) -> bool:
    """Return whether the disk of a file has no room for a store to be written."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LEAST_FREE


def place(path: Path) -> dict[str, object]:
    """Return the facts of a file's place: its rights, the room on its disk, and whether that is full."""
    found = os.statvfs(path.parent)
    rights = f"{stat.S_IMODE(os.stat(path).st_mode):o}"
    return {"rights": rights, "free_bytes": found.f_bavail * found.f_frsize, "disk_full": is_full(path)}


def full(path: Path) -> StoreUnavailable:
    """Return the error for a disk without room."""
    return StoreUnavailable(f"the disk is full: '{path}' cannot be opened or written; make room there", FULL)


def _of_place(path: Path) -> StoreError | None:
    """What is wrong with the place itself, whatever the error was."""
    folder = path.parent
    if not os.path.exists(folder):
        return StoreError(f"the folder '{folder}' does not exist; make it, or name another file")
    if not os.path.isdir(folder):
        return StoreError(f"'{folder}' is no folder; name another file")
    if os.path.isdir(path):
        return StoreError(f"'{path}' is a folder; name a file in it")
    if _read_only(folder):
        return StoreError(f"'{path}' cannot be opened: {_SYSTEM[errno.EROFS]}")
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        return StoreError(_forbidden(path))
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return StoreError(_forbidden(folder))
    return None


def _of_system(path: Path, error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return StoreError(_forbidden(path))
    return StoreError(f"'{path}' cannot be opened: {_SYSTEM.get(error.errno or 0, error.strerror)}")


def _of_sqlite(path: Path, error: DBAPIError | sqlite3.Error) -> StoreError:
    if sqlite.is_no_database(error):
        return StoreError(f"'{path}' is no SQLite database; name another file")
    if sqlite.is_damage(error):
        return StoreError(
            f"'{path}' is damaged ({sqlite.cause(error)}); restore a backup with 'lapse restore --replace FILE'"
        )
    if is_full(path):
        return full(path)
    return sqlite.unavailable(error) or StoreError(f"'{path}' cannot be opened as a store: {sqlite.cause(error)}")


def _forbidden(path: Path) -> str:
    owner = path.stat().st_uid
    return (
        f"no permission to write '{path}', which belongs to user {owner}: this process is user {os.geteuid()}; "
        "run it as that user, or change the rights"
    )


def _read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
