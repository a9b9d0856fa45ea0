"""A copy of a store that may be in use: one moment of it, whole by itself, checked before it gets its name."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError

from engine.clock import iso
from engine.errors import StoreError
from engine.store import backups, checking, files, home, sqlite

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it is done and how much there is; nothing where that is not known."""

STEP_BYTES: Final = 8_388_608
"""Copied between two flushes to disk, so that the commits of others wait for no more than that."""

_TICKS: Final = 1_000_000
"""SQLite's instructions between two signs of life of a check."""


@dataclass(frozen=True)
class Backup:
    """A copy that was made: its file and size, the moment it is of (microseconds UTC), and what is in it."""

    file: Path
    bytes: int
    at: int
    events: int
    people: int
    open_actions: int

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "file": str(self.file), "at": iso(self.at)}


def back_up(source: Path, target: Path, now: int, *, replace: bool, log_bytes: int, progress: Progress) -> Backup:
    """Copy the store at ``source`` to ``target`` while others write, check the copy, and put it in place at once.

    Raises StoreError where that cannot be done, where the copy is not sound, and where the log grows by more than
    ``log_bytes`` meanwhile: nothing of it can be brought in until the copy is made.
    """
    _refuse_target(source, target, replace)
    with temporary(target) as path:
        counts = copy(source, path, log_bytes=log_bytes, progress=progress)
        with opened(path) as connection:
            verify(connection, path, counts, progress)
            with connection.begin():
                home.forget(connection)
                backups.mark(connection, now)
                actions = backups.open_actions(connection)
        put(path, target, replace=replace)
    return Backup(target, target.stat().st_size, now, counts["events"], counts["people"], actions)


def _refuse_target(source: Path, target: Path, replace: bool) -> None:
    if not target.parent.is_dir():
        raise StoreError(f"the folder '{target.parent}' does not exist; make it, or name another file")
    if target.is_dir():
        raise StoreError(f"'{target}' is a folder; name a file in it")
    own = {os.path.realpath(f"{source}{ending}") for ending in ("", *files.BESIDE)}
    if os.path.realpath(target) in own:
        raise StoreError(f"'{target}' belongs to the store itself; name another file")
    if not replace and os.path.lexists(target):
        raise StoreError(f"there is a file '{target}' already; name another one, or overwrite it with --force")


@contextmanager
def temporary(target: Path) -> Iterator[Path]:
    """A new file beside ``target``, for its owner alone; it is removed unless it was put in place."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for ending in ("", files.LOG, files.INDEX, files.JOURNAL):
            with suppress(FileNotFoundError):
                os.unlink(f"{name}{ending}")


def put(path: Path, target: Path, *, replace: bool) -> None:
    """Give a finished file its name, at once and on disk. Raises StoreError where another came first."""
    flush(path)
    if replace:
        path.replace(target)
    else:
        _name(path, target)
    flush(target.parent)


def _name(path: Path, target: Path) -> None:
    """A link fails where the name is taken; not every file system has them."""
    try:
        os.link(path, target)
    except FileExistsError:
        raise StoreError(f"a file '{target}' has come about meanwhile; nothing was written") from None
    except OSError:
        path.rename(target)
    else:
        path.unlink()


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy(source: Path, target: Path, *, log_bytes: int | None, progress: Progress) -> dict[str, int]:
    """Copy one moment of a store into a file that is there; return how many rows each table has then."""
    with sqlite.available(), source_of(source) as connection, closing(sqlite3.connect(target)) as copied:
        copied.execute("PRAGMA journal_mode = OFF")
        copied.execute("PRAGMA synchronous = OFF")
        page = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        counts = checking.counts(connection)  # the first read: what others write from now on is not seen
        descriptor = os.open(target, os.O_RDWR)
        try:
            step = partial(_step, descriptor, source, log_bytes, sqlite.log_bytes(source), page, progress)
            driver: Any = connection.connection.driver_connection
            driver.backup(copied, pages=max(1, STEP_BYTES // page), progress=step, sleep=0.01)
            copied.execute("PRAGMA journal_mode = DELETE")
        finally:
            os.close(descriptor)
    return counts


def _step(
    descriptor: int, source: Path, most: int | None, before: int, page: int, progress: Progress, _code: int,
    left: int, pages: int,
) -> None:  # fmt: skip
    os.fdatasync(descriptor)
    grown = sqlite.log_bytes(source) - before
    if most is not None and grown > most:
        raise StoreError(
            f"the store's log grew by {grown:,} bytes while it was copied; take the backup when less is written, "
            "write it to a faster disk, or raise the setting 'backup_log_bytes'"
        )
    progress("copying", (pages - left) * page, pages * page)


@contextmanager
def source_of(path: Path) -> Iterator[Connection]:
    """A connection inside a read of a store, which stays in the version it is in. Raises StoreError for no store."""
    watched = files.Files(path)
    engine = sqlite.open_engine(URL.create("sqlite", database=str(path)), watched)
    try:
        logged = files.make_private(path)
        with engine.connect() as connection:
            if not logged and sqlite.is_logging(connection):
                home.refuse_copy(connection, path)
            sqlite.begin_logging(connection)
            watched.watch(path)
            with connection.begin():
                yield connection
            with suppress(sqlite3.Error):  # others have it open
                sqlite.end_logging(connection)
    except DBAPIError as error:
        if sqlite.is_busy(error):
            raise
        raise StoreError(f"'{path}' cannot be copied: {error.orig}; see 'lapse doctor --deep'") from error
    finally:
        watched.close()
        engine.dispose()


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """A connection to a copy that nobody else has."""
    engine = sqlite.open_engine(URL.create("sqlite", database=str(path)), None)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StoreError(f"the copy is not sound: {error.orig}; see 'lapse doctor --deep' of the store") from error
    finally:
        engine.dispose()


def verify(connection: Connection, path: Path, counts: dict[str, int] | None, progress: Progress) -> None:
    """Raise StoreError for a copy whose pages, references, tables or counts are wrong."""
    with connection.begin(), _ticking(connection, progress):
        wrong = list(checking.deep(connection))
        if counts is not None and not wrong:
            found = checking.counts(connection)
            wrong = [
                f"it has {found.get(name, 0):,} rows in '{name}' in place of {number:,}"
                for name, number in counts.items()
                if found.get(name, 0) != number and name != "meta"  # its mark
            ]
    if wrong:
        raise StoreError(f"the copy at '{path}' is not sound: {'; '.join(wrong)}")


@contextmanager
def _ticking(connection: Connection, progress: Progress) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: progress("checking", 0, 0), _TICKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
