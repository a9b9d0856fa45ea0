"""A frozen and ticked wall clock, the daemon included, gives what the engine's own clock gives."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import freezegun
import pytest

from engine.config import load_settings
from engine.daemon import Daemon
from engine.runtime.engine import Engine
from engine.testing import Travel

START = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
HOURS = 24 * 12

RULES = """\
# Abandoned cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "reminder"
Wait: 2 days
Action: send_push "still_here"

# Quiet
Trigger: None
Condition: NOT any event within 4 days
Action: send_email "miss_you"

# Morning in Warsaw
Trigger: every day at 09:00 in Europe/Warsaw
Condition: purchase_completed in the last 7 days
Action: send_push "good_morning"

# By day only
Trigger: signed_up
Wait: 3 hours
Action: send_email "welcome"
Quiet hours: 21:00 to 09:00
"""

HAPPENINGS: dict[int, list[dict[str, Any]]] = {
    1: [{"event": "signed_up", "user_id": "ann"}, {"event": "cart_updated", "user_id": "bob"}],
    10: [{"event": "cart_updated", "user_id": "ann"}],
    20: [{"event": "cart_updated", "user_id": "bob"}, {"event": "signed_up", "user_id": "cid"}],
    33: [{"event": "purchase_completed", "user_id": "ann"}],
    44: [{"event": "cart_updated", "anonymous_id": "a-dan"}],
    50: [{"type": "identify", "anonymous_id": "a-dan", "user_id": "dan", "traits": {"plan": "free"}}],
    60: [{"event": "purchase_completed", "user_id": "dan"}],
    150: [{"event": "cart_updated", "user_id": "cid"}, {"event": "logged_in", "user_id": "bob"}],
}
PEOPLE = ("ann", "bob", "cid", "dan")

Story = dict[str, list[dict[str, Any]]]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "some.rules"
    path.write_text(RULES)
    return path


@pytest.fixture
def frozen() -> Iterator[Any]:
    with freezegun.freeze_time(START, ignore=["pydantic", "sqlalchemy.util.queue"]) as clock:
        yield clock


def story(engine: Engine) -> Story:
    """Every journey of every person, with what it did and when."""
    engine.settle()
    found = {}
    for id in PEOPLE:
        person = engine.person(id)
        assert person is not None
        found[id] = [one.plain() for one in person.journeys]
    return found


def actions(engine: Engine) -> list[tuple[int, str, str, str, str | None]]:
    return [(one.moment, one.person, one.rule, one.action, one.template) for one in engine.sent()]


@pytest.fixture
def own(rules: Path) -> tuple[Story, list[tuple[int, str, str, str, str | None]]]:
    """What happens under the engine's own clock, moved an hour at a time."""
    with Travel(rules, start=START) as travel:
        for hour in range(HOURS):
            travel.engine.ingest(HAPPENINGS.get(hour, ()))
            travel.move("1 hour")
        return story(travel.engine), actions(travel.engine)


def test_a_frozen_and_ticked_wall_clock_gives_the_same(
    own: tuple[Story, list[tuple[int, str, str, str, str | None]]], rules: Path, tmp_path: Path, frozen: Any
) -> None:
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")
    with Engine.open(settings=settings, rules=rules) as engine:
        daemon = Daemon(engine)
        daemon.start()
        try:
            for hour in range(HOURS):
                engine.ingest(HAPPENINGS.get(hour, ()))
                frozen.tick(datetime.timedelta(hours=1))
                daemon.wakeup()
            assert daemon.healthy
        finally:
            daemon.stop()
        assert len(own[1]) > 20
        assert actions(engine) == own[1]
        assert story(engine) == own[0]


@pytest.fixture
def quiet(tmp_path: Path, frozen: Any) -> Iterator[Daemon]:
    """A daemon with nothing to do, and a wake-up that stands."""
    (tmp_path / "some.rules").write_text("Trigger: signed_up\nWait: 20 years\nAction: hello\n")
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")
    with Engine.open(settings=settings, rules=tmp_path / "some.rules") as engine:
        engine.ingest({"event": "signed_up", "user_id": "ann"})
        daemon = Daemon(engine)
        daemon.start()
        yield daemon
        daemon.stop()


def all_stand_soon(daemon: Daemon) -> bool:
    """Whether the scheduler's thread comes to have every job stand within the next minute."""
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(minutes=1)
    never = threading.Event()
    return any(
        all(now < job.next_run_time <= until for job in daemon._scheduler.get_jobs()) or never.wait(0.01)
        for _ in range(1_000)
    )


def test_a_clock_that_leaps_ten_years_ahead_costs_a_handful_of_looks(
    quiet: Daemon, frozen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted are the moments of jobs that are worked out: there are 315 million seconds in ten years."""
    counted = 0
    jobs = quiet._scheduler.get_jobs()
    for trigger in {type(job.trigger) for job in jobs}:

        def worked_out(self: Any, *given: Any, plain: Any = trigger.get_next_fire_time) -> Any:
            nonlocal counted
            counted += 1
            assert counted < 1_000
            return plain(self, *given)

        monkeypatch.setattr(trigger, "get_next_fire_time", worked_out)
    frozen.tick(datetime.timedelta(days=3_652))
    quiet._scheduler.wakeup()
    assert all_stand_soon(quiet)
    assert 2 * len(jobs) <= counted < 50
    assert quiet.healthy


def test_a_clock_that_is_set_back_puts_nobody_to_sleep(quiet: Daemon, frozen: Any) -> None:
    frozen.tick(datetime.timedelta(days=-365))
    quiet._scheduler.wakeup()
    assert all_stand_soon(quiet)
    assert quiet.healthy
