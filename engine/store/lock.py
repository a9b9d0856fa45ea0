"""The lock between processes that says who is the daemon of a store.

It is a lock of the operating system on a small file beside the store, so it vanishes with the process that held it,
however it ended. A store in memory has one process only and needs none.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from engine.errors import StoreLocked
from engine.store.files import PRIVATE, Files


class DaemonLock:
    """Held by the one daemon of a store. The file names its process, for those who are refused."""

    def __init__(self, store: Path | None, files: Files | None = None) -> None:
        """Raises StoreLocked when another process, or another daemon of this one, holds it.

        ``files`` watch its file: whoever removes it would let a second daemon in.
        """
        self._file: int | None = None
        self._files = files
        self.released = False
        if store is None:
            return
        self._path = _beside(store, "lock")
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _process(file)
            os.close(file)
            who = f"process {holder}" if holder else "another process"
            raise StoreLocked(
                f"{who} runs the daemon of '{store}' already; stop it first, or give this one a store of its own",
                holder,
            ) from None
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self._file = file
        if files is not None:
            files.watch(self._path)

    def release(self) -> None:
        """Let another daemon in."""
        self.released = True
        if self._file is not None:
            if self._files is not None:
                self._files.forget(self._path)
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(store: Path | None) -> int | None:
    """The process that runs the daemon of a store; nothing when none does."""
    if store is None or not _beside(store, "lock").exists():
        return None
    file = os.open(_beside(store, "lock"), os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _process(file)
    else:
        return None
    finally:
        os.close(file)


def _beside(store: Path, what: str) -> Path:
    return store.with_name(f"{store.name}.{what}")


def _process(file: int) -> int | None:
    text = os.pread(file, 32, 0).decode("ascii", "replace")
    return int(text) if text.isdecimal() else None
