"""A damaged store: 57 ways, and all that SQLite's full check sees is seen by 'doctor --deep'."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from engine.doctor import examine
from engine.errors import StoreError
from engine.runtime.engine import Engine
from engine.store.store import Store

DAMAGES = 57
PAGE = 4_096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed store of 400 people with 2,000 events."""
    path = tmp_path_factory.mktemp("sound") / "lapse.db"
    with Engine.open(f"sqlite:///{path}") as engine:
        for day in range(5):
            engine.ingest(
                [{"event": f"e{day}", "user_id": f"u{user}", "properties": {"n": "x" * user}} for user in range(400)]
            )
    return path.read_bytes()


def damaged(sound: bytes, number: int) -> bytes:
    """The file with one damage: some bytes of a page overwritten, a page swapped with another, or the end cut off."""
    chance = random.Random(number)
    content = bytearray(sound)
    pages = len(content) // PAGE
    page = chance.randrange(1, pages) * PAGE
    if number % 3 == 0:
        other = chance.randrange(1, pages) * PAGE
        content[page : page + PAGE], content[other : other + PAGE] = (
            sound[other : other + PAGE],
            sound[page : page + PAGE],
        )
    elif number % 3 == 1:
        start = page + chance.randrange(PAGE - 64)
        content[start : start + 64] = chance.randbytes(64)
    else:
        start = page + chance.randrange(12)  # the header of the page
        content[start] ^= 1 << chance.randrange(8)
    return bytes(content)


def seen_by_sqlite(path: Path) -> bool:
    connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
    except sqlite3.DatabaseError:
        return True
    finally:
        connection.close()


def seen_by_doctor(path: Path, *, deep: bool) -> bool:
    try:
        with Engine.open(f"sqlite:///{path}") as engine:
            return not examine(engine, deep=deep).ok
    except StoreError as error:
        return "restore a backup" in str(error)


def test_what_the_full_check_sees_is_seen_by_the_deep_one(sound: bytes, tmp_path: Path) -> None:
    seen = quick = 0
    missed = []
    for number in range(DAMAGES):
        path = tmp_path / f"{number}.db"
        path.write_bytes(damaged(sound, number))
        if not seen_by_sqlite(path):
            continue
        seen += 1
        if not seen_by_doctor(path, deep=True):
            missed.append(number)
        path.write_bytes(damaged(sound, number))
        quick += seen_by_doctor(path, deep=False)
    assert missed == []
    assert seen > DAMAGES // 2
    assert quick < seen, "the quick check does not compare indexes with their tables"


def test_a_sound_store_is_well(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lapse.db"
    path.write_bytes(sound)
    for deep in (True, False):
        assert not seen_by_doctor(path, deep=deep)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DROP TABLE unreachable", "the table 'unreachable' is missing"),
        ("DROP INDEX ix_events_timeline", "the index 'ix_events_timeline' is missing"),
        ("CREATE INDEX mine ON events (at)", "the index 'mine' is none of Lapse's"),
        ("CREATE TABLE mine (a)", "the table 'mine' is none of Lapse's"),
        ("ALTER TABLE events ADD COLUMN mine INTEGER", "the column 'events.mine' is none of Lapse's"),
        ("ALTER TABLE people DROP COLUMN created_at", "the column 'people.created_at' is missing"),
        (
            "DROP TABLE counters; CREATE TABLE counters (workspace_id INTEGER, rule INTEGER, name TEXT, value INTEGER)",
            "the table 'counters' is not STRICT",
        ),
        (
            "DROP INDEX ix_events_timeline; CREATE INDEX ix_events_timeline ON events (person_id, at)",
            "the index 'ix_events_timeline' is another one",
        ),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_tables_that_differ_from_what_the_migrations_make_are_named(
    sound: bytes, tmp_path: Path, change: str, told: str, deep: bool
) -> None:
    path = tmp_path / "lapse.db"
    path.write_bytes(sound)
    connection = sqlite3.connect(path)
    connection.executescript(change)
    connection.close()
    store = Store(f"sqlite:///{path}")
    found = store.doctor(deep=deep)
    store.close()
    assert told in found["schema"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM people WHERE id = 7", "events of people who are not there"),
        ("DELETE FROM event_types WHERE name = 'e1'", "400 events of a type that is not there"),
        ("UPDATE people SET merged_into = 99999 WHERE id = 7", "1 people merged into somebody who is not there"),
        ("DELETE FROM people WHERE id = 7", "a row of 'identifiers' refers to a row of 'people' that is not there"),
    ],
)
def test_rows_that_do_not_agree_are_seen_by_the_deep_check_alone(
    sound: bytes, tmp_path: Path, change: str, told: str
) -> None:
    path = tmp_path / "lapse.db"
    path.write_bytes(sound)
    connection = sqlite3.connect(path)
    connection.executescript(change)
    connection.close()
    store = Store(f"sqlite:///{path}")
    quick, deep = store.doctor()["integrity"], store.doctor(deep=True)["integrity"]
    store.close()
    assert quick == "ok"
    assert told in deep
