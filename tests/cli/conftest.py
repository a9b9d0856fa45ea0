"""The command in a folder of its own: inside this process, or as a process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli import app

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with nothing of the tester's settings or terminal."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LAPSE_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
def lapse(place: Path) -> Callable[..., Ran]:
    """Runs the command in this process."""

    def run(*words: str | Path, stdin: str | None = None) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def while_running(lapse: Callable[..., Ran]) -> Iterator[Callable[..., Ran]]:
    """Runs ``lapse run`` in this process, ``body`` beside it once it is up, and SIGTERM when that is done.

    ``body`` is given the lines of the log so far.
    """
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("lapse").level, logging.getLogger("apscheduler").level

    def run(body: Callable[[list[str]], None], *words: str) -> Ran:
        lines: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("lapse").addHandler(handler)
        failed: list[BaseException] = []
        over = threading.Event()

        def beside() -> None:
            try:
                wait_for(lambda: over.is_set() or any(" live from " in line for line in lines))
                if not over.is_set():
                    body(lines)
            except BaseException as error:  # noqa: BLE001
                failed.append(error)
            finally:
                if not over.is_set():
                    signal.raise_signal(signal.SIGTERM)

        thread = threading.Thread(target=beside)
        thread.start()
        try:
            ran = lapse("run", *words)
        finally:
            over.set()
            thread.join()
            logging.getLogger("lapse").removeHandler(handler)
        if failed:
            raise failed[0]
        return ran

    yield run
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("lapse").setLevel(before[2])
    logging.getLogger("apscheduler").setLevel(before[3])


@pytest.fixture
def process(place: Path) -> Callable[..., Ran]:
    """Runs the command as a process and waits for its end."""

    def run(*words: str | Path, stdin: bytes = b"") -> Ran:
        done = subprocess.run(_command(*words), input=stdin, capture_output=True, timeout=PATIENCE, check=False)
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def started(place: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the command as a process; its log goes to a file ``log`` in the working directory."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str | Path, log: str = "log") -> subprocess.Popen[bytes]:
        with (place / log).open("wb") as file:
            running.append(subprocess.Popen(_command(*words), stdout=file, stderr=file, stdin=subprocess.DEVNULL))
        return running[-1]

    yield start
    for one in running:
        if one.poll() is None:
            one.kill()
        one.wait()


def wait_for(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll until ``what`` is true; fail after ``seconds``."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "engine.cli", *map(str, words)]
