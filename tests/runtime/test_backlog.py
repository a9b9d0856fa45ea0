"""Where much has fallen due that is late already, what falls due now does not wait for the end of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.config import load_settings
from engine.store.pace import Pace
from engine.testing import Clock, Recorder

RULES = """
Rule: slow
Trigger: begun
Condition: NOT ended within 24 hours
Action: track tracked

Rule: prompt
Trigger: set
Wait: until trigger.at
Action: say "now"
Exit: tracked

Rule: quiet
Trigger: rang
Action: ring "later"
Quiet hours: 21:00 to 09:00
Exit: tracked
"""
PAGE = 10
BACKLOG = 60
"""People who have fallen due an hour ago: six pages."""
NO_MORE = [f"rings no more {number}" for number in range(PAGE)]
"""People whose actions would leave now, but for what is late: twice as many as are taken out of the order at once."""


class Backlog:
    """A store in which much is late at nine, when a few more fall due."""

    def __init__(self, path: Path) -> None:
        self.clock, self.recorder = Clock("2026-01-01T08:00:00Z"), Recorder()
        (path / "r.rules").write_text(RULES)
        settings = load_settings(store=f"sqlite:///{path / 'lapse.db'}")
        self.engine = Engine.open(rules=path, clock=self.clock, settings=settings, fallback=self.recorder)
        self.engine._due._pace = Pace(0.1, first=PAGE, most=PAGE)
        for number in range(BACKLOG):
            self.event("begun", f"u{number}")
        self.clock.set("2026-01-01T08:10:00Z")
        for user in ("exits", *NO_MORE):
            self.event("begun", user)
        for user in ("exits", "leaves"):
            self.event("set", user, at="2026-01-02T09:00:00Z")
        self.clock.set("2026-01-01T22:00:00Z")
        for user in (*NO_MORE, "rings"):
            self.event("rang", user)
        self.engine.run_due()
        self.clock.set("2026-01-02T09:00:00Z")

    def event(self, name: str, user: str, **properties: str) -> None:
        assert self.engine.ingest({"event": name, "user_id": user, "properties": properties}).ok

    @property
    def sent(self) -> set[tuple[str, str]]:
        return {(one.person, one.action) for one in self.recorder.sent}

    @property
    def late(self) -> int:
        """How many of the backlog are still to be decided."""
        with self.engine.store.read() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM watches WHERE due_at IS NOT NULL")
            return int(found.scalar_one())


@pytest.fixture
def backlog(tmp_path: Path) -> Iterator[Backlog]:
    made = Backlog(tmp_path)
    yield made
    made.engine.close()


def test_what_falls_due_now_leaves_beside_the_backlog(backlog: Backlog) -> None:
    now = {("leaves", "say"), ("rings", "ring")}
    late = [backlog.late for _ in backlog.engine.due_pages(wait=False) if now <= backlog.sent]
    assert late[0] >= BACKLOG - 2 * PAGE
    assert late[-1] == 0, "and the backlog goes on"


def test_what_is_late_of_a_person_comes_before_what_falls_due_now(backlog: Backlog) -> None:
    """Whether its action is decided now, or was before and leaves now."""
    for _ in backlog.engine.due_pages(wait=False):
        pass
    assert backlog.sent == {("leaves", "say"), ("rings", "ring")}


def test_without_a_daemon_everything_that_is_due_is_decided_in_its_order(backlog: Backlog) -> None:
    decided = 0
    for page in backlog.engine.due_pages():
        decided += page.decided
        if page.sent:
            assert decided > BACKLOG
    assert backlog.sent == {("leaves", "say"), ("rings", "ring")}
