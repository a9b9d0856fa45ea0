"""The daemon's life: it starts, stops, and lets another one in."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.daemon import Daemon
from engine.errors import StoreLocked
from engine.runtime.due import Due
from engine.runtime.engine import Engine

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

    def slowly() -> Due:
        begun.set()
        go_on.wait(10)
        done.set()
        return Due(0, 0, None)

    monkeypatch.setattr(engine, "run_due", slowly)
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


def test_one_daemon_a_store_and_the_next_when_it_is_gone(engine: Engine) -> None:
    daemon = Daemon(engine)
    with pytest.raises(StoreLocked):
        Daemon(engine)
    daemon.stop()  # it was never started
    Daemon(engine).stop()
