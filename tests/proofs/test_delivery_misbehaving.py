"""Receivers that misbehave, side by side with a good one: it gets everything, and none of them more than its due."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from engine import Engine
from engine.clock import MINUTE, SECOND, WallClock
from engine.config import load_settings
from engine.daemon import Daemon
from engine.testing import Clock
from tests.delivery.receivers import Play, Receiver, receiving, request
from tests.proofs.arrivals import until

MEGABYTE: Final = 1 << 20
PEOPLE: Final = 20
CONCURRENCY: Final = 2
RETRY_AFTER: Final = 10 * MINUTE
FLOOD: Final = b"x" * 65_536
COUNTING: Final = threading.Lock()
UNTRIED: Final = "SELECT count(*) FROM outbox WHERE name = ? AND (attempts < ? OR status IN ('pending', 'sending'))"


React = Callable[[socket.socket, threading.Event], bool]
"""What a receiver does once a request is there; whether it takes another one on that connection."""


def says(status: str) -> React:
    def react(connection: socket.socket, over: threading.Event) -> bool:
        connection.sendall(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
        return True

    return react


def cuts(connection: socket.socket, over: threading.Event) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return False


def drips(connection: socket.socket, over: threading.Event) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while not over.wait(0.01):
        connection.sendall(b"a")
    return False


def pours(connection: socket.socket, over: threading.Event) -> bool:
    """100 MB."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1_600):
        connection.sendall(FLOOD)
    return False


def hangs(until: threading.Event) -> React:
    return lambda connection, over: not until.wait()


REACTIONS: Final[dict[str, React]] = {
    "good": says("200 OK"),
    "failing": says("500 Internal Server Error"),
    "busy": says(f"429 Too Many Requests\r\nretry-after: {RETRY_AFTER // SECOND}"),
    "gone": says("410 Gone"),
    "cutting": cuts,
    "dripping": drips,
    "pouring": pours,
}


class Side:
    """A daemon with a channel to each receiver, under a clock that stands still; everybody gets an action of each."""

    def __init__(self, engine: Engine, clock: Clock, asked: Counter[str]) -> None:
        self.engine, self.clock = engine, clock
        self.asked = asked
        self.daemon = Daemon(engine)
        self.daemon.start()

    def go(self, first: int = 0) -> None:
        self.engine.ingest([{"event": "go", "user_id": f"u{number}"} for number in range(first, first + PEOPLE)])

    def states(self, name: str) -> Counter[str]:
        """How many actions of a channel are in which state."""
        with self.engine.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT status FROM outbox WHERE name = ?", (name,))
            return Counter(status for (status,) in rows)

    def tried(self, *names: str, times: int = 1) -> None:
        """Wait until what came of so many attempts at each action of some channels is written."""
        until(lambda: not any(self._untried(name, times) for name in names))

    def _untried(self, name: str, times: int) -> int:
        with self.engine.store.read() as connection:
            found = connection.exec_driver_sql(UNTRIED, (name, times)).scalar()
            assert isinstance(found, int)
            return found

    def later(self, micros: int) -> None:
        self.clock.set(self.clock.now() + micros)
        self.daemon.wakeup()


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    with ExitStack() as stack:
        clock, asked = Clock(WallClock().now()), Counter[str]()
        over = threading.Event()
        reactions = {**REACTIONS, "hanging": hangs(over)}
        receivers = {
            name: stack.enter_context(receiving(played(name, react, asked))) for name, react in reactions.items()
        }
        (tmp_path / "r.rules").write_text("\n".join(f"Rule: {one}\nTrigger: go\nAction: {one}\n" for one in reactions))
        settings = load_settings(
            store=f"sqlite:///{tmp_path / 'lapse.db'}",
            channels={name: channel(name, one) for name, one in receivers.items()},
            actions={name: name for name in reactions},
            delivery={"lease": "1 day"},
        )
        engine = Engine.open(rules=tmp_path / "r.rules", clock=clock, settings=settings)
        made = Side(engine, clock, asked)
        yield made
        made.daemon.stop()
        over.set()
        engine.close()


def played(name: str, react: React, asked: Counter[str]) -> Play:
    def play(connection: socket.socket, over: threading.Event) -> None:
        while request(connection):
            with COUNTING:
                asked[name] += 1
            if not react(connection, over):
                return

    return play


def channel(name: str, receiver: Receiver) -> dict[str, Any]:
    return {
        "type": "webhook",
        "url": receiver.url,
        "allow": ["127.0.0.1"],
        "concurrency": CONCURRENCY,
        "timeout": timedelta(seconds={"hanging": 300, "dripping": 0.2}.get(name, 20)),
    }


def test_the_good_one_gets_everything_while_the_others_do_their_worst(side: Side) -> None:
    side.go()
    side.tried("good")
    side.go(first=PEOPLE)
    side.tried("good")
    until(lambda: side.asked["hanging"] == CONCURRENCY)
    side.tried("failing", "busy", "cutting", "dripping", "pouring")
    assert side.asked["good"] == 2 * PEOPLE
    assert side.states("good") == {"sent": 2 * PEOPLE}
    for name in ("failing", "busy", "cutting", "dripping"):
        assert side.states(name) == {"failed": 2 * PEOPLE}
    assert side.states("pouring") == {"sent": 2 * PEOPLE}
    assert side.asked["hanging"] == CONCURRENCY
    assert side.states("hanging").keys() == {"sending", "pending"}


def test_nobody_is_asked_more_often_than_is_due(side: Side) -> None:
    trying = ("failing", "busy", "cutting")
    side.go()
    side.tried(*trying, "good")
    assert {name: side.asked[name] for name in trying} == dict.fromkeys(trying, PEOPLE)
    side.later(RETRY_AFTER - 1)
    side.tried("failing", "cutting", times=2)
    assert {name: side.asked[name] for name in trying} == {
        "failing": 2 * PEOPLE, "busy": PEOPLE, "cutting": 2 * PEOPLE,
    }  # fmt: skip
    side.later(1)
    side.tried("busy", times=2)
    assert {name: side.asked[name] for name in trying} == dict.fromkeys(trying, 2 * PEOPLE)
    assert side.asked["good"] == PEOPLE


def test_the_one_that_is_gone_is_left_alone(side: Side) -> None:
    side.go()
    until(side.engine.switches)
    side.tried("good")
    until(lambda: side.states("gone")["sending"] == 0)
    asked = side.asked["gone"]
    assert asked == side.states("gone")["dead"] <= 2 * CONCURRENCY
    side.go(first=PEOPLE)
    side.later(RETRY_AFTER)
    side.tried("good")
    assert side.states("good") == {"sent": 2 * PEOPLE}
    assert side.asked["gone"] == asked
    (stopped,) = side.engine.switches()
    assert (stopped.kind, stopped.name) == ("channel", "gone")


def test_none_of_them_fills_the_memory(side: Side) -> None:
    side.go()  # what is loaded once is loaded
    side.tried("good", "pouring", "dripping")
    tracemalloc.start()
    side.go(first=PEOPLE)
    side.tried("good", "pouring", "dripping")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MEGABYTE
