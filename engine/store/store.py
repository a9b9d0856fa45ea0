"""A store: one database, opened, migrated and looked after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from engine.errors import StoreError
from engine.store import files, home, lock, secrets, sqlite
from engine.store.migrations import upgrade
from engine.store.prepared import Prepared, bound, inserting, next_id
from engine.store.schema import workspaces

_NAMED = Prepared(select(workspaces.c.id).where(workspaces.c.name == bound("name")), "name")
_ADD = inserting(workspaces, "id", "workspace_id", "public_id", "name", "created_at")


class Store:
    """The database at a URL: ``sqlite:///file.db``, or ``sqlite://`` in memory.

    Opening it brings its tables up to date. Raises StoreError for a URL or file that is no store.
    """

    def __init__(self, url: str) -> None:
        parsed = _parsed(url)
        self.url = url
        self.path = sqlite.file_of(parsed)
        self.files = None if self.path is None else files.Files(self.path)
        self.gate = lock.Gate(self.path)
        self._closed = False
        self._daemon: lock.DaemonLock | None = None
        self.engine = sqlite.open_engine(parsed, self.files)
        try:
            self._prepare()
        except DBAPIError as error:
            self.engine.dispose()
            raise StoreError(f"'{url}' cannot be opened as a store: {error.orig}; name another file") from error
        except OSError as error:
            self.engine.dispose()
            raise StoreError(f"'{url}' cannot be opened: {error.strerror}; does its folder exist?") from error
        except BaseException:
            self.engine.dispose()
            raise

    def _prepare(self) -> None:
        with self.gate.alone():
            if self.path is None:
                with self._writing() as connection:
                    upgrade(connection)
            else:
                self._prepare_file(self.path)

    def _prepare_file(self, path: Path) -> None:
        """A file that no process has open is in rollback mode: so what is prepared stands in the file itself."""
        logged = files.make_private(path)
        with self._writing() as connection:
            if not logged and sqlite.is_logging(connection):
                home.refuse_copy(connection, path)
            upgrade(connection)
            home.settle(connection, path)
            sqlite.begin_logging(connection)
            assert self.files is not None
            self.files.watch(*(Path(f"{path}{ending}") for ending in ("", files.LOG, files.INDEX)))

    def _writing(self) -> Connection:
        return self.engine.connect().execution_options(**{sqlite.WRITES: True})

    def check_files(self) -> None:
        """Raise StoreUnavailable where what was just committed is not in the file at the store's path."""
        if self.files is not None:
            self.files.check()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose reads all see one moment of the store. Raises StoreUnavailable where they cannot."""
        alone = self.gate.alone() if self.path is None else nullcontext()
        with alone, sqlite.available(), self.engine.connect() as connection:
            yield connection

    def workspace(self, connection: Connection, name: str, now: int, public_id: bytes) -> int:
        """The row of a workspace, which is made when it is not there yet."""
        found = _NAMED.row(connection, name)
        row = next_id(connection, workspaces) if found is None else int(found[0])
        if found is None:
            _ADD.many(connection, [(row, row, public_id, name, now)])
        secrets.ensure(connection, row)
        return row

    def lock(self) -> lock.DaemonLock:
        """Become the store's daemon. Raises StoreLocked when it has one."""
        self._daemon = lock.DaemonLock(self.path, self.files)
        return self._daemon

    def holder(self) -> int | None:
        """The process that is the store's daemon."""
        return lock.holder(self.path)

    def checkpoint(self) -> bool:
        """Bring the log into the file, with every process's writers kept out. True when all of it was.

        Raises StoreError for anybody but the holder of the store's lock: one process checkpoints, no other.
        """
        if self._daemon is None or self._daemon.released:
            raise StoreError("only the daemon of a store checkpoints it")
        with self.gate.alone(), sqlite.available(), self.engine.connect() as connection:
            return sqlite.checkpoint(connection)[0]

    @property
    def log_bytes(self) -> int:
        """The size of the log that waits for a checkpoint."""
        return sqlite.log_bytes(self.path)

    def doctor(self) -> dict[str, Any]:
        """The settings in force, for those who look after the store."""
        with self.engine.connect() as connection:
            facts = {**sqlite.facts(connection), "integrity": sqlite.quick_check(connection)}
        return {**facts, "log_bytes": self.log_bytes}

    def close(self) -> None:
        """Let go of the store. Whoever is the last brings the log in and ends it: the file is whole by itself then."""
        if self.path is not None and not self._closed:
            with suppress(DBAPIError, sqlite3.Error, StoreError, OSError), self.gate.alone_at_once() as alone:
                if alone:
                    self._end_logging()
        self._closed = True
        self.engine.dispose()

    def _end_logging(self) -> None:
        with self.engine.connect() as last:
            self.engine.dispose()
            try:
                sqlite.end_logging(last)
            finally:
                last.invalidate()  # the pool it came from is gone


def missing_file(url: str) -> Path | None:
    """The file that the store at ``url`` would lie in, where it is not there yet. Raises StoreError for no URL."""
    path = sqlite.file_of(_parsed(url))
    try:
        if path is not None:
            path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except OSError:  # it may be there; whoever opens it is told what is wrong
        return None
    return None


def refuse_second_daemon(url: str) -> None:
    """Raise StoreLocked where the store at ``url`` has a daemon. Opens and changes nothing."""
    path = sqlite.file_of(_parsed(url))
    if path is not None and lock.holder(path) is not None:
        lock.DaemonLock(path).release()  # raises; it succeeds where that daemon has just ended


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(f"'{url}' is no URL of a store; write it like 'sqlite:///lapse.db'") from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreError(f"stores on {parsed.get_backend_name()} are not supported yet; use 'sqlite:///lapse.db'")
    if parsed.query:
        raise StoreError(f"'{url}' has parameters, and a store takes none; write it like 'sqlite:///lapse.db'")
    return parsed
