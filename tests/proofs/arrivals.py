"""What arrived at receivers that are processes of their own and outlive every sender."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds for whatever others are to do, on a machine that has much else to do."""


class Arrival(NamedTuple):
    """One request or mail. ``way`` is the path it was posted to, or who sent the mail; ``at`` is in seconds."""

    id: str
    digest: str
    at: float
    way: str
    body: str
    headers: dict[str, str]


class Arrivals:
    """A receiver that runs, and what it took."""

    def __init__(self, port: int, file: Path) -> None:
        self.port = port
        self._file = file
        self._hold = file.with_name(file.name + ".hold")
        self._read = 0
        self._found: list[Arrival] = []

    @property
    def all(self) -> list[Arrival]:
        """Everything so far, in order."""
        with contextlib.suppress(FileNotFoundError), self._file.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._found.append(Arrival(**json.loads(line)))
        return list(self._found)

    @contextmanager
    def answering_nobody(self) -> Iterator[None]:
        """It takes what comes, and inside this nobody is told."""
        self._hold.touch()
        try:
            yield
        finally:
            self._hold.unlink()


@contextmanager
def recording(folder: Path, kind: str, name: str) -> Iterator[Arrivals]:
    """A receiver, ``http`` or ``smtp``, that runs inside this."""
    file = folder / f"{name}.jsonl"
    with helper("recorder", kind, file) as process:
        assert process.stdout is not None
        yield Arrivals(int(process.stdout.readline()), file)


@contextmanager
def helper(module: str, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A program of this folder as a process, spoken to line by line, that is ended with this."""
    command = [sys.executable, "-m", f"tests.proofs.{module}", *map(str, words)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for what others do; fails after ``seconds``."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not what():
        assert time.monotonic() < end, "it did not come about"
        pause.wait(0.01)
