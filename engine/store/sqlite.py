"""What is SQLite's own: how a file is opened, how transactions begin, how a batch becomes rows.

A PostgreSQL store is a second file like this one: it registers the same elements, and offers the same
functions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.sql.compiler import SQLCompiler

from engine.errors import StoreError, StoreUnavailable
from engine.store.files import Files
from engine.store.prepared import Item, Keyed, RowByRow, Unfolded

WRITES: Final = "lapse_writes"
"""The execution option of connections whose transactions take the write lock when they begin."""

BUSY_MILLISECONDS: Final = 5_000
WRITER_CACHE_KIB: Final = 65_536
READER_CACHE_KIB: Final = 16_384

_UNAVAILABLE: Final = {
    sqlite3.SQLITE_FULL: "its disk is full; make room there",
    sqlite3.SQLITE_IOERR: "its disk cannot be read or written; look at its space, its quota and its health",
    sqlite3.SQLITE_READONLY: "it may not be written; look at the rights of its files and folder",
    sqlite3.SQLITE_CANTOPEN: "a file of it cannot be opened; look at its folder, and at how many files may be open",
    sqlite3.SQLITE_BUSY: "another process keeps it to itself; see what else works on it",
}
"""What is wrong with the surroundings of a store rather than with a call, and what to do, by SQLite's primary codes."""

Failure: Final = sqlite3.Error
"""What the driver raises."""

LOGGING: Final = 2
"""In the file's header, where it has a write-ahead log: SQLite's version of the format for reading."""

_WAL_RESET_BUG: Final = ((3, 7, 0), (3, 51, 2))


@compiles(Keyed, "sqlite")
@compiles(Unfolded, "sqlite")
def _unfolded(element: Keyed | Unfolded, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(Item, "sqlite")
def _item(element: Item, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_extract({compiler.process(element.value, **options)}, '$[{element.position}]')"


@compiles(RowByRow, "sqlite")
def _row_by_row(element: RowByRow, compiler: SQLCompiler, asfrom: bool = False, **options: Any) -> str:  # noqa: ARG001
    assert element.onclause is not None
    left = compiler.process(element.left, asfrom=True, **options)
    right = compiler.process(element.right, asfrom=True, **options)
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **options)}"


def open_engine(url: URL, files: Files | None) -> Engine:
    """An engine on files, checked as a read begins; or in memory: one connection, shared by all threads."""
    if files is None:
        engine = create_engine(
            url, connect_args={"check_same_thread": False}, poolclass=StaticPool, hide_parameters=True
        )
    else:
        engine = create_engine(
            url, creator=partial(_connect, files), poolclass=QueuePool, max_overflow=20, hide_parameters=True
        )
        event.listen(engine, "begin", partial(_check, files))
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _check(files: Files, connection: Connection) -> None:
    """Raise StoreUnavailable for a read of files that were taken away; a writer's own check tells of its."""
    if not connection.get_execution_options().get(WRITES):
        files.check()


def _connect(files: Files) -> sqlite3.Connection:
    """A connection to a file that is there: SQLite would make an empty one in the place of one that was moved."""
    files.check()
    return sqlite3.connect(f"{files.path.as_uri()}?mode=rw", uri=True, check_same_thread=False)


def file_of(url: URL) -> Path | None:
    """The file a database lies in, with symbolic links resolved, as locks lie beside it; nothing for one in memory."""
    name = url.database
    return None if not name or name == ":memory:" else Path(os.path.realpath(name))


def safe_version(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite is free of the WAL-reset bug (3.7.0 to 3.51.2).

    With it, a writer and a checkpoint at the same instant may corrupt the file. The store never has the two at
    once: see :class:`engine.store.gate.Gate`.
    """
    first, last = _WAL_RESET_BUG
    return not first <= version <= last


def is_logging(connection: Connection) -> bool:
    """Whether the file says that it is in use and has a write-ahead log."""
    return bool(_pragma(connection, "journal_mode")[0][0] == "wal")


def begin_logging(connection: Connection) -> None:
    """Switch to a write-ahead log, which stays in the file. Only while nobody else opens it: this does not wait."""
    if not is_logging(connection):
        _pragma(connection, "journal_mode = MEMORY")  # one sector of the file changes: that takes no journal on disk
        _pragma(connection, "journal_mode = WAL")
    _pragma(connection, "user_version")  # the first read makes the log


def end_logging(connection: Connection) -> None:
    """Bring the log in and switch it off, unless anybody else has the file open."""
    _pragma(connection, "busy_timeout = 0")
    _pragma(connection, "journal_mode = MEMORY")  # as in begin_logging


def write_cache(connection: Connection) -> None:
    """Give the writer's connection its larger page cache."""
    _pragma(connection, f"cache_size = -{WRITER_CACHE_KIB}")


def checkpoint(connection: Connection) -> bool:
    """Bring the log into the file and empty it; whether all was done. Outside a transaction, with writers kept out.

    Pages that a reader still needs stay for the next time. Readers that need none of the log are not waited for, and
    those that do for a moment only.
    """
    if not _is_all_moved(_pragma(connection, "wal_checkpoint(PASSIVE)")[0]):
        return False
    _pragma(connection, "busy_timeout = 100")
    try:
        return _is_all_moved(_pragma(connection, "wal_checkpoint(TRUNCATE)")[0])
    finally:
        _pragma(connection, f"busy_timeout = {BUSY_MILLISECONDS}")


def _is_all_moved(told: tuple[Any, ...]) -> bool:
    busy, pages, moved = told
    return not busy and pages == moved


def log_bytes(path: Path | None) -> int:
    """The size of the log that waits for a checkpoint."""
    try:
        return 0 if path is None else os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0


def is_busy(error: BaseException) -> bool:
    """Whether somebody else held the file, so that the same transaction may succeed in a moment."""
    return _code(error) == sqlite3.SQLITE_BUSY


def is_damage(error: BaseException) -> bool:
    """Whether a file turned out to be damaged, or no database at all."""
    return is_no_database(error) or _code(error) == sqlite3.SQLITE_CORRUPT


def is_no_database(error: BaseException) -> bool:
    """Whether a file turned out to be none of SQLite's."""
    return _code(error) == sqlite3.SQLITE_NOTADB


@contextmanager
def available() -> Iterator[None]:
    """Inside, what keeps a file from being read or written is raised as StoreUnavailable, damage as StoreError."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        unusable = unavailable(error)
        if unusable is not None:
            raise unusable from error
        if is_damage(error):
            raise StoreError(
                f"the database is damaged: {cause(error)}; restore a backup with 'lapse restore'"
            ) from error
        raise


def unavailable(error: BaseException) -> StoreUnavailable | None:
    """Return what an error is where the surroundings of a store are to blame; None for any other."""
    advice = _UNAVAILABLE.get(_code(error))
    if advice is None:
        return None
    return StoreUnavailable(f"the store cannot be used just now: {advice}", cause(error).sqlite_errorname)


def _code(error: BaseException) -> int:
    """SQLite's primary code of an error; 0 for any other's."""
    return (getattr(cause(error), "sqlite_errorcode", 0) or 0) & 0xFF


def cause(error: BaseException) -> Any:
    """The driver's error."""
    return error.orig if isinstance(error, DBAPIError) else error


def facts(connection: Connection) -> dict[str, object]:
    """The settings in force, for those who look after a store."""
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys", "busy_timeout", "page_size")
    found: dict[str, object] = {name: _pragma(connection, name)[0][0] for name in names}
    return {
        "database": "SQLite",
        "version": sqlite3.sqlite_version,
        "wal_reset_bug": not safe_version(),
        **found,
    }


def _pragma(connection: Connection, text: str) -> list[tuple[Any, ...]]:
    driver: Any = connection.connection.driver_connection
    return driver.execute(f"PRAGMA {text}").fetchall()  # type: ignore[no-any-return]


def _configure(driver: sqlite3.Connection, _record: object) -> None:
    """A new connection: the driver begins nothing by itself, commits reach the disk, checkpoints are ours."""
    driver.isolation_level = None
    for setting in (
        f"busy_timeout = {BUSY_MILLISECONDS}",
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"cache_size = -{READER_CACHE_KIB}",
    ):
        driver.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    """A deferred transaction that writes after it has read fails when another writer came between.

    A read inside a read finds a transaction under way in memory, where there is one connection only.
    """
    driver: Any = connection.connection.driver_connection
    if connection.get_execution_options().get(WRITES):
        driver.execute("BEGIN IMMEDIATE")
    elif not driver.in_transaction:
        driver.execute("BEGIN")
