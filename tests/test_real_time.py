"""Real time: a daemon and a service, two processes on one file, and actions over HTTP.

What the service does not follow up within three seconds is acted on: never early, at most a second late. What it
does follow up is not.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.clock import SECOND
from engine.timestamps import parse_timestamp

WINDOW = 3 * SECOND
LATEST = 1 * SECOND
PATIENCE = 120.0

LOOK = 0.02
SLOWNESS = 10
"""A process does some things until it has sent something: each may come as late as the test's own short waits do."""

RULES = """\
Rule: abandoned-cart
Trigger: cart_updated
Condition: NOT purchase_completed within 3 seconds
Action: send_email "cart_reminder"
"""

SERVICE = """\
import json, time
import engine

carts = {}
for number in range(8):
    at = time.time_ns() // 1000
    engine.ingest({"event": "cart_updated", "user_id": f"u{number}"})
    carts[f"u{number}"] = at, time.time_ns() // 1000
    if number in (1, 4, 6):
        engine.ingest({"event": "purchase_completed", "user_id": f"u{number}"})
    time.sleep(0.15)
print(json.dumps(carts))
"""


class Receiver:
    """A real HTTP server that notes what it was sent, and when, in microseconds."""

    def __init__(self) -> None:
        self.got: list[tuple[int, dict[str, Any], str]] = []
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.time_ns() // 1_000
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append((at, json.loads(body), self.headers["webhook-id"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def place(tmp_path: Path, receiver: Receiver) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "cart.rules").write_text(RULES)
    (tmp_path / "lapse.toml").write_text(
        f'[channels.hook]\ntype = "webhook"\nurl = "{receiver.url}"\nallow = ["127.0.0.1"]\n'
        '[actions]\nsend_email = "hook"\n'
    )
    return tmp_path


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAPSE_")}
    return {**kept, "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def daemon(place: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (place / "log").open("wb") as log:
        command = [sys.executable, "-m", "engine.cli", "run"]
        running = subprocess.Popen(command, cwd=place, env=environment(), stdout=log, stderr=log)
    until = time.monotonic() + PATIENCE
    while b"1 rule live" not in (place / "log").read_bytes():
        assert running.poll() is None, (place / "log").read_text()
        assert time.monotonic() < until
        time.sleep(0.02)
    yield running
    running.kill()
    running.wait()


def test_never_early_at_most_a_second_late_and_silent_for_those_who_bought(
    place: Path, receiver: Receiver, daemon: subprocess.Popen[bytes]
) -> None:
    service = subprocess.run(
        [sys.executable, "-c", SERVICE], cwd=place, env=environment(), capture_output=True, timeout=PATIENCE, check=True
    )
    carts: dict[str, tuple[int, int]] = json.loads(service.stdout)
    last = max(after for _, after in carts.values())
    end, latest = time.monotonic() + PATIENCE, LATEST
    while time.time_ns() // 1_000 < last + WINDOW + LATEST or (len(receiver.got) < 5 and time.monotonic() < end):
        began = time.monotonic()
        time.sleep(LOOK)
        latest = max(latest, LATEST + SLOWNESS * int((time.monotonic() - began - LOOK) * SECOND))
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(PATIENCE) == 0

    assert sorted(body["person"] for _, body, _ in receiver.got) == ["u0", "u2", "u3", "u5", "u7"]
    for at, body, key in receiver.got:
        before, after = carts[body["person"]]
        assert before + WINDOW <= parse_timestamp(body["at"]) <= after + WINDOW
        assert parse_timestamp(body["at"]) <= at <= parse_timestamp(body["at"]) + latest
        assert (body["rule"], body["action"], body["template"]) == ("abandoned-cart", "send_email", "cart_reminder")
        assert body["key"] == key
    assert len({key for _, _, key in receiver.got}) == len(receiver.got)
