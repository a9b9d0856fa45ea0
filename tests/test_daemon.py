"""The daemon's life: it starts, stops, and lets another one in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from engine.clock import SECOND, moment
from engine.config import load_settings
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing
from engine.errors import StoreLocked, StoreUnavailable
from engine.runtime.due import Due
from engine.runtime.engine import Engine
from engine.testing import Clock

RULES = """\
Trigger: signed_up
Condition: NOT logged_in within 1 second
"""


@pytest.fixture
def engine(tmp_path: Path):
    (tmp_path / "some.rules").write_text(RULES)
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")
    with Engine.open(settings=settings, rules=tmp_path / "some.rules") as made:
        yield made


def test_stopping_waits_for_the_work_under_way(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = Daemon(engine)
    daemon.start()
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def slowly(*, wait: bool) -> Iterator[Due]:
        begun.set()
        go_on.wait(10)
        done.set()
        yield Due()

    monkeypatch.setattr(engine, "due_pages", slowly)
    engine.ingest({"event": "signed_up", "user_id": "ann"})
    assert begun.wait(10)
    stopping = threading.Thread(target=daemon.stop, daemon=True)
    stopping.start()
    stopping.join(0.3)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(10)
    assert not stopping.is_alive()
    assert done.is_set()


WAITS = "\n".join(f"Rule: r{one}\nTrigger: e{one}\nWait: {one} seconds\nAction: hello\n" for one in (10, 20, 50))


def test_what_is_written_while_the_store_is_asked_moves_the_wake_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what is read after work and where the wake-up then stands, another thread stores what is due earlier."""
    (tmp_path / "some.rules").write_text(WAITS)
    clock = Clock()
    began = clock.now()
    with Engine.open(f"sqlite:///{tmp_path}/lapse.db", rules=tmp_path / "some.rules", clock=clock) as engine:
        engine.ingest([{"event": "e10", "user_id": "ann"}, {"event": "e50", "user_id": "ann"}])
        daemon = Daemon(engine)
        daemon.start()
        daemon._scheduler.pause()
        clock.move("10 seconds")
        plain = engine.next_due

        def beaten() -> int | None:
            due = plain()
            engine.ingest({"event": "e20", "user_id": "ann"})
            return due

        monkeypatch.setattr(engine, "next_due", beaten)
        daemon._work()
        stands = daemon._scheduler.get_job("wake-up").next_run_time
        daemon.stop()
    assert stands == moment(began + 30 * SECOND)


def test_one_daemon_a_store_and_the_next_when_it_is_gone(engine: Engine) -> None:
    daemon = Daemon(engine)
    with pytest.raises(StoreLocked):
        Daemon(engine)
    daemon.stop()  # it was never started
    Daemon(engine).stop()


def test_the_log_is_kept_short_while_much_is_due(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.daemon.LOG_BYTES", 100_000)
    engine.ingest({"event": "signed_up", "user_id": f"u-{one}"} for one in range(300))
    sizes: list[int] = []
    plain = engine.due_pages

    def pages(*, wait: bool) -> Iterator[Due]:
        for page in plain(wait=wait):
            sizes.append(engine.store.log_bytes)
            yield page

    monkeypatch.setattr(engine, "due_pages", pages)
    monkeypatch.setattr(engine, "clock", Clock(engine.clock.now() + 5 * SECOND))
    monkeypatch.setattr(engine._due, "_clock", engine.clock)
    daemon = Daemon(engine)
    daemon._work()
    daemon.stop()
    assert len(sizes) > 5
    assert sum(sizes) > 1_000_000
    assert max(sizes[1:]) < 1_000_000


def test_what_other_processes_wrote_is_brought_in_too(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.daemon.LOG_BYTES", 100_000)
    daemon = Daemon(engine)
    with Engine.open(engine.store.url) as other:
        other.ingest({"event": "signed_up", "user_id": f"u-{one}"} for one in range(300))
        assert engine.store.log_bytes > 100_000
        daemon._look()
        assert engine.store.log_bytes == 0
    daemon.stop()


def test_nothing_that_comes_while_it_works_waits_for_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.daemon.LOOK_SECONDS", 3_600)
    (tmp_path / "some.rules").write_text("Trigger: go\nAction: hello")
    with Engine.open(f"sqlite:///{tmp_path}/lapse.db", rules=tmp_path / "some.rules") as engine:
        came = threading.Semaphore(0)
        engine.action("hello")(lambda action: came.release())
        daemon = Daemon(engine)
        daemon.start()
        for number in range(200):
            engine.ingest({"event": "go", "user_id": f"u{number}"})
        assert all(came.acquire(timeout=50) for _ in range(200))
        daemon.stop()


def live(engine: Engine) -> list[str]:
    return [rule.id for rule in engine.live.rules.values()]


def test_a_file_that_changes_after_it_was_loaded_and_before_the_daemon_starts_is_loaded_again(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "some.rules").write_text(f"Rule: new\n{RULES}")
    daemon = Daemon(engine)
    daemon._look()
    daemon._look()
    daemon.stop()
    assert live(engine) == ["new"]


def test_a_file_that_is_being_written_ends_nothing(engine: Engine, tmp_path: Path) -> None:
    path, before = tmp_path / "some.rules", live(engine)
    daemon = Daemon(engine)
    for written in ("", f"Rule: new\n{RULES[:9]}", f"Rule: new\n{RULES}"):
        path.write_text(written)
        daemon._look()
        assert live(engine) == before
    daemon._look()
    daemon.stop()
    assert live(engine) == ["new"]


def test_a_change_that_could_not_be_written_is_loaded_at_the_next_look(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise StoreUnavailable("the disk is full", "SQLITE_FULL")

    before = live(engine)
    (tmp_path / "some.rules").write_text(f"Rule: new\n{RULES}")
    daemon = Daemon(engine)
    with monkeypatch.context() as patch:
        patch.setattr(engine.writer, "run", full)
        daemon._look()
        with pytest.raises(StoreUnavailable):
            daemon._look()
    assert live(engine) == before
    daemon._look()
    daemon.stop()
    assert live(engine) == ["new"]


def test_rule_files_that_are_gone_are_told_once_and_leave_the_live_rules(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, before = tmp_path / "some.rules", live(engine)
    path.rename(tmp_path / "away")
    daemon = Daemon(engine)
    for _ in range(4):
        daemon._look()
    (told,) = caplog.messages
    assert told.startswith(f"there are no rules at '{path}'")
    assert told.endswith("until then the rules that were live stay live")
    assert live(engine) == before
    path.write_text(f"Rule: new\n{RULES}")
    daemon._look()
    daemon._look()
    daemon.stop()
    assert live(engine) == ["new"]


@pytest.mark.parametrize(("before", "after"), [(logging.NOTSET, logging.ERROR), (logging.DEBUG, logging.DEBUG)])
def test_the_scheduler_does_not_tell_of_every_look_unless_somebody_asked_it_to(
    engine: Engine, before: int, after: int
) -> None:
    library = logging.getLogger("apscheduler")
    was = library.level
    library.setLevel(before)
    daemon = Daemon(engine)
    try:
        daemon.start()
        assert library.level == after
    finally:
        daemon.stop()
        library.setLevel(was)


def test_told_to_halt_it_begins_no_further_page_and_what_is_due_stays_due(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load(_acting(engine))
    engine.ingest([{"event": "bought", "user_id": f"u{one}"} for one in range(900)])
    daemon = Daemon(engine)
    pages = engine.due_pages

    def halting(*, wait: bool) -> Iterator[Due]:
        for page in pages(wait=wait):
            if page.sent:
                daemon.halt()
            yield page

    monkeypatch.setattr(engine, "due_pages", halting)
    daemon.start()
    daemon.stop()
    (counts,) = engine.counts_by_rule()
    assert 0 < counts.outbox["sent"] < 900
    assert counts.outbox["sent"] + counts.outbox["pending"] == 900
    monkeypatch.undo()
    engine.run_due()
    assert engine.counts_by_rule()[0].outbox == {"sent": 900}


def test_halted_before_it_starts_it_decides_nothing(engine: Engine) -> None:
    engine.load(_acting(engine))
    engine.ingest({"event": "bought", "user_id": "ann"})
    daemon = Daemon(engine)
    daemon.halt()
    daemon.start()
    daemon.stop()
    assert engine.counts_by_rule()[0].outbox == {"pending": 1}


def _acting(engine: Engine) -> Path:
    path = Path(engine.settings.store.removeprefix("sqlite:///")).with_name("acting.rules")
    path.write_text("Rule: acts\nTrigger: bought\nAction: hello\n")
    return path


def test_sends_that_have_not_begun_are_given_back_in_one_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process is told to stop while a receiver hangs: only what is on the wire is in doubt."""
    (tmp_path / "acting.rules").write_text("Rule: acts\nTrigger: bought\nAction: hello\n")
    begun, go_on = threading.Event(), threading.Event()

    def hang(_action: Outgoing) -> None:
        begun.set()
        assert go_on.wait(60)

    channels = {"own": {"type": "python", "concurrency": 1}}
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db", channels=channels, actions={"hello": "own"})
    with Engine.open(settings=settings, rules=tmp_path / "acting.rules", actions={"hello": hang}) as engine:
        engine.ingest([{"event": "bought", "user_id": f"u{one}"} for one in range(20)])
        for _ in engine.due_pages(wait=False):
            pass
        assert begun.wait(60)
        taken = engine._lanes.under_way()["at_least_once"]
        assert taken > 1
        written = []
        run = engine.writer.run
        monkeypatch.setattr(engine.writer, "run", lambda function: written.append(function) or run(function))
        engine._lanes.cancel()
        engine.sending.give_back_cancelled()
        engine.sending.give_back_cancelled()
        assert len(written) == 1
        assert engine._lanes.under_way() == {"at_least_once": 1}
        (counts,) = engine.counts_by_rule()
        assert counts.outbox == {"sending": 1, "failed": taken - 1, "pending": 20 - taken}
        go_on.set()
    with Engine.open(settings=settings, actions={"hello": lambda _: None}) as engine:
        engine.run_due()
        assert engine.counts_by_rule()[0].outbox == {"sent": 20}
        attempts = {one.attempts for one in engine.deliveries().items}
        assert attempts == {1}
