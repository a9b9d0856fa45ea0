"""A store: one database, opened, migrated and looked after."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from engine.errors import StoreError
from engine.store import backups, checking, expected, files, home, lock, refusals, secrets, sqlite
from engine.store.gate import Gate
from engine.store.limits import DEFAULT, StoreLimits
from engine.store.migrations import is_current, upgrade
from engine.store.prepared import Prepared, bound, inserting, next_id
from engine.store.schema import workspaces

_log = logging.getLogger("lapse.store")

_NAMED = Prepared(select(workspaces.c.id).where(workspaces.c.name == bound("name")), "name")
_ADD = inserting(workspaces, "id", "workspace_id", "public_id", "name", "created_at")


class Store:
    """The database at a URL: ``sqlite:///file.db``, or ``sqlite://`` in memory.

    Opening it brings its tables up to date. Raises StoreError for a URL or file that is no store.
    """

    def __init__(self, url: str, limits: StoreLimits = DEFAULT) -> None:
        parsed = _parsed(url)
        self.url = url
        self.limits = limits
        self.path = sqlite.file_of(parsed)
        self.files = None if self.path is None else files.Files(self.path)
        self.gate = Gate(self.path, limits.timeout)
        self.log_limit = limits.log_bytes
        """The size of the log from which this process brings it into the file after it has written."""
        self._log_retried_at = 0
        self._closed = False
        self._daemon: lock.DaemonLock | None = None
        self.engine = sqlite.open_engine(parsed, self.files)
        try:
            self._prepare()
        except (DBAPIError, sqlite3.Error, OSError) as error:
            self.engine.dispose()
            raise refusals.refusal(url, self.path, error) from error
        except BaseException:
            self.engine.dispose()
            raise

    def _prepare(self) -> None:
        """Nothing is written, and nobody waited for, where others use the file and its tables are up to date."""
        if self.path is None:
            with self.gate.alone(), self._writing() as connection:
                upgrade(connection)
        elif not self._is_ready(self.path):
            with self.gate.alone():
                self._prepare_file(self.path)

    def _is_ready(self, path: Path) -> bool:
        if not path.exists() or not path.stat().st_size or not files.make_private(path):
            return False
        with self.engine.connect() as connection:
            is_ready = sqlite.is_logging(connection) and is_current(connection) and home.is_settled(connection, path)
            if is_ready:
                self._watch_files(path)
        return is_ready

    def _prepare_file(self, path: Path) -> None:
        """A file that no process has open is in rollback mode: so what is prepared stands in the file itself."""
        logged = files.make_private(path)
        with self._writing() as connection:
            if not logged and sqlite.is_logging(connection):
                home.refuse_copy(connection, path)
            upgrade(connection)
            home.settle(connection, path)
            backups.settle(connection)
            sqlite.begin_logging(connection)
            self._watch_files(path)

    def _writing(self) -> Connection:
        return self.engine.connect().execution_options(**{sqlite.WRITES: True})

    def _watch_files(self, path: Path) -> None:
        assert self.files is not None
        self.files.watch(*(Path(f"{path}{ending}") for ending in ("", files.LOG, files.INDEX)))

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

    def known_workspace(self, connection: Connection, name: str) -> int | None:
        """The row of a workspace; nothing where :meth:`workspace` has yet to make something of it."""
        row = _NAMED.row(connection, name)
        return None if row is None or not secrets.is_there(connection, int(row[0])) else int(row[0])

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
        """Bring the log into the file, with every process's writers kept out. True when all of it was."""
        with self.gate.alone(), sqlite.available(), self.engine.connect() as connection:
            return self._bring_in(connection)

    @property
    def is_log_long(self) -> bool:
        """Whether the log is to be brought into the file.

        Where readers were in the way of that, they are given time: it is tried again when the log has grown by half of
        the limit.
        """
        return self.log_bytes >= max(self.log_limit, self._log_retried_at)

    def keep_log_short(self, connection: Connection) -> None:
        """Bring a log that is long into the file; only inside the gate, on a connection without a transaction."""
        if not self.is_log_long:
            return
        try:
            self._bring_in(connection)
        except sqlite.Failure as error:  # what was written is in the log all the same
            _log.error("the log of '%s' cannot be brought into the file: %s", self.url, error)

    def _bring_in(self, connection: Connection) -> bool:
        self._log_retried_at = self.log_bytes + self.log_limit // 2
        whole = sqlite.checkpoint(connection)
        if whole:
            self._log_retried_at = 0
        return whole

    @property
    def log_bytes(self) -> int:
        """The size of the log that waits for a checkpoint."""
        return sqlite.log_bytes(self.path)

    def doctor(self, *, deep: bool = False) -> dict[str, Any]:
        """Return the settings in force and what is wrong, for those who look after the store.

        ``deep`` reads the whole file: indexes are compared with tables, references followed, counts compared.
        """
        with self.engine.connect() as connection:
            facts = sqlite.facts(connection)
            found = checking.pages(connection, deep=deep)
            schema = [] if found else expected.differences(connection)
            if deep and not found and not schema:
                found = checking.contents(connection)
        return {
            **facts,
            "integrity": "; ".join(found) or "ok",
            "schema": "; ".join(schema) or "ok",
            **({} if self.path is None else refusals.place(self.path)),
            "log_bytes": self.log_bytes,
        }

    def close(self) -> None:
        """Let go of the store. Whoever is the last brings the log in and ends it: the file is whole by itself then."""
        if self.path is not None and not self._closed:
            with suppress(DBAPIError, sqlite3.Error, StoreError, OSError), self.gate.alone(0):
                self._end_logging()
        self._closed = True
        self.engine.dispose()
        if self.files is not None:
            self.files.close()

    def _end_logging(self) -> None:
        with self.engine.connect() as last:
            self.engine.dispose()
            try:
                sqlite.end_logging(last)
            finally:
                last.invalidate()  # the pool it came from is gone


def path_of(url: str) -> Path | None:
    """Return the file of the store at ``url``; None for one in memory. Raises StoreError for no URL."""
    return sqlite.file_of(_parsed(url))


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
