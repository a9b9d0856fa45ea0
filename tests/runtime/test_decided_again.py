"""Deciding again what has not left: the outbox holds every action once, of the journey and with the values as decided.

An action that is decided and has not left yet (its channel is busy, its process ended) must live through whatever comes
late: what does not bear on it changes nothing, what does gives it other values.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.clock import iso
from engine.runtime.deliveries import Asked
from engine.testing import Travel

from .conftest import Lab

START = "2026-01-01T00:00:00Z"
ENDINGS = ["", "Triggered again: restart\n", "Triggered again: restart for at most 6 hours\n", "For each: trigger.x\n"]
RULE = "Rule: r\nTrigger: cart\nCondition: NOT buy within 1 hour\nAction: mail with plan = person.plan\n"


def late(at: str, **fields: Any) -> dict[str, Any]:
    return {"user_id": "u1", "timestamp": at, **fields}


LATE = {
    "nothing": None,
    "a trigger between": late("2026-01-01T00:20:00Z", event="cart", properties={"x": "2"}),
    "a trigger before": late("2025-12-31T23:50:00Z", event="cart", properties={"x": "3"}),
    "a purchase before": late("2025-12-31T23:40:00Z", event="buy"),
    "another kind": late("2026-01-01T00:40:00Z", event="view"),
    "an attribute": late("2026-01-01T00:10:00Z", type="identify", traits={"plan": "pro"}),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("came", LATE)
def test_it_leaves_as_if_all_had_been_known_before(lab: Lab, came: str, ending: str) -> None:
    def play(*, early: bool) -> list[tuple[int, Any]]:
        with lab(RULE + ending) as here:
            carts = [late(START, event="cart", message_id="m1", properties={"x": "1"})]
            carts.append(late("2026-01-01T00:30:00Z", event="cart", message_id="m2", properties={"x": "1"}))
            here.clock.set("2026-01-01T00:30:00Z")
            here.engine.ingest(carts)
            here.clock.set("2026-01-01T01:31:00Z")
            if early:
                here.engine.decide_due()
            if (item := LATE[came]) is not None:
                assert here.engine.ingest(item | {"message_id": "m3"} if "event" in item else item).ok
            here.move("2 hours")
            counts = here.engine.counts_by_rule()[0]
            assert counts.outbox.get("sent", 0) == len(here.actions)
            return [(one.moment, one.arguments["plan"]) for one in here.actions]

    decided_before = play(early=True)
    assert decided_before == play(early=False)
    assert decided_before


SCHEDULED = (
    "Rule: r\nTrigger: {} at 00:00\nWait: 9 days\nCondition: view at most 3 times within 24 hours\nAction: mail\n"
)
RESTARTS = "Triggered again: restart for at most 3 days\n"


@pytest.mark.parametrize(
    ("schedule", "ending", "gate"),
    [("every day", "", 10), ("every day", RESTARTS, 13), ("every monday", "", 14), ("every monday", RESTARTS, 14)],
)
def test_a_journey_older_than_any_event_that_is_taken_in_goes_on(
    lab: Lab, schedule: str, ending: str, gate: int
) -> None:
    """The moment it began is no longer among those that are remembered of its schedule."""

    def play(*items: dict[str, Any]) -> list[tuple[int, Any]]:
        with lab(SCHEDULED.format(schedule) + ending) as here:
            here.engine.ingest(late(START, event="seen"))
            here.move_to(f"2026-01-{gate}T03:00:00Z")
            assert here.engine.ingest(items).ok
            here.move("24 days")
            return [(one.moment, one.variables["journey"]["start"]) for one in here.actions]

    came = play(late(f"2026-01-{gate - 2:02}T21:00:00Z", event="view"))
    assert came == play()
    assert came


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("came", LATE)
@pytest.mark.parametrize(("against", "reason"), [("a cap", "cap: marketing"), ("the person", "unsubscribed")])
def test_what_was_suppressed_stays_so(lab: Lab, against: str, reason: str, came: str, ending: str) -> None:
    """It was about to leave and did not: what comes later asks nobody a second time."""
    other = "Rule: first\nTrigger: hello\nAction: mail\n\n"
    caps = {"marketing": "1 per person per 1 hour"} if against == "a cap" else {}
    with lab(other + RULE + ending, caps=caps) as here:
        here.move_to("2026-01-01T00:30:00Z")
        carts = [late(START, event="cart", message_id="m1", properties={"x": "1"})]
        carts.append(late("2026-01-01T00:30:00Z", event="cart", message_id="m2", properties={"x": "1"}))
        assert here.engine.ingest(carts).ok
        here.move("30 minutes")
        hello: dict[str, Any] = {"user_id": "u1", "event": "hello"}
        no: dict[str, Any] = {"user_id": "u1", "type": "identify", "traits": {"unsubscribed": True}}
        assert here.engine.ingest(hello if against == "a cap" else no).ok
        here.move("30 minutes")
        before = states(here)
        here.move("1 hour")
        if against == "the person":
            assert here.engine.ingest({**no, "traits": {"unsubscribed": False}}).ok
        if (item := LATE[came]) is not None:
            assert here.engine.ingest(item).ok
        here.move("2 hours")
        assert before == {"2026-01-01T01:30:00Z": ("suppressed", reason)}
        assert states(here) | before == states(here)


def states(lab: Travel) -> dict[str, tuple[str, str | None]]:
    """Return what became of the actions of the rule, by their moments."""
    return {iso(one.moment): (one.state, one.reason) for one in lab.engine.deliveries(Asked(rule="r")).items}


ASKED = "Rule: r\nTrigger: cart\n{}\nAction: mail with plan = person.plan\nTriggered again: each\n"


@pytest.mark.parametrize(
    ("clause", "reason"),
    [("Only while: person.vip is not set", "only_while"), ("Limit: once per person per 5 hours", "limited")],
)
@pytest.mark.parametrize("at", ["08:30", "09:30", "10:30"])
def test_a_journey_that_ended_as_its_action_was_to_leave_stays_ended(
    lab: Lab, clause: str, reason: str, at: str
) -> None:
    """What spoke against it then speaks no longer; it was asked then, and is asked as of then."""
    with lab(ASKED.format(clause)) as here:
        here.move_to("2026-01-01T05:00:00Z")
        assert here.engine.ingest({"event": "cart", "user_id": "u1"}).ok
        here.move_to("2026-01-01T09:00:00Z")
        assert here.engine.ingest({"event": "cart", "user_id": "u1"}).ok
        here.engine.decide_due()
        here.clock.move("30 minutes")
        assert here.engine.ingest({"type": "identify", "user_id": "u1", "traits": {"vip": True}}).ok
        here.engine.run_due()
        here.move_to("2026-01-01T11:00:00Z")
        assert here.engine.ingest({"type": "identify", "user_id": "u1", "traits": {"vip": None}}).ok
        before = states(here)
        assert before["2026-01-01T09:00:00Z"] == ("cancelled", reason)
        assert here.engine.ingest(late(f"2026-01-01T{at}:00Z", type="identify", traits={"plan": "pro"})).ok
        here.move("12 hours")
        assert states(here) == before
        assert len(here.actions) == 1
