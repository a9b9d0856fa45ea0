"""The writer: shared commits, failures that stay alone, an orderly and a disorderly end."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection

from engine.errors import StoreError
from engine.store.store import Store
from engine.store.writer import Writer


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
        opened.append(Writer(store.engine, store.gate, noting, lambda: None))
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
    writer: Writer[str, str] = Writer(either.engine, either.gate, noting, lambda: commits.append(None))
    noting.pause.clear()
    first = writer.submit("first")
    assert noting.begun.wait(60)
    with ThreadPoolExecutor(20) as threads:
        counted = [threads.submit(writer.run, count) for _ in range(20)]
        while writer._queue.qsize() < 20:
            time.sleep(0.001)
        noting.pause.set()
        after = writer.submit("payload")
        assert [one.result(60) for one in counted] == [2] * 20
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

    writer: Writer[str, str] = Writer(store.engine, store.gate, noting, committed)
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
