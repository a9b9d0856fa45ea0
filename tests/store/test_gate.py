"""The turn to write: in the order in which they came, among processes, and for no longer than its holder lives."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from engine.store import gate as gates
from engine.store.gate import Gate
from engine.store.limits import StoreLimits
from engine.store.store import Store

FORKS = """
import os, sys
from pathlib import Path
from engine.store import gate as gates
plain, path = gates._ticket, Path(sys.argv[1])
for name in sys.argv[2:]:
    listen, tell = map(int, name.split(","))
    if os.fork():
        continue
    said, told = os.fdopen(listen), os.fdopen(tell, "w", buffering=1)
    def ticket(file):
        taken = plain(file)
        print("queued", file=told)
        return taken
    gates._ticket, gate = ticket, gates.Gate(path)
    print(os.getpid(), file=told)
    for line in said:
        with gate.alone():
            print("in", file=told)
            said.readline()
        print("out", file=told)
    os._exit(0)
"""


class Process:
    """One that comes into a gate when it is told to, and goes when it is told to."""

    def __init__(self) -> None:
        self.listens, say = os.pipe()
        listen, self.tells = os.pipe()
        self._said, self._told = os.fdopen(say, "w", buffering=1), os.fdopen(listen)

    def begin(self) -> None:
        """Know its process, once it is forked."""
        os.close(self.listens)
        os.close(self.tells)
        self.pid = int(self.told())

    def come(self) -> None:
        """Have it queue up, and wait until it has."""
        self.say()
        assert self.told() == "queued"

    def say(self) -> None:
        print(file=self._said)

    def told(self) -> str:
        return self._told.readline().strip()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self._said.close()
        self._told.close()


@pytest.fixture
def processes(path: Path) -> Iterator[list[Process]]:
    made = [Process() for _ in range(4)]
    ends = [(one.listens, one.tells) for one in made]
    names = [f"{listens},{tells}" for listens, tells in ends]
    command = [sys.executable, "-c", FORKS, str(path), *names]
    subprocess.run(command, check=True, cwd=os.getcwd(), pass_fds=[one for both in ends for one in both])
    for one in made:
        one.begin()
    yield made
    for one in made:
        one.end()


def test_turns_are_in_the_order_of_coming(processes: list[Process]) -> None:
    """Whoever has just had its turn and comes again is last, however quick it is."""
    first, *others = processes
    first.come()
    assert first.told() == "in"
    for one in others:
        one.come()
    first.say()
    assert first.told() == "out"
    first.come()
    for one in [*others, first]:
        assert one.told() == "in"
        one.say()
        assert one.told() == "out"


def test_threads_and_stores_of_one_process_queue_up_as_well(path: Path) -> None:
    gate, inside, order = Gate(path), threading.Event(), list[int]()
    queued = threading.Semaphore(0)

    class Telling(Gate):
        def _wait(self, file: int, timeout: float) -> None:
            plain = gates._ticket(file)
            assert plain is not None
            queued.release()
            super()._wait(file, timeout)

    def come(number: int) -> None:
        with Telling(path).alone():
            inside.wait(60)
            order.append(number)

    threads = []
    with gate.alone():
        for number in range(5):
            threads.append(threading.Thread(target=come, args=(number,)))
            threads[-1].start()
            assert queued.acquire(timeout=60)
        inside.set()
    for thread in threads:
        thread.join(60)
    assert order == [0, 1, 2, 3, 4]


def test_a_killed_holder_and_a_killed_waiter_are_in_nobodys_way(processes: list[Process], path: Path) -> None:
    holder, waiter, third, _ = processes
    holder.come()
    assert holder.told() == "in"
    waiter.come()
    third.come()
    assert Gate(path).holder == holder.pid
    waiter.signal(signal.SIGKILL)
    holder.signal(signal.SIGKILL)
    assert third.told() == "in"
    assert Gate(path).holder == third.pid
    third.say()
    assert third.told() == "out"
    assert Gate(path).holder is None
    with Gate(path).alone(0):
        pass


class Hours:
    """A clock that goes on by a second whenever somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds < 0.01
        self.seconds += 1


def test_a_wait_for_a_stopped_holder_is_told_and_ends(
    processes: list[Process], path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder = processes[0]
    holder.come()
    assert holder.told() == "in"
    holder.signal(signal.SIGSTOP)
    hours = Hours()
    waiting = Gate(path, 30.0, now=hours.now, sleep=hours.sleep)
    with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailable) as ended, waiting.alone():
        raise AssertionError
    assert hours.seconds == waiting.waited == 30
    assert ended.value.reason == "SQLITE_BUSY"
    assert f"after 30 s of waiting to write to it, process {holder.pid} holds it" in str(ended.value)
    assert "store_timeout" in str(ended.value)
    (told,) = caplog.messages
    assert told == f"waiting to write to '{path}' for 5 s: process {holder.pid} holds it"
    holder.signal(signal.SIGCONT)
    holder.say()
    assert holder.told() == "out"
    with waiting.alone():
        pass


def test_a_wait_just_below_the_timeout_gets_in(path: Path) -> None:
    other, hours = Gate(path), Hours()
    held = contextlib.ExitStack()
    held.enter_context(other.alone())

    def sleep(seconds: float) -> None:
        hours.sleep(seconds)
        if hours.seconds == 29:
            held.close()

    waiting = Gate(path, 30.0, now=hours.now, sleep=sleep)
    with waiting.alone():
        assert hours.seconds == 29


def test_a_process_whose_clock_is_behind_gets_its_turn(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with a clock of its own."""
    held = contextlib.ExitStack()
    held.enter_context(Gate(path).alone())
    monkeypatch.setattr(gates.time, "monotonic_ns", lambda: 5)
    hours = Hours()

    def sleep(seconds: float) -> None:
        hours.sleep(seconds)
        if hours.seconds == 3:
            held.close()

    with Gate(path, now=hours.now, sleep=sleep).alone():
        assert hours.seconds == 3
        with pytest.raises(StoreUnavailable), Gate(path, 0).alone():
            raise AssertionError


def test_in_memory_a_thread_may_come_in_twice() -> None:
    gate = Gate(None)
    with gate.alone(), gate.alone():
        assert gate.holder is None


def test_a_store_is_prepared_in_its_turn(tmp_path: Path) -> None:
    """Two processes that open an empty file must not both set it up; one that is set up keeps nobody waiting."""
    path = tmp_path / "lapse.db"
    at_once = StoreLimits(timeout=0.0)
    with Gate(path).alone(), pytest.raises(StoreUnavailable):
        Store(f"sqlite:///{path}", at_once)
    Store(f"sqlite:///{path}").close()
    first = Store(f"sqlite:///{path}")
    with Gate(path).alone():
        Store(f"sqlite:///{path}", at_once).close()
    first.close()
