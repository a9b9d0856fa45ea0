"""The turn to write: one at a time among all processes on a store, in the order in which they came.

SQLite itself lets one process write at a time, but those that wait for it ask again now and then, and whoever writes
in a loop is always quicker. So whoever is to write, or to bring the log into the file, waits here first, before its
transaction begins.

The queue consists of locks on single bytes of a small file beside the store, which the system drops when their process
ends, however it ends. Whoever comes locks the byte that is numbered with the present moment, the *ticket*, and then
all bytes before it, which it gets once everybody who came earlier has gone. The locks belong to an open file and not to
a process, so threads, and several stores of a process, queue up like processes. Nothing is written into the file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine.errors import StoreUnavailable
from engine.store.files import PRIVATE
from engine.store.limits import DEFAULT

TELL_AFTER: Final = 5.0
"""Seconds of waiting after which the log is told of it, once a wait."""

_SHORTEST, _LONGEST = 0.000_05, 0.002
_SHARE: Final = 8
"""Whoever waits asks again after an eighth of the time it has waited: a turn that is handed over costs the same share
of the time between turns, be they long or short."""

_HOLDERS: Final = 1 << 62
"""Behind this byte the holder locks the one numbered with its process, so that others can name it."""

_log = logging.getLogger("lapse.store")


class Gate:
    """Lets one writer, or one checkpoint, in at a time.

    A store in memory has one connection, which is used by one thread at a time; that thread may come in twice.
    """

    def __init__(
        self,
        store: Path | None,
        timeout: float = DEFAULT.timeout,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._path = None if store is None else store.with_name(f"{store.name}.gate")
        self._timeout = timeout
        self._now, self._sleep = now, sleep
        self._in_memory = threading.RLock()
        self.waited = 0.0
        """Seconds spent waiting for a turn since this was opened."""

    @contextmanager
    def alone(self, timeout: float | None = None) -> Iterator[None]:
        """Inside, nobody else writes, and no checkpoint runs.

        Raises StoreUnavailable when ``timeout`` seconds, those the gate was made with unless given, were not enough.
        """
        if self._path is None:
            with self._in_memory:
                yield
            return
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            self._wait(file, self._timeout if timeout is None else timeout)
            yield
        finally:
            os.close(file)

    @property
    def holder(self) -> int | None:
        """The process whose turn it is; nothing where it is nobody's, or cannot be told."""
        if self._path is None or not self._path.exists():
            return None
        file = os.open(self._path, os.O_RDWR)
        try:
            return _holder(file)
        finally:
            os.close(file)

    def _wait(self, file: int, timeout: float) -> None:
        begun, told, ticket = self._now(), False, _ticket(file)
        while ticket is None or not _locked(file, 0, ticket):
            waited = self._now() - begun
            if waited >= timeout:
                self.waited += waited
                raise _unavailable(file, waited)
            if waited >= TELL_AFTER and not told:
                told = True
                _log.warning("waiting to write to '%s' for %.0f s: %s", self._store, waited, _in_the_way(file))
            self._sleep(min(max(waited / _SHARE, _SHORTEST), _LONGEST))
            ticket = _ticket(file) if ticket is None else ticket
        _locked(file, _HOLDERS + os.getpid())
        self.waited += self._now() - begun


def _ticket(file: int) -> int | None:
    """A place at the end of the queue; nothing where the holder's clock is ahead of this process's.

    The clock is the system's, which all processes share and which never goes back.
    """
    moment = time.monotonic_ns()
    return moment if _locked(file, moment) else None


def _unavailable(file: int, waited: float) -> StoreUnavailable:
    text = f"the store cannot be used just now: after {waited:.0f} s of waiting to write to it, {_in_the_way(file)}"
    return StoreUnavailable(f"{text}; see what it does, or set store_timeout longer", "SQLITE_BUSY")


def _in_the_way(file: int) -> str:
    process = _holder(file)
    return "another process that waits for it is before this one" if process is None else f"process {process} holds it"


def _holder(file: int) -> int | None:
    kind, start = _unpacked(_controlled(file, fcntl.F_OFD_GETLK, fcntl.F_WRLCK, _HOLDERS, 0))
    return None if kind == fcntl.F_UNLCK else start - _HOLDERS


# --------------------------------------------------------------------------------------- the system's locks

_DARWIN: Final = sys.platform == "darwin"
_LAYOUT: Final = "qqihh" if _DARWIN else "hhqqi4x"
"""The system's ``struct flock``: start, length, process, kind, whence; elsewhere kind and whence come first."""


def _locked(file: int, start: int, length: int = 1) -> bool:
    """Lock bytes for this open file alone; false while another one has any of them."""
    try:
        _controlled(file, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, start, length)
    except BlockingIOError:
        return False
    return True


def _controlled(file: int, command: int, kind: int, start: int, length: int) -> bytes:
    parts = (start, length, 0, kind, os.SEEK_SET) if _DARWIN else (kind, os.SEEK_SET, start, length, 0)
    return fcntl.fcntl(file, command, struct.pack(_LAYOUT, *parts))


def _unpacked(found: bytes) -> tuple[int, int]:
    """The kind of a lock, and its first byte."""
    parts = struct.unpack(_LAYOUT, found)
    return (parts[3], parts[0]) if _DARWIN else (parts[0], parts[2])
