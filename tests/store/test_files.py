"""The files of a store: private, and noticed when they are taken away before anything is acknowledged."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StoreError, StoreLocked, StoreUnavailable
from engine.runtime.engine import Engine
from engine.store.store import Store

EVENT = {"event": "signed_up", "user_id": "ann"}
LOG = "-wal"


@pytest.fixture
def engine(path: Path) -> Any:
    with Engine.open(f"sqlite:///{path}") as opened:
        yield opened


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _moved(path: Path) -> None:
    path.rename(_beside(path, ".old"))


def _replaced(path: Path) -> None:
    content = path.read_bytes()
    path.rename(_beside(path, ".old"))
    path.write_bytes(content)


def _folder_moved(path: Path) -> None:
    path.parent.rename(path.parent.with_name(f"{path.parent.name}-moved"))


TAKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "moved": (_moved, "FILE_MOVED"),
    "deleted": (Path.unlink, "FILE_MOVED"),
    "replaced": (_replaced, "FILE_REPLACED"),
    "linked": (lambda path: _beside(path, ".link").hardlink_to(path), "FILE_LINKED"),
    "emptied": (lambda path: os.truncate(path, 0), "FILE_EMPTIED"),
    "its folder moved": (_folder_moved, "FILE_MOVED"),
    "its log deleted": (lambda path: _beside(path, LOG).unlink(), "FILE_MOVED"),
    "its log replaced": (lambda path: _replaced(_beside(path, LOG)), "FILE_REPLACED"),
    "its log's index deleted": (lambda path: _beside(path, "-shm").unlink(), "FILE_MOVED"),
}


@pytest.mark.parametrize("way", TAKEN)
def test_nothing_is_acknowledged_into_a_file_that_was_taken_away(engine: Engine, path: Path, way: str) -> None:
    engine.ingest(EVENT)
    take, reason = TAKEN[way]
    take(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as refused:
            engine.ingest(EVENT)
        assert refused.value.reason == reason
        assert str(path) in str(refused.value)
    with pytest.raises(StoreUnavailable):
        engine.events()


@pytest.mark.parametrize("way", TAKEN)
def test_neither_is_what_was_committed_while_the_file_was_taken(engine: Engine, path: Path, way: str) -> None:
    """The transaction was under way: the file was there when it began."""
    take, reason = TAKEN[way]
    with pytest.raises(StoreUnavailable) as refused:
        engine.writer.run(lambda _connection: take(path) and None)
    assert refused.value.reason == reason


def test_a_call_that_was_committed_elsewhere_is_not_tried_again(engine: Engine, path: Path) -> None:
    calls = []

    def once(_connection: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            _moved(path)

    with pytest.raises(StoreUnavailable):
        engine.writer.run(once)
    assert calls == [1]


def test_a_file_that_is_put_back_is_written_again(engine: Engine, path: Path) -> None:
    engine.ingest(EVENT)
    _moved(path)
    with pytest.raises(StoreUnavailable):
        engine.ingest(EVENT)
    assert not path.exists(), "no empty file may take the place of the one that was moved"
    _beside(path, ".old").rename(path)
    engine.ingest(EVENT)
    assert len(engine.events().events) == 2


def test_a_new_connection_makes_no_file_in_the_place_of_one_that_was_moved(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    with store.read():  # the pool has to open another connection
        _moved(path)
        with pytest.raises(StoreUnavailable), store.read():
            pass
    assert not path.exists()
    store.close()


def test_a_daemon_whose_lock_was_removed_writes_no_more(path: Path, store: Store) -> None:
    lock = store.lock()
    store.check_files()
    _beside(path, ".lock").unlink()
    with pytest.raises(StoreUnavailable, match=r"lapse\.db\.lock"):
        store.check_files()
    lock.release()
    store.check_files()


@pytest.mark.parametrize("leave", [Path.unlink, lambda path: os.truncate(path, 0)], ids=["absent", "empty"])
def test_a_file_that_once_had_a_log_is_not_new(path: Path, leave: Callable[[Path], object]) -> None:
    """SQLite would delete the log with what was acknowledged into it."""
    engine = Engine.open(f"sqlite:///{path}")
    engine.ingest(EVENT)
    log = _beside(path, LOG).read_bytes()
    engine.close()
    leave(path)
    _beside(path, LOG).write_bytes(log)
    with pytest.raises(StoreError, match=r"the log of a store lies beside it: '.*lapse\.db-wal'"):
        Store(f"sqlite:///{path}")
    assert _beside(path, LOG).read_bytes() == log


def test_an_empty_file_without_a_log_is_a_new_store(path: Path) -> None:
    path.touch()
    with Engine.open(f"sqlite:///{path}") as engine:
        assert engine.ingest(EVENT).ids


def test_a_hard_link_is_refused_until_it_is_gone(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    link = _beside(path, ".link")
    link.hardlink_to(path)
    for name in (path, link):
        with pytest.raises(StoreError, match="second name"):
            Store(f"sqlite:///{name}")
    link.unlink()
    Store(f"sqlite:///{path}").close()


def _by_link(path: Path) -> str:
    _beside(path, ".link").symlink_to(path)
    return f"{path}.link"


def _by_links(path: Path) -> str:
    _beside(path, ".second").symlink_to(_by_link(path))
    return f"{path}.second"


def _by_folder(path: Path) -> str:
    folder = path.parent.with_name(path.parent.name + "-link")
    folder.symlink_to(path.parent)
    return str(folder / path.name)


def _by_relative(path: Path) -> str:
    return os.path.relpath(path)


@pytest.mark.parametrize("name", [_by_link, _by_links, _by_folder, _by_relative])
def test_a_store_has_one_daemon_by_whatever_name_it_is_opened(
    path: Path, store: Store, name: Callable[[Path], str]
) -> None:
    lock = store.lock()
    other = Store(f"sqlite:///{name(path)}")
    assert other.path == store.path
    assert other.holder() == os.getpid()
    with pytest.raises(StoreLocked):
        other.lock()
    lock.release()
    other.close()


def test_the_folder_of_the_process_may_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    store = Store("sqlite:///lapse.db")
    with store.read():
        monkeypatch.chdir("/")
        with store.read() as second:
            assert second.exec_driver_sql("SELECT count(*) FROM meta").scalar_one() >= 0
    store.close()


@pytest.mark.parametrize("url", ["sqlite:///{path}?mode=rw", "sqlite:///file:{path}?uri=true"])
def test_a_url_with_parameters_is_refused(path: Path, url: str) -> None:
    """Under another name for the same file there would be another lock."""
    with pytest.raises(StoreError, match="a store takes none"):
        Store(url.format(path=path))


def test_all_files_are_their_owners_alone(path: Path, engine: Engine) -> None:
    before = os.umask(0)
    try:
        engine.ingest(EVENT)
        lock = engine.store.lock()
        rights = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
        lock.release()
    finally:
        os.umask(before)
    assert set(rights) >= {"lapse.db", "lapse.db-wal", "lapse.db-shm", "lapse.db.lock", "lapse.db.gate"}
    assert set(rights.values()) == {0o600}


def _header(path: Path) -> int:
    """SQLite's own mark in the file: 2 while it has a write-ahead log, else 1."""
    with path.open("rb") as file:
        return file.read(20)[18]


def _left_in_use(path: Path) -> None:
    """A store with acknowledged events in its log, as a process that is killed leaves it."""
    made = path.with_name("made.db")
    with Engine.open(f"sqlite:///{made}") as engine:
        engine.ingest([EVENT] * 3)
        for ending in ("", LOG):
            path.with_name(path.name + ending).write_bytes(made.with_name(made.name + ending).read_bytes())


def test_a_closed_store_is_whole_by_itself(path: Path) -> None:
    engine = Engine.open(f"sqlite:///{path}")
    assert _header(path) == 2
    other = Engine.open(f"sqlite:///{path}")
    engine.ingest(EVENT)
    engine.close()
    assert _header(path) == 2, "somebody else has it open"
    other.ingest(EVENT)
    other.close()
    other.close()
    assert _header(path) == 1
    assert not _beside(path, LOG).exists()
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    with Engine.open(f"sqlite:///{copy}") as engine:
        assert len(engine.events().events) == 2


def test_a_copy_of_a_store_in_use_is_refused_without_its_log(path: Path) -> None:
    copy = path.with_name("copy.db")
    with Engine.open(f"sqlite:///{path}") as engine:
        engine.ingest(EVENT)
        copy.write_bytes(path.read_bytes())
        log = _beside(path, LOG).read_bytes()
    content = copy.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"a copy of a store that was in use, without its log"):
            Store(f"sqlite:///{copy}")
        assert copy.read_bytes() == content
        assert not _beside(copy, LOG).exists()
    _beside(copy, LOG).write_bytes(log)
    with Engine.open(f"sqlite:///{copy}") as engine:
        assert len(engine.events().events) == 1
    with Engine.open(f"sqlite:///{copy}") as engine:
        assert len(engine.events().events) == 1


def test_a_store_of_a_killed_process_opens_again(path: Path) -> None:
    _left_in_use(path)
    for _ in range(2):
        with Engine.open(f"sqlite:///{path}") as engine:
            assert len(engine.events().events) == 3


def test_another_program_may_bring_the_log_in(path: Path) -> None:
    """It leaves the file in WAL mode without a log, where it has always been."""
    with Engine.open(f"sqlite:///{path}") as engine:
        engine.ingest(EVENT)
    shell = sqlite3.connect(path)
    shell.execute("PRAGMA journal_mode = WAL")
    shell.close()
    assert _header(path) == 2
    assert not _beside(path, LOG).exists()
    Store(f"sqlite:///{path}").close()


def test_a_closed_store_may_be_moved_and_moved_on(path: Path) -> None:
    Store(f"sqlite:///{path}").close()
    for name in ("second.db", "third.db"):
        moved = path.with_name(name)
        moved.write_bytes(path.read_bytes())
        path.unlink()
        path = moved
        store = Store(f"sqlite:///{path}")
        copy = path.with_name("copy.db")
        copy.write_bytes(path.read_bytes())
        with pytest.raises(StoreError, match="without its log"):
            Store(f"sqlite:///{copy}")
        store.close()


def test_a_store_of_before_homes_were_noted_opens(path: Path) -> None:
    store = Store(f"sqlite:///{path}")
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
    assert store.lock()
    assert store.checkpoint()
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    store.close()
    Store(f"sqlite:///{copy}").close()
