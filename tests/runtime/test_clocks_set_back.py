"""A clock that ran a day ahead and was put right holds nothing up for a day."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.clock import DAY, HOUR, MINUTE, SECOND
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing
from engine.delivery.lanes import Pace
from engine.runtime.engine import Engine
from engine.store import outbox
from engine.testing import Clock

RULE = "Rule: acts\nTrigger: bought\nAction: hello\n"
NOW = 1_800_000_000 * SECOND


def bind(**more: object) -> dict[str, object]:
    return {"channels": {"own": {"type": "python", **more}}, "actions": {"hello": "own"}}


@pytest.mark.parametrize(("rate", "each"), [("10/second", SECOND // 10), ("1/minute", MINUTE), ("1/hour", HOUR)])
def test_a_pace_waits_no_longer_than_between_two_sends(rate: str, each: int) -> None:
    pace = Pace(rate, NOW)
    pace.took(pace.room(NOW + DAY), NOW + DAY)
    assert pace.room(NOW) == 0
    assert pace.opens_at() == NOW + each
    assert pace.room(NOW + each) == 1


def test_a_channel_with_a_rate_goes_on(opened: Callable[..., Engine], clock: Clock) -> None:
    sent: list[str] = []
    engine = opened(RULE, **bind(rate="1/second"))
    engine.action("hello")(lambda action: sent.append(action.person))
    start = clock.now()

    def buy(person: str) -> None:
        engine.ingest({"event": "bought", "user_id": person})
        engine.run_due()

    buy("ann")
    clock.set(start + DAY)
    buy("bob")
    clock.set(start + MINUTE)
    buy("cid")
    clock.set(start + MINUTE + SECOND)
    engine.run_due()
    assert sent == ["ann", "bob", "cid"]


def test_retries_written_meanwhile_come_at_once(opened: Callable[..., Engine], clock: Clock) -> None:
    engine = opened(RULE, **bind())
    broken = True
    sent: list[str] = []

    def send(action: Outgoing) -> None:
        if broken:
            raise OSError("the receiver is down")
        sent.append(action.person)

    engine.action("hello")(send)
    start = clock.now()
    clock.set(start + DAY)
    engine.ingest([{"event": "bought", "user_id": f"u{one}"} for one in range(3)])
    engine.run_due()
    clock.set(start)
    broken = False
    engine.run_due()
    assert sent == []
    assert engine.clamp_pauses() == 3
    assert engine.clamp_pauses() == 0
    engine.run_due()
    assert sorted(sent) == ["u0", "u1", "u2"]


def test_a_pause_that_may_be_so_long_stays(opened: Callable[..., Engine], clock: Clock) -> None:
    engine = opened(RULE, **bind(first_retry="2 hours", longest_retry="2 hours"))

    def fail(_action: Outgoing) -> None:
        raise OSError("the receiver is down")

    engine.action("hello")(fail)
    engine.ingest({"event": "bought", "user_id": "ann"})
    engine.run_due()
    due = engine.next_due()
    assert due is not None
    assert due > clock.now() + HOUR
    assert engine.clamp_pauses() == 0
    assert engine.next_due() == due


def test_a_claim_written_meanwhile_is_over_after_a_whole_lease(opened: Callable[..., Engine], clock: Clock) -> None:
    engine = opened(RULE, **bind())
    start = clock.now()
    clock.set(start + DAY)
    engine.ingest({"event": "bought", "user_id": "ann"})
    engine.action("hello")(lambda _: None)

    def die(point: str) -> None:
        if point == "claimed":
            raise KeyboardInterrupt

    engine.sending.reached = die
    with pytest.raises(KeyboardInterrupt):
        engine.run_due()
    engine.sending.reached = lambda _: None
    clock.set(start)
    assert engine.clamp_pauses() == 1
    assert engine.next_due() == start + 5 * MINUTE
    clock.set(start + 5 * MINUTE)
    engine.run_due()
    assert engine.counts_by_rule()[0].outbox == {"sent": 1}


def test_what_cannot_be_shortened_does_not_keep_it_busy(
    opened: Callable[..., Engine], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rows of erased people, of which nothing is written."""
    test_retries_written_meanwhile_come_at_once(opened, clock)
    engine = opened(RULE, **bind())
    start = clock.now()
    clock.set(start + DAY)
    engine.action("hello")(lambda _: 1 / 0)
    engine.ingest({"event": "bought", "user_id": "dan"})
    engine.run_due()
    clock.set(start)
    monkeypatch.setattr(outbox, "save", lambda *_: None)
    assert engine.clamp_pauses() == 1


def test_a_daemon_looks_when_it_starts_and_when_it_keeps_house(
    opened: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every job runs at once when the clock is set back, and this is one of them."""
    engine = opened(RULE)
    looked: list[str] = []
    monkeypatch.setattr(engine, "clamp_pauses", lambda: looked.append("now"))
    daemon = Daemon(engine)
    daemon.start()
    assert looked
    before = len(looked)
    daemon._keep_house()
    assert len(looked) > before
    daemon.stop()
