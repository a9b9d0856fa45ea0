"""The command in a folder of its own: inside this process, or as a process."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.runtime.engine import Engine

PATIENCE = 90.0
"""Seconds for whatever a process is to do, on a machine that has much else to do."""


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Served:
    """A running ``lapse serve``, and a client of it. Made by the fixture ``serving``, which closes the client."""

    def __init__(self, place: Path, process: subprocess.Popen[bytes], key: str = "none") -> None:
        self.process = process
        self._log = place / "log"
        wait_for(lambda: self._announced() or process.poll() is not None)
        found = self._announced()
        assert found is not None, self._log.read_text()
        self.host, self.port = found[1], int(found[2])
        self.client = httpx2.Client(
            base_url=f"http://{self.host}:{self.port}", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
        )

    def _announced(self) -> re.Match[str] | None:
        return re.search(r"http://([\d.]+):(\d+)", self._log.read_text())

    @property
    def log(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with nothing of the tester's settings or terminal."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LAPSE_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def new_store(place: Path) -> None:
    """An empty store in the working directory, where settings look for one."""
    Engine.open("sqlite:///lapse.db").close()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that logs sends the whole process' log to a stream that ends with it."""
    loggers = [logging.getLogger(name) for name in (None, "lapse", "apscheduler")]
    before = [(one.handlers[:], one.level) for one in loggers]
    yield
    for one, (handlers, level) in zip(loggers, before, strict=True):
        one.handlers[:] = handlers
        one.setLevel(level)


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
def while_running(lapse: Callable[..., Ran]) -> Callable[..., Ran]:
    """Runs ``lapse run`` in this process, ``body`` beside it once it is up, and SIGTERM when that is done.

    ``body`` is given the lines of the log so far.
    """

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
        handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            ran = lapse("run", *words)
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)
            over.set()
            thread.join()
            logging.getLogger("lapse").removeHandler(handler)
        if failed:
            raise failed[0]
        return ran

    return run


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


@pytest.fixture
def serving(place: Path) -> Iterator[Callable[..., Served]]:
    """``serving(started("serve", ...), key)``: waits until it listens."""
    with ExitStack() as clients:

        def serve(process: subprocess.Popen[bytes], key: str = "none") -> Served:
            served = Served(place, process, key)
            clients.callback(served.client.close)
            return served

        yield serve


def wait_for(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Poll until ``what`` is true; fail after ``seconds``."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


def _command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "engine.cli", *map(str, words)]
