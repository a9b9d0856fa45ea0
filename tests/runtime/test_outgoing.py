"""From decision to claim: asked once more, claimed by one, also where engines share a file (rulings 17, 21, 25)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Engine, Outgoing
from engine.clock import iso
from engine.config import load_settings
from engine.testing import Clock, Travel, travel

from .conftest import START, Lab

CART = """
Rule: cart
Trigger: cart
Condition: NOT buy within 24 hours
Action: mail
"""


def decided(lab: Travel) -> None:
    """The cart's mail is decided, an hour after its moment, and has not left."""
    lab.engine.ingest({"event": "cart", "user_id": "u1"})
    lab.clock.move("25 hours")
    assert lab.engine.decide_due() == 1
    assert list(lab.engine.counts_by_rule()[0].outbox) == ["pending"]


def outcome(lab: Travel) -> tuple[int, dict[str, int], str | None]:
    person = lab.engine.person("u1")
    assert person is not None
    return len(lab.actions), lab.engine.counts_by_rule()[0].outbox, person.journeys[0].reason


@pytest.mark.parametrize(
    ("rule", "event", "at", "end"),
    [
        pytest.param(CART, "buy", "2026-01-02T00:30:00Z", "exit", id="ruling 21: a purchase after the moment, an exit"),
        pytest.param(CART, "buy", "2026-01-01T20:00:00Z", "false", id="ruling 17: one before it, come late"),
        pytest.param(CART + "Exit: refund", "refund", "2026-01-01T05:00:00Z", "exit", id="an exit come late"),
        pytest.param(CART + "Exit: refund", "refund", "2026-01-02T01:00:00Z", "exit", id="an exit that comes now"),
        pytest.param(CART + "Exit: none", "buy", "2026-01-02T00:30:00Z", "overtaken", id="ruling 21: overtaken"),
    ],
)
def test_what_comes_between_decision_and_claim_cancels(lab: Lab, rule: str, event: str, at: str, end: str) -> None:
    with lab(rule) as here:
        decided(here)
        here.engine.ingest({"event": event, "user_id": "u1", "timestamp": at})
        here.engine.run_due()
        assert outcome(here) == (0, {"cancelled": 1}, end)


def test_an_exit_from_before_the_start_cancels_nothing(lab: Lab) -> None:
    with lab(CART + "Exit: refund") as here:
        decided(here)
        here.engine.ingest({"event": "refund", "user_id": "u1", "timestamp": "2025-12-31T23:59:59Z"})
        here.engine.run_due()
        assert outcome(here) == (1, {"sent": 1}, "finished")


def test_what_comes_after_the_claim_is_too_late(lab: Lab) -> None:
    with lab(CART) as here:
        decided(here)
        here.engine.run_due()
        here.engine.ingest({"event": "buy", "user_id": "u1"})
        here.engine.run_due()
        assert outcome(here) == (1, {"sent": 1}, "finished")


def test_only_while_is_asked_at_the_claim(lab: Lab) -> None:
    with lab(CART + "Only while: person.plan is not set") as here:
        decided(here)
        here.engine.identify("u1", {"plan": "pro"})
        here.engine.run_due()
        assert outcome(here) == (0, {"cancelled": 1}, "only_while")


def test_a_limit_is_asked_at_the_claim_in_the_order_of_moments(lab: Lab) -> None:
    rule = "Rule: r\nTrigger: cart\nAction: mail\nLimit: once per person\nTriggered again: each"
    with lab(rule) as here:
        here.clock.move("2 hours")
        late, early = "2026-01-01T01:00:00Z", "2026-01-01T00:30:00Z"
        here.engine.ingest([{"event": "cart", "user_id": "u1", "timestamp": at} for at in (late, early)])
        here.engine.run_due()
        assert [iso(one.moment) for one in here.actions] == [early]
        assert here.engine.counts_by_rule()[0].outbox == {"cancelled": 1, "sent": 1}


def test_an_end_takes_the_other_actions_that_have_not_left_with_it(lab: Lab) -> None:
    with lab(CART + "Wait: 10 minutes\nAction: push\nExit: refund") as here:
        decided(here)
        here.engine.ingest({"event": "refund", "user_id": "u1"})
        here.engine.run_due()
        assert outcome(here)[:2] == (0, {"cancelled": 2})


def test_what_is_too_late_at_the_claim_is_skipped(lab: Lab) -> None:
    with lab(CART) as here:
        decided(here)
        here.clock.move("24 hours")
        here.engine.run_due()
        assert outcome(here) == (0, {"skipped_late": 1}, "finished")


# ----------------------------------------------------------------------------------------- several engines


class Mailbox:
    """A channel that keeps the keys of what it got, from any thread."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def send(self, action: Outgoing) -> None:
        self.keys.append(action.key)


class Shared:
    """Engines on one file under one clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.mailbox = folder, Clock(START), Mailbox()
        self.engines: list[Engine] = []

    def open(self, rules: str | None = None) -> Engine:
        path = self.folder / "r.rules"
        if rules is not None:
            path.write_text(rules)
        settings = load_settings(store=f"sqlite:///{self.folder / 'lapse.db'}")
        given = path if rules is not None else None
        self.engines.append(Engine.open(rules=given, clock=self.clock, settings=settings, fallback=self.mailbox))
        return self.engines[-1]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    found = Shared(tmp_path)
    yield found
    for engine in found.engines:
        engine.close()


def test_a_service_takes_in_and_a_daemon_decides(shared: Shared) -> None:
    daemon, service = shared.open(CART), shared.open()
    service.ingest([{"event": "cart", "user_id": f"u{number}"} for number in range(3)])
    shared.clock.move("1 hour")
    service.ingest({"event": "buy", "user_id": "u1"})
    travel(daemon, shared.clock, "2026-01-04T00:00:00Z")
    assert [(one.person, iso(one.moment)) for one in daemon.sent()] == [
        ("u0", "2026-01-02T00:00:00Z"), ("u2", "2026-01-02T00:00:00Z"),
    ]  # fmt: skip
    assert len(shared.mailbox.keys) == 2
    assert [one.person for one in service.sent()] == ["u0", "u2"]


def test_a_purchase_the_service_takes_in_cancels_what_the_daemon_decided(shared: Shared) -> None:
    daemon, service = shared.open(CART), shared.open()
    service.ingest({"event": "cart", "user_id": "u1"})
    shared.clock.move("25 hours")
    daemon.decide_due()
    service.ingest({"event": "buy", "user_id": "u1"})
    daemon.run_due()
    assert shared.mailbox.keys == []
    assert service.counts_by_rule()[0].outbox == {"cancelled": 1}


def test_a_login_at_the_service_merges_what_the_daemon_waits_for(shared: Shared) -> None:
    daemon, service = shared.open(CART), shared.open()
    service.ingest([{"event": "cart", "anonymous_id": "x"}, {"event": "cart", "user_id": "u1"}])
    shared.clock.move("1 hour")
    daemon.run_due()
    service.ingest({"event": "login", "user_id": "u1", "anonymous_id": "x"})
    travel(daemon, shared.clock, "2026-01-04T00:00:00Z")
    assert len(shared.mailbox.keys) == 1


@pytest.mark.parametrize("engines", [1, 2], ids=["threads of one engine", "two engines on one file"])
def test_claimers_at_once_never_claim_one_action_twice(shared: Shared, engines: int) -> None:
    opened = [shared.open("Rule: r\nTrigger: a\nAction: mail"), *(shared.open() for _ in range(engines - 1))]
    opened[0].ingest([{"event": "a", "user_id": f"u{number}"} for number in range(700)])
    ready, errors = threading.Barrier(4), list[BaseException]()

    def claim(engine: Engine) -> None:
        try:
            ready.wait()
            engine.run_due()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=claim, args=(opened[number % engines],)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    opened[0].run_due()
    assert errors == []
    assert len(shared.mailbox.keys) == 700
    assert Counter(shared.mailbox.keys).most_common(1)[0][1] == 1
    assert opened[0].counts_by_rule()[0].outbox == {"sent": 700}
