"""The writer: shared commits, failures that stay alone, an orderly and a disorderly end."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection

from engine.errors import StoreError, StoreUnavailable
from engine.store import sqlite
from engine.store.gate import Gate
from engine.store.limits import StoreLimits
from engine.store.store import Store
from engine.store.writer import Postponed, Writer, _Call


class Noting:
    """A handler that stores texts as meta rows; ``seen`` are the sizes of the batches it was given."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.begun = threading.Event()
        self.pause = threading.Event()
        self.pause.set()

    def __call__(self, connection: Connection, texts: Sequence[str]) -> list[str]:
        self.begun.set()
        self.pause.wait(60)
        self.seen.append(len(texts))
        for text in texts:
            connection.exec_driver_sql("INSERT INTO meta VALUES (1, ?, '')", (text,))
            if text.startswith("bad"):
                raise ValueError(text)
        return [text.upper() for text in texts]


def stored(store: Store) -> set[str]:
    with store.read() as connection:
        return {key for (key,) in connection.exec_driver_sql("SELECT key FROM meta WHERE workspace_id = 1")}


@pytest.fixture(params=["file", "memory"])
def either(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{path}" if request.param == "file" else "sqlite://")
    yield opened
    opened.close()


@pytest.fixture
def noting() -> Noting:
    return Noting()


Opener = Callable[[Store], "Writer[str, str]"]


@pytest.fixture
def open_writer(noting: Noting) -> Iterator[Opener]:
    opened: list[Writer[str, str]] = []

    def opener(store: Store) -> Writer[str, str]:
        opened.append(Writer(store, noting, lambda: None))
        return opened[-1]

    yield opener
    for one in opened:
        one.close()


def test_calls_that_wait_share_a_commit(either: Store, noting: Noting, open_writer: Opener) -> None:
    writer = open_writer(either)
    noting.pause.clear()
    futures = [writer.submit(f"t{number}") for number in range(100)]
    noting.pause.set()
    assert [one.result(60) for one in futures] == [f"T{number}" for number in range(100)]
    assert len(noting.seen) <= 2
    assert len(stored(either)) == 100


def test_a_call_that_fails_fails_alone(either: Store, noting: Noting, open_writer: Opener) -> None:
    writer = open_writer(either)
    noting.pause.clear()
    futures = {text: writer.submit(text) for text in ("a", "bad", "b", "c")}
    noting.pause.set()
    for text in ("a", "b", "c"):
        assert futures[text].result(60) == text.upper()
    with pytest.raises(ValueError, match="bad"):
        futures["bad"].result(60)
    assert stored(either) == {"a", "b", "c"}


def test_functions_share_it_with_the_calls_that_wait(either: Store, noting: Noting) -> None:
    commits: list[None] = []
    writer: Writer[str, str] = Writer(either, noting, lambda: commits.append(None))
    noting.pause.clear()
    first = writer.submit("first")
    assert noting.begun.wait(60)
    with ThreadPoolExecutor(20) as threads:
        counted = [threads.submit(writer.run, count) for _ in range(20)]
        while writer._queue.qsize() < 20:
            time.sleep(0.001)
        noting.pause.set()
        after = writer.submit("payload")
        assert [one.result(60) for one in counted] == [1] * 20  # in the order in which they came
    assert (first.result(60), after.result(60)) == ("FIRST", "PAYLOAD")
    writer.close()
    assert len(commits) == 2


def count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM meta WHERE workspace_id = 1").scalar_one())


def test_a_function_that_fails_fails_alone(either: Store, noting: Noting, open_writer: Opener) -> None:
    def fails(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM meta WHERE workspace_id = 1")
        raise ValueError("no")

    writer = open_writer(either)
    noting.pause.clear()
    futures = [writer.submit("a")]
    assert noting.begun.wait(60)
    with ThreadPoolExecutor(2) as threads:
        failing = threads.submit(writer.run, fails)
        while writer._queue.empty():
            time.sleep(0.001)
        futures.append(writer.submit("b"))
        noting.pause.set()
        with pytest.raises(ValueError, match="no"):
            failing.result(60)
    assert [one.result(60) for one in futures] == ["A", "B"]
    assert stored(either) == {"a", "b"}


def test_a_function_has_its_turn_behind_what_was_submitted_before(either: Store, open_writer: Opener) -> None:
    writer = open_writer(either)
    writer.submit("before")
    assert writer.run(count) == 1

    def fails(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM meta WHERE workspace_id = 1")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.run(fails)
    assert stored(either) == {"before"}


def test_thirty_two_threads_lose_nothing_and_readers_go_on(either: Store, open_writer: Opener) -> None:
    writer = open_writer(either)
    failed: list[BaseException] = []
    ended = threading.Event()

    def write(number: int) -> None:
        try:
            for turn in range(20):
                writer.submit(f"{number}-{turn}").result(120)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    def read() -> None:
        try:
            while not ended.is_set():
                stored(either)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(32)]
    for one in (reader, *writers):
        one.start()
    for one in writers:
        one.join()
    ended.set()
    reader.join()
    assert failed == []
    assert len(stored(either)) == 32 * 20


def test_closing_finishes_what_is_queued(store: Store, noting: Noting, open_writer: Opener) -> None:
    writer = open_writer(store)
    noting.pause.clear()
    futures = [writer.submit(str(number)) for number in range(20)]
    threading.Timer(0.1, noting.pause.set).start()
    writer.close()
    assert all(one.done() for one in futures)
    assert len(stored(store)) == 20
    with pytest.raises(StoreError, match="closed"):
        writer.submit("late")


def test_what_kills_the_thread_reaches_every_caller(store: Store, noting: Noting) -> None:
    def committed() -> None:
        raise MemoryError("no more")

    writer: Writer[str, str] = Writer(store, noting, committed)
    noting.pause.clear()
    first = writer.submit("a")
    waiting = [writer.submit(f"b{number}") for number in range(5)]

    def run() -> None:
        with pytest.raises(StoreError):
            writer.run(lambda connection: None)

    function = threading.Thread(target=run)
    function.start()
    noting.pause.set()
    for one in (first, *waiting):
        with pytest.raises(StoreError):
            one.result(60)
    function.join(60)
    assert not function.is_alive()
    with pytest.raises(StoreError):
        writer.submit("late")
    writer.close()


def test_calling_the_writer_from_its_own_thread_is_refused(store: Store, open_writer: Opener) -> None:
    writer = open_writer(store)
    with pytest.raises(StoreError, match="inside"):
        writer.run(lambda connection: writer.run(lambda other: None))


def test_it_waits_for_writers_that_know_nothing_of_it(store: Store, path: Path, open_writer: Opener) -> None:
    writer = open_writer(store)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    future = writer.submit("patient")
    time.sleep(0.2)
    assert not future.done()
    other.execute("COMMIT")
    other.close()
    assert future.result(60) == "PATIENT"


# ------------------------------------------------------------------------------- how long a transaction takes


class Watch:
    """A clock that stands still unless work takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Timed:
    """A writer whose work takes as long as is said, with what each of its transactions did."""

    def __init__(self, store: Store, per_item: float = 0.0) -> None:
        self.watch = Watch()
        self.transactions: list[list[int]] = []
        self._now: list[int] = []
        self._per_item = per_item
        self.writer: Writer[int, int] = Writer(
            store, self._handle, self._committed, weigh=lambda items: items, now=self.watch
        )

    def _handle(self, _connection: Connection, payloads: Sequence[int]) -> Sequence[int]:
        self.watch.seconds += self._per_item * sum(payloads)
        self._now += payloads
        return payloads

    def _committed(self) -> None:
        self.transactions.append(self._now)
        self._now = []

    def function(self, seconds: float, number: int = 0) -> Callable[[Connection], int]:
        def run(_connection: Connection) -> int:
            self.watch.seconds += seconds
            self._now.append(number)
            return number

        return run

    def at_once(self, store: Store, calls: Sequence[int | Callable[[Connection], int]]) -> list[int]:
        """Put calls while the writer cannot begin; gives what they give."""
        with store.gate.alone():
            first = self.writer.submit(0)
            while self.writer._waiting or not self.writer._queue.empty():
                time.sleep(0.001)  # until it waits for its turn with the first
            futures = [
                self.writer.submit(one) if isinstance(one, int) else self.writer._put(_Call(function=one))
                for one in calls
            ]
        first.result(60)
        found = [one.result(60) for one in futures]
        self.writer.close()
        assert self.transactions.pop(0) == [0]
        return found


def test_functions_end_a_transaction_when_its_time_is_over(store: Store) -> None:
    timed = Timed(store)
    numbers = list(range(1, 8))
    assert timed.at_once(store, [timed.function(0.04, one) for one in numbers]) == numbers
    assert timed.transactions == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_function_that_takes_longer_has_a_transaction_of_its_own(store: Store) -> None:
    timed = Timed(store)
    assert timed.at_once(store, [timed.function(5, 1), timed.function(5, 2), 30]) == [1, 2, 30]
    assert timed.transactions == [[1], [2], [30]]


def test_payloads_share_a_transaction_as_far_as_they_fit_by_those_before(store: Store) -> None:
    timed = Timed(store, per_item=0.001)
    sizes = [600, 500, 60, 60, 30, 10, 100]
    assert timed.at_once(store, sizes) == sizes
    assert timed.transactions == [[600], [500], [60], [60, 30, 10], [100]]


def test_payloads_that_come_all_the_time_keep_no_function_out(store: Store) -> None:
    timed = Timed(store, per_item=0.001)
    found = timed.at_once(store, [800, timed.function(0.01, 1), timed.function(0.2, 2), 900, timed.function(0, 3), 40])
    assert found == [800, 1, 2, 900, 3, 40]
    assert timed.transactions == [[800], [1, 2], [900], [3, 40]]


# --------------------------------------------------------------------------------------- waits that end


def test_calls_that_wait_for_a_stopped_process_end_together(path: Path) -> None:
    """Each of them having its own wait would take hours."""
    store = Store(f"sqlite:///{path}", StoreLimits(timeout=0.2))
    noting = Noting()
    writer: Writer[str, str] = Writer(store, noting, lambda: None)
    with Gate(path).alone():
        futures = [writer.submit(f"t{number}") for number in range(50)]
        for one in futures:
            with pytest.raises(StoreUnavailable, match=f"process {os.getpid()} holds it"):
                one.result(60)
    assert store.gate.waited < 2
    assert noting.seen == []
    assert writer.submit("after").result(60) == "AFTER"
    writer.close()
    assert stored(store) == {"after"}
    store.close()


def test_a_stranger_that_keeps_the_file_is_waited_for_as_long(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MILLISECONDS", 5)
    store = Store(f"sqlite:///{path}", StoreLimits(timeout=0.1))
    writer: Writer[str, str] = Writer(store, Noting(), lambda: None)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process keeps it to itself"):
        writer.submit("kept out").result(60)
    other.execute("COMMIT")
    other.close()
    assert writer.submit("let in").result(60) == "LET IN"
    writer.close()
    store.close()
    assert [one for one in caplog.messages if "a program other than Lapse keeps it" in one] == caplog.messages != []


def test_work_that_is_postponed_is_done_outside_the_transaction(either: Store, open_writer: Opener) -> None:
    writer = open_writer(either)
    seen: list[object] = []

    def work() -> None:
        assert either.gate.holder is None
        with either.gate.alone(0.5):
            seen.append(stored(either))

    def function(connection: Connection) -> int:
        connection.exec_driver_sql("INSERT INTO meta VALUES (1, 'once', '')")
        if not seen:
            raise Postponed(work)
        return count(connection)

    assert writer.run(function) == 1
    assert seen == [set()]


def test_work_that_is_postponed_is_no_waiting_for_others(path: Path) -> None:
    """However long it takes: the turn after it is waited for as long as any."""
    store, clock = Store(f"sqlite:///{path}", StoreLimits(timeout=5)), [0.0]
    writer: Writer[str, str] = Writer(store, Noting(), lambda: None, now=lambda: clock[0])
    worked: list[bool] = []
    patience: list[float | None] = []
    alone = store.gate.alone

    def noting(timeout: float | None = None) -> AbstractContextManager[None]:
        patience.append(timeout)
        return alone(timeout)

    def work() -> None:
        worked.append(True)
        clock[0] += 60

    def function(connection: Connection) -> None:
        if not worked:
            raise Postponed(work)

    store.gate.alone = noting  # type: ignore[method-assign]
    writer.run(function)
    writer.close()
    store.close()
    assert patience[:2] == [5, 5]


# ------------------------------------------------------------------------------------------- the log


def put(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT INTO meta SELECT 1, hex(randomblob(8)), hex(zeroblob(50000))")


def test_whoever_writes_brings_the_log_in_without_a_daemon(path: Path) -> None:
    store = Store(f"sqlite:///{path}", StoreLimits(log_bytes=1_000_000))
    writer: Writer[str, str] = Writer(store, Noting(), lambda: None)
    sizes = []
    for _ in range(60):
        writer.run(put)
        writer.run(lambda _: None)  # the log is brought in behind the answer
        sizes.append(store.log_bytes)
    writer.close()
    assert max(sizes) < 1_000_000
    assert sizes.count(0) >= 5
    assert max(sizes) > 800_000
    assert store.doctor()["integrity"] == "ok"
    store.close()


def test_a_reader_in_the_way_of_the_log_is_given_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{path}", StoreLimits(log_bytes=1_000_000))
    writer: Writer[str, str] = Writer(store, Noting(), lambda: None)
    tried: list[int] = []
    plain = sqlite.checkpoint

    def checkpoint(connection: Connection) -> bool:
        tried.append(store.log_bytes)
        return plain(connection)

    monkeypatch.setattr(sqlite, "checkpoint", checkpoint)
    with store.read() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM meta").scalar_one()
        for _ in range(40):
            writer.run(put)
    assert [later - before >= 500_000 for before, later in pairwise(tried)] == [True] * (len(tried) - 1)
    assert 3 <= len(tried) <= 8
    for _ in range(10):
        writer.run(put)
    writer.run(lambda _: None)
    assert store.log_bytes < 1_000_000
    writer.close()
    store.close()


def test_a_log_that_cannot_be_brought_in_fails_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(f"sqlite:///{path}", StoreLimits(log_bytes=1_000))
    writer: Writer[str, str] = Writer(store, Noting(), lambda: None)

    def full(_connection: Connection) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite, "checkpoint", full)
    writer.run(put)
    assert writer.submit("after").result(60) == "AFTER"
    writer.close()
    store.close()
    assert "disk is full" in caplog.text
