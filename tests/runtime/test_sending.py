"""Sending: lanes that do not wait for one another, what is stopped, parked, sealed, given back and recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import MINUTE, SECOND, WallClock
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing, Sealed, SendError
from engine.errors import ConfigError
from engine.runtime.sealing import Job
from engine.runtime.sending import Sending
from engine.testing import Clock, travel
from tests.proofs.arrivals import PATIENCE, until
from tests.runtime.sends import ONE, Died, Opened, dies_at, go, rows, states

TWO = {
    "channels": {"slow": {"type": "python", "concurrency": 2}, "fast": {"type": "python"}},
    "actions": {"call": "slow", "mail": "fast"},
}
BOTH = "Rule: r\nTrigger: go\nAction: call\n\nRule: s\nTrigger: go\nAction: mail\n"


class Hanging:
    """A receiver that answers when it is told to."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()

    def __call__(self, action: Outgoing) -> None:
        self.got.append(action.key)
        self.begun.release()
        assert self.let_go.wait(PATIENCE)


# ------------------------------------------------------------------------------------------------ lanes


def test_a_receiver_that_hangs_slows_none_of_the_others(opened: Opened) -> None:
    engine = opened(BOTH, by=WallClock(), **TWO)
    hanging, got = Hanging(), []
    engine.action("call")(hanging)
    engine.action("mail")(got.append)
    go(engine, 30)
    daemon = Daemon(engine)
    daemon.start()
    try:
        for _ in range(2):
            assert hanging.begun.acquire(timeout=PATIENCE)
        go(engine, 30, first=30)
        until(lambda: len(got) == 60)
        assert len(hanging.got) == 2
        hanging.let_go.set()
        until(lambda: states(engine) == {"sent": 120})
    finally:
        hanging.let_go.set()
        daemon.stop()
    assert len(set(hanging.got)) == 60


def test_no_more_are_under_way_than_the_channel_allows(opened: Opened) -> None:
    engine = opened(ONE, channels={"few": {"type": "python", "concurrency": 3}}, actions={"mail": "few"})
    at_once, most, lock = 0, 0, threading.Lock()

    @engine.action("mail")
    def send(action: Outgoing) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.002)
        with lock:
            at_once -= 1

    go(engine, 50)
    engine.run_due()
    assert states(engine) == {"sent": 50}
    assert most == 3


def test_a_rate_spreads_what_leaves(opened: Opened, clock: Clock) -> None:
    engine = opened(ONE, channels={"slow": {"type": "python", "rate": "2/second"}}, actions={"mail": "slow"})
    at: list[int] = []
    engine.action("mail")(lambda action: at.append(clock.now()))
    go(engine, 9)
    start = clock.now()
    travel(engine, clock, start + MINUTE)
    assert [(one - start) / SECOND for one in at] == [0, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]


def test_what_a_lane_has_not_begun_is_given_back_when_it_closes(opened: Opened, clock: Clock) -> None:
    engine = opened(BOTH, **TWO)
    hanging = Hanging()
    engine.action("call")(hanging)
    engine.action("mail")(lambda action: None)
    go(engine, 5)
    for _ in engine.due_pages(wait=False):
        pass
    for _ in range(2):
        assert hanging.begun.acquire(timeout=PATIENCE)
    closing = threading.Thread(target=engine.close)
    threading.Timer(0.2, hanging.let_go.set).start()
    closing.start()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    again = opened(**TWO)
    calls = [row for row in rows(again) if row.name == "call"]
    assert sorted((row.status, row.attempts) for row in calls) == [
        ("failed", 0), ("failed", 0), ("pending", 0), ("sent", 1), ("sent", 1),
    ]  # fmt: skip
    again.action("call")(hanging)
    again.run_due()
    assert states(again) == {"sent": 10}
    assert len(hanging.got) == len(set(hanging.got)) == 5


# ---------------------------------------------------------------------------------------------- stopped


@pytest.mark.parametrize(("channel", "sent"), [("slow", {"mail"}), (None, set())])
def test_what_is_paused_waits_and_leaves_afterwards(
    opened: Opened, clock: Clock, channel: str | None, sent: set[str]
) -> None:
    engine = opened(BOTH, **TWO)
    got: list[str] = []
    for name in ("call", "mail"):
        engine.action(name)(lambda action: got.append(action.action))
    assert engine.pause_delivery(channel)
    assert not engine.pause_delivery(channel)
    go(engine)
    engine.run_due()
    assert set(got) == sent
    assert engine.next_due() is None
    assert [(one.kind, one.name, one.reason) for one in engine.switches()] == [
        ("all", "", "by hand") if channel is None else ("channel", channel, "by hand")
    ]
    clock.move("1 hour")
    assert engine.resume_delivery(channel)
    assert not engine.resume_delivery(channel)
    engine.run_due()
    assert set(got) == {"call", "mail"}


def test_what_waited_too_long_is_skipped_when_it_goes_on(opened: Opened, clock: Clock) -> None:
    engine = opened(ONE)
    engine.pause_delivery()
    go(engine)
    engine.run_due()
    clock.move("25 hours")
    engine.resume_delivery()
    engine.run_due()
    assert states(engine) == {"skipped_late": 1}


def test_another_process_sees_the_pause(opened: Opened) -> None:
    engine = opened(ONE)
    got: list[Outgoing] = []
    engine.action("mail")(got.append)
    opened().pause_delivery()
    go(engine)
    engine.run_due()
    assert got == []


def test_a_channel_that_does_not_exist_is_not_paused(opened: Opened) -> None:
    with pytest.raises(ConfigError, match=r"there is no channel \'fats\'; did you mean \'fast\'\?"):
        opened(BOTH, **TWO).pause_delivery("fats")


def test_a_receiver_that_is_gone_stops_its_channel(
    opened: Opened, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    engine = opened(ONE)
    tries: list[Outgoing] = []

    @engine.action("mail")
    def gone(action: Outgoing) -> None:
        tries.append(action)
        raise SendError("the receiver answered 410", permanent=True, gone=True)

    go(engine)
    engine.run_due()
    go(engine, 3, first=1)
    engine.run_due()
    assert len(tries) == 1
    assert states(engine) == {"dead": 1, "pending": 3}
    (stopped,) = engine.switches()
    assert (stopped.kind, stopped.name) == ("channel", "python")
    assert "410" in stopped.reason
    (alert,) = (one for one in caplog.records if one.levelname == "ERROR")
    assert alert.getMessage() == (
        "alert: the channel 'python' is switched off: the receiver answered 410: it wants nothing more; look at where "
        "it sends to, then: lapse resume --channel python"
    )
    assert vars(alert)["fields"] == {"alert": "channel_gone", "channel": "python", "reason": stopped.reason}


def test_what_was_taken_up_before_its_channel_was_stopped_waits_too(opened: Opened) -> None:
    engine = opened(ONE, channels={"one": {"type": "python", "concurrency": 1}}, actions={"mail": "one"})
    tries: list[Outgoing] = []

    @engine.action("mail")
    def gone(action: Outgoing) -> None:
        tries.append(action)
        raise SendError("the receiver answered 410", permanent=True, gone=True)

    go(engine, 2)
    engine.run_due()
    assert len(tries) == 1
    assert [(row.status, row.attempts) for row in rows(engine)] == [("dead", 1), ("failed", 0)]


SLOW = {"channels": {"one": {"type": "python", "concurrency": 1}}, "actions": {"mail": "one"}}


@pytest.fixture
def given_back(opened: Opened, clock: Clock) -> Callable[..., tuple[Engine, list[str]]]:
    """An engine whose channel was paused while one action was on its way and another claimed behind it."""

    def make(more: str = "", **settings: Any) -> tuple[Engine, list[str]]:
        engine = opened(ONE + more, **{**SLOW, **settings})
        got: list[str] = []

        @engine.action("mail")
        def mail(action: Outgoing) -> None:
            if not got:
                engine.pause_delivery("one")
            got.append(action.person)

        go(engine, 2)
        engine.run_due()
        assert [(row.status, row.attempts) for row in rows(engine)] == [("sent", 1), ("failed", 0)]
        return engine, got

    return make


@pytest.mark.parametrize(
    ("more", "happens", "after", "became"),
    [
        ("", {}, "1 hour", ("sent", None)),
        ("", {}, "24 hours", ("sent", None)),
        ("", {}, "24h1s", ("skipped_late", None)),
        ("Late: skip after 1 hour\n", {}, "2 hours", ("skipped_late", None)),
        ("", {"event": "unsubscribed"}, "1 hour", ("cancelled", "exit")),
        ("", {"event": "unsubscribed", "properties": {"channel": "one"}}, "1 hour", ("cancelled", "exit")),
        ("Exit: bought\n", {"event": "bought"}, "1 hour", ("cancelled", "exit")),
        ("Only while: NOT bought since trigger\n", {"event": "bought"}, "1 hour", ("cancelled", "only_while")),
        ("Only while: NOT mail since trigger\n", {}, "1 hour", ("sent", None)),
        ("Limit: once per person\n", {}, "1 hour", ("sent", None)),
    ],
)
def test_what_was_given_back_before_its_first_attempt_is_asked_again(
    given_back: Callable[..., tuple[Engine, list[str]]],
    clock: Clock,
    more: str,
    happens: dict[str, Any],
    after: str,
    became: tuple[str, str | None],
) -> None:
    engine, got = given_back(more)
    clock.move(after)
    if happens:
        engine.ingest({**happens, "user_id": "u1"})
    engine.resume_delivery("one")
    engine.run_due()
    (_, second) = rows(engine)
    assert (second.status, second.reason) == became
    assert (second.left_at is not None) == (became[0] == "sent") == ("u1" in got)
    (counts,) = engine.counts_by_rule()
    assert (counts.started, counts.acted, counts.ended) == ((2, 2, 0) if became[0] == "sent" else (2, 1, 1))


def test_a_no_by_attribute_counts_for_what_was_given_back(
    given_back: Callable[..., tuple[Engine, list[str]]],
) -> None:
    engine, got = given_back()
    engine.identify("u1", {"unsubscribed": ["one"]})
    engine.resume_delivery("one")
    engine.run_due()
    assert rows(engine)[1].reason == "unsubscribed"
    assert got == ["u0"]


def test_what_was_given_back_has_its_place_under_caps_and_waits_for_quiet_hours(
    given_back: Callable[..., tuple[Engine, list[str]]], clock: Clock
) -> None:
    engine, got = given_back(
        caps={"marketing": "1 per person per 2 days"}, quiet_hours=["22:00 to 23:00"], late="2 days"
    )
    clock.move("22h30m")
    engine.resume_delivery("one")
    engine.run_due()
    assert got == ["u0"]
    clock.move("30 minutes")
    engine.run_due()
    assert got == ["u0", "u1"]


def test_what_was_given_back_goes_with_its_rule(
    given_back: Callable[..., tuple[Engine, list[str]]], tmp_path: Path
) -> None:
    engine, got = given_back()
    (tmp_path / "r.rules").write_text("Rule: other\nTrigger: never\n")
    assert engine.reload().ok
    engine.resume_delivery("one")
    engine.run_due()
    assert (rows(engine)[1].status, rows(engine)[1].reason) == ("cancelled", "rule_removed")
    assert got == ["u0"]


def test_a_channel_that_cannot_work_holds_up_none_of_the_others(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {
        "channels": {"hook": {"type": "webhook", "url": {"env": "HOOK_URL"}}},
        "actions": {"call": "hook", "mail": "python"},
    }
    monkeypatch.delenv("HOOK_URL", raising=False)
    engine, got = opened(BOTH, **settings), []
    engine.action("mail")(got.append)
    go(engine, 3)
    engine.run_due()
    assert len(got) == 3
    assert states(engine) == {"pending": 3, "sent": 3}
    told = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert len(told) == 1
    assert told[0].startswith("actions 'call' wait: ")
    with pytest.raises(ConfigError, match="HOOK_URL"):
        engine.check_channels()


# ------------------------------------------------------------------------------------- deaths and outcomes


@pytest.mark.parametrize(
    ("delivery", "point", "after", "times"),
    [
        ("at_least_once", "claimed", {"sent": 1}, 1),
        ("at_least_once", "answered", {"sent": 1}, 2),
        ("at_least_once", "recorded", {"sent": 1}, 1),
        ("at_most_once", "claimed", {"parked": 1}, 0),
        ("at_most_once", "answered", {"parked": 1}, 1),
        ("at_most_once", "recorded", {"sent": 1}, 1),
    ],
)
def test_a_death_at_each_point(
    opened: Opened, clock: Clock, delivery: str, point: str, after: dict[str, int], times: int
) -> None:
    settings = {"channels": {"p": {"type": "python", "delivery": delivery}}, "actions": {"mail": "p"}}
    engine, got = opened(ONE, **settings), []
    engine.action("mail")(lambda action: got.append(action.key))
    dies_at(engine, point)
    go(engine)
    with pytest.raises(Died):
        engine.run_due()
    engine.close()
    again = opened(**settings)
    again.action("mail")(lambda action: got.append(action.key))
    again.run_due()
    clock.set(clock.now() + 5 * MINUTE)
    again.run_due()
    assert states(again) == after
    assert len(got) == times
    assert len(set(got)) <= 1


def test_the_lease_is_a_setting(opened: Opened, clock: Clock) -> None:
    engine, got = opened(ONE, delivery={"lease": "1 minute"}), []
    engine.action("mail")(got.append)
    dies_at(engine, "claimed")
    go(engine)
    with pytest.raises(Died):
        engine.run_due()
    engine.sending.reached = lambda _: None
    clock.set(clock.now() + MINUTE - 1)
    engine.run_due()
    assert got == []
    clock.set(clock.now() + 1)
    engine.run_due()
    assert len(got) == 1


def test_a_bounce_is_an_event_and_the_last_mail_to_that_address(opened: Opened) -> None:
    engine = opened(
        'Rule: r\nTrigger: go\nAction: mail "hello"\nTags: promo\n',
        channels={"post": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
        actions={"mail": "post"},
    )
    tries: list[Outgoing] = []
    route = engine._routes.of("mail")

    def refuses(action: Outgoing) -> None:
        tries.append(action)
        raise SendError("550 5.1.1 no such user", permanent=True, bounced=True)

    class Post:
        def seal(self, action: Outgoing) -> Any:
            return Sealed(b"a mail", action.variables["person"]["email"])

        def send(self, action: Outgoing) -> None:
            refuses(action)

    engine._routes._found["mail"] = route._replace(channel=Post())
    engine.identify("u0", {"email": "ann@example.com"})
    go(engine)
    engine.run_due()
    (bounced,) = engine.events("u0", names="email_bounced").events
    assert bounced.properties["rule"] == "r"
    assert bounced.properties["hard"] is True
    assert bounced.properties["tag"] == ["promo"]
    engine.identify("u1", {"email": "Ann@Example.com"})
    go(engine, 1, first=1)
    engine.run_due()
    assert len(tries) == 1
    assert [(row.status, row.reason) for row in rows(engine)] == [("dead", None), ("suppressed", "unreachable")]


def test_who_is_erased_after_the_claim_gets_nothing(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = opened("Rule: r\nTrigger: go\nAction: call\n", **TWO)
    hanging = Hanging()
    engine.action("call")(hanging)
    carried: list[Future[None] | None] = []
    send_off = Sending._send_off

    def noted(sending: Sending, job: Job) -> Future[None] | None:
        carried.append(send_off(sending, job))
        return carried[-1]

    monkeypatch.setattr(Sending, "_send_off", noted)
    go(engine, 5)
    for _ in engine.due_pages(wait=False):
        pass
    for _ in range(2):
        assert hanging.begun.acquire(timeout=PATIENCE)
    told = [engine.erase(f"u{number}") for number in range(5)]
    hanging.let_go.set()
    for future in carried:  # each has had its turn, so that closing gives none of them back
        assert future is not None
        future.result(PATIENCE)
    engine.close()
    assert len(hanging.got) == 2
    assert [one["on_the_wire"] for one in told if one] == [1, 1, 1, 1, 0]
