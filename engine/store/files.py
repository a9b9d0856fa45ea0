"""The files of a store: made for their owner alone, and watched for being taken from under a process.

SQLite goes on with the files it has opened, whatever becomes of their names. So what is written after a file was
moved, deleted or replaced would be acknowledged into something that nobody opens again.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final
from weakref import WeakSet

from engine.errors import StoreError, StoreUnavailable

PRIVATE: Final = 0o600
"""The rights of every file of a store: its owner's. SQLite gives the log those of the database."""

LOG: Final = "-wal"
INDEX: Final = "-shm"
JOURNAL: Final = "-journal"
"""SQLite's endings of the log, of its index, and of what an interrupted transaction has to take back."""

CONTENT: Final = ("", LOG, JOURNAL)
"""The files without which a store is not whole, the database first."""

BESIDE: Final = (LOG, INDEX, JOURNAL, ".lock", ".gate")
"""The endings of all that may lie beside a store's file and belongs to it."""

_OPEN: Final[WeakSet[Files]] = WeakSet()
"""The files of all stores that this process has open."""

_Identity = tuple[int, int]
"""A device and an inode."""


def make_private(path: Path) -> bool:
    """Create the database file of a new store; return whether a log lies beside it.

    Raises StoreError for a file that must not be opened. One that is absent or empty beside a log is no new store:
    SQLite would delete the log.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        found = None
    if found is None or not found.st_size:
        _refuse_log(path, "absent" if found is None else "empty")
    if found is None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
    elif found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
        raise StoreError(_linked(path))
    return Path(f"{path}{LOG}").exists()


def _refuse_log(path: Path, state: str) -> None:
    log = Path(f"{path}{LOG}")
    if log.exists():
        raise StoreError(
            f"'{path}' is {state}, and the log of a store lies beside it: '{log}'; put the store's file back, "
            "or move the log away to begin a new store"
        )


class Files:
    """The files of one open store, as they were when it was opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = str(path)
        _OPEN.add(self)
        self._known: dict[str, _Identity] = {}  # by text: a path costs a check more than the look at the file

    def watch(self, *paths: Path) -> None:
        """Remember files that have to stay where they are."""
        for path in paths:
            self._known[str(path)] = _identity(os.stat(path))

    def forget(self, path: Path) -> None:
        """Let a file go."""
        self._known.pop(str(path), None)

    def close(self) -> None:
        """Let all files go."""
        self._known.clear()

    def holds(self, identity: _Identity) -> bool:
        """Return whether a file is one of these."""
        return identity in self._known.values()

    def check(self) -> None:
        """Raise StoreUnavailable where a file is no longer the one that was opened, or has a second name."""
        for path, identity in tuple(self._known.items()):
            try:
                found = os.stat(path)
            except OSError:
                raise StoreUnavailable(
                    f"'{path}' was moved or deleted while the store is open; put it back, or stop this process",
                    "FILE_MOVED",
                ) from None
            if (found.st_dev, found.st_ino) != identity:
                raise StoreUnavailable(
                    f"another file has taken the place of '{path}' while the store is open; start this process again",
                    "FILE_REPLACED",
                )
            if found.st_nlink > 1:
                raise StoreUnavailable(_linked(path), "FILE_LINKED")
            if not found.st_size and path == self._database:
                raise StoreUnavailable(
                    f"'{path}' was emptied while the store is open; stop this process and restore a backup",
                    "FILE_EMPTIED",
                )


def is_open_here(path: Path) -> bool:
    """Return whether this process has a store open at a path."""
    identity = _identity(os.stat(path))
    return any(one.holds(identity) for one in tuple(_OPEN))


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino


def _linked(path: Path | str) -> str:
    return (
        f"'{path}' has a second name (a hard link), and a store opened by two names is damaged; "
        f"find the other with \"find / -xdev -samefile '{path}'\" and remove it"
    )
