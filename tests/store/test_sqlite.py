"""What is SQLite's own."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from engine.errors import StoreUnavailable
from engine.store import people, sqlite
from engine.store.store import Store


@pytest.mark.parametrize(
    ("version", "safe"),
    [((3, 6, 23), True), ((3, 7, 0), False), ((3, 40, 1), False), ((3, 51, 2), False), ((3, 51, 3), True)],
)
def test_the_versions_with_the_wal_reset_bug(version: tuple[int, int, int], safe: bool) -> None:
    assert sqlite.safe_version(version) is safe


def test_commits_reach_the_disk_and_checkpoints_are_ours(store: Store) -> None:
    facts = store.doctor()
    assert (facts["journal_mode"], facts["synchronous"], facts["wal_autocheckpoint"]) == ("wal", 2, 0)
    assert facts["foreign_keys"] == 1
    assert facts["version"] == sqlite3.sqlite_version
    assert facts["wal_reset_bug"] is not sqlite.safe_version()


def test_only_a_busy_file_is_worth_another_try(store: Store) -> None:
    writing = store.engine.execution_options(**{sqlite.WRITES: True})
    with writing.begin(), store.engine.connect() as other:
        other.exec_driver_sql("PRAGMA busy_timeout = 1")
        with pytest.raises(OperationalError) as busy:
            other.exec_driver_sql("INSERT INTO meta VALUES (1, 'a', 'b')")
    assert sqlite.is_busy(busy.value)
    with store.engine.connect() as connection, pytest.raises(OperationalError) as wrong:
        connection.exec_driver_sql("SELECT nothing")
    assert not sqlite.is_busy(wrong.value)
    assert not sqlite.is_busy(ValueError("locked"))


def test_a_store_that_cannot_be_used_says_why_and_what_to_do(store: Store) -> None:
    def write(setting: str) -> None:
        with store.read() as connection:
            connection.exec_driver_sql(f"PRAGMA {setting}")
            connection.exec_driver_sql("INSERT INTO meta VALUES (1, 'a', hex(zeroblob(100000)))")

    with pytest.raises(StoreUnavailable, match="its disk is full; make room there") as full:
        write("max_page_count = 1")
    assert full.value.reason == "SQLITE_FULL"
    with pytest.raises(StoreUnavailable, match="it may not be written; look at the rights") as kept:
        write("query_only = ON")
    assert kept.value.reason == "SQLITE_READONLY"
    with pytest.raises(OperationalError, match="nothing"), store.read() as connection:
        connection.exec_driver_sql("SELECT nothing")


def test_reads_see_one_moment(store: Store) -> None:
    writing = store.engine.execution_options(**{sqlite.WRITES: True})
    with store.read() as reading:
        before = people.next_id(reading)
        with writing.begin() as connection:
            people.create(connection, 1, [(before, b"x" * 16)], 0)
        assert people.next_id(reading) == before
    with store.read() as reading:
        assert people.next_id(reading) == before + 1


def test_reads_in_memory_may_stand_in_one_another() -> None:
    store = Store("sqlite://")
    with store.read() as outer:
        people.next_id(outer)
        with store.read() as inner:
            assert people.next_id(inner) == 1
        assert people.next_id(outer) == 1
    assert store.doctor()["integrity"] == "ok"
    store.close()
