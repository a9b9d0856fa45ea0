"""A copy becomes the store: checked, put in the place of what was there, with all sending held."""

from __future__ import annotations

import datetime
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from engine.clock import SECOND, iso_or_none
from engine.errors import StoreError
from engine.store import backup, backups, files, home, lock, sqlite
from engine.store.backup import Progress
from engine.store.gate import Gate
from engine.store.store import Store, path_of

_LOCK_START: Final = 0x4000_0000
_LOCK_BYTES: Final = 512
"""Where in a file SQLite's own locks are: every connection that has read holds one of these bytes."""


@dataclass(frozen=True)
class Restored:
    """A store that was brought back: of which moment, how many actions were open then, and where the old one is."""

    store: Path
    at: int | None
    open_actions: int
    kept: Path | None

    def plain(self) -> dict[str, Any]:
        return {
            "store": str(self.store),
            "at": iso_or_none(self.at),
            "open_actions": self.open_actions,
            "kept": None if self.kept is None else str(self.kept),
        }


def restore(copy: Path, url: str, now: int, *, replace: bool, incomplete: bool, progress: Progress) -> Restored:
    """Make the store at ``url`` from a copy. All its sending is held until it is resumed.

    ``replace`` keeps a store that is there beside it under a dated name; ``incomplete`` takes a copy of a store in use
    without its log. Raises StoreError for a copy that is not sound, and for a store that is there or in use.
    """
    path = path_of(url)
    if path is None:
        raise StoreError("a store in memory cannot be restored; name a file with --store")
    _refuse_target(copy, path, replace)
    with backup.temporary(path) as temporary:
        _take(copy, temporary, incomplete, progress)
        with backup.opened(temporary) as connection:
            backup.verify(connection, copy, None, progress)
            with connection.begin():
                home.forget(connection)
                backups.mark(connection, None)
                marked, actions = backups.marked(connection), backups.open_actions(connection)
        backup.flush(temporary)
        with Gate(path).alone(), _alone(path):
            kept = _set_aside(path, now) if replace else None
            backup.put(temporary, path, replace=False)
    Store(url).close()  # brings its tables up to date, and holds its sending
    return Restored(path, None if marked is None else marked.at, actions, kept)


def _refuse_target(copy: Path, path: Path, replace: bool) -> None:
    if not copy.is_file():
        raise StoreError(f"there is no file '{copy}'; name a copy that 'lapse backup' made")
    if not path.parent.is_dir():
        raise StoreError(f"the folder '{path.parent}' does not exist; make it, or name another store")
    if path.exists() and copy.samefile(path):
        raise StoreError(f"'{copy}' is the store itself; name a copy of it")
    holder = lock.holder(path)
    if holder is not None:
        raise StoreError(f"process {holder} runs the daemon of '{path}'; stop it first")
    if replace:
        return
    for ending in ("", files.LOG):
        if os.path.lexists(f"{path}{ending}"):
            raise StoreError(f"there is a store '{path}{ending}' already; name another with --store, or say --replace")


def _take(copy: Path, temporary: Path, incomplete: bool, progress: Progress) -> None:
    """Copy a file as it is, with the log that lies beside it, without writing beside it where there is none."""
    logged = Path(f"{copy}{files.LOG}").exists()
    place = f"{copy.resolve().as_uri()}?{'mode=rw' if logged else 'immutable=1'}"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True))
    try:
        with engine.connect() as connection:
            if not logged and not incomplete and _header(copy) == sqlite.LOGGING:
                home.refuse_copy(connection, copy)
            driver: Any = connection.connection.driver_connection
            target = sqlite3.connect(temporary)
            try:
                driver.backup(
                    target, pages=2_048, progress=lambda _, left, pages: progress("copying", pages - left, pages)
                )
                target.execute("PRAGMA journal_mode = DELETE")
            finally:
                target.close()
    except (DBAPIError, sqlite3.Error) as error:
        raise StoreError(f"'{copy}' cannot be read as a copy of a store: {sqlite.cause(error)}") from error
    finally:
        engine.dispose()


def _header(path: Path) -> int:
    with path.open("rb") as file:
        return (file.read(20)[18:19] or b"\0")[0]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Inside, no other program opens the file at a path. Raises StoreError where one has it open."""
    if not path.exists():
        yield
        return
    if files.is_open_here(path):
        raise StoreError(f"'{path}' is in use by this process; close it first")
    descriptor = os.open(path, os.O_RDWR)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _LOCK_START)
        except OSError:
            raise StoreError(
                f"'{path}' is in use: stop every process that has it open; 'fuser {path}' names them"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _set_aside(path: Path, now: int) -> Path | None:
    """Rename what is there, the database first: a log without its database is refused, one with another is not."""
    if not any(os.path.lexists(f"{path}{ending}") for ending in files.CONTENT):
        return None
    stamp = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    kept, number = Path(f"{path}.{stamp}"), 1
    while os.path.lexists(kept):
        number += 1
        kept = Path(f"{path}.{stamp}-{number}")
    for ending in files.CONTENT:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{kept}{ending}")
    with suppress(FileNotFoundError):
        os.unlink(f"{path}{files.INDEX}")
    backup.flush(path.parent)
    return kept
