"""Quiet hours of the settings, from ``lapse.toml`` to the moment an action leaves."""

from __future__ import annotations

from engine.clock import iso
from engine.testing import Travel, travel

from .conftest import Lab

RULES = """
Rule: offers
Trigger: cart
Action: mail

Rule: receipts
Trigger: cart
Action: receipt
Purpose: transactional
"""


def left(lab: Travel) -> dict[str, str]:
    """When each action left, by rule."""
    with lab.engine.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT name, left_at FROM outbox WHERE left_at IS NOT NULL").all()
    return {name: iso(at) for name, at in rows}


def test_they_hold_every_rule_but_transactional_ones(lab: Lab) -> None:
    with lab(RULES, quiet_hours="21:00 to 09:00") as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        travel(here.engine, here.clock, "2026-01-02T00:00:00Z")
        assert left(here) == {"receipt": "2026-01-01T00:00:00Z", "mail": "2026-01-01T09:00:00Z"}


def test_they_go_by_the_person_s_zone_where_they_say_so(lab: Lab) -> None:
    with lab(RULES, quiet_hours="21:00 to 09:00 in person.timezone") as here:
        here.engine.identify("u1", {"timezone": "Asia/Tokyo"})
        here.clock.move("13 hours")
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        travel(here.engine, here.clock, "2026-01-03T00:00:00Z")
        assert left(here) == {"receipt": "2026-01-01T13:00:00Z", "mail": "2026-01-02T00:00:00Z"}


def test_what_is_decided_by_day_and_would_leave_by_night_is_held(lab: Lab) -> None:
    with lab(RULES, quiet_hours=["21:00 to 09:00"], late="12 hours") as here:
        here.clock.move("12 hours")
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.engine.decide_due()
        here.clock.move("11 hours")
        here.engine.run_due()
        assert left(here) == {"receipt": "2026-01-01T23:00:00Z"}
        counts = {one.rule: one.outbox for one in here.engine.counts_by_rule()}
        assert counts == {"offers": {"pending": 1}, "receipts": {"sent": 1}}
        travel(here.engine, here.clock, "2026-01-03T00:00:00Z")
        assert left(here)["mail"] == "2026-01-02T09:00:00Z"


def test_what_is_held_stays_so_when_a_late_event_has_it_decided_again(lab: Lab) -> None:
    """At the end of the quiet hours it is 21 hours past its moment, and not a minute late."""
    rule = "Rule: offers\nTrigger: cart\nAction: mail\nExit: buy where x = 1"
    with lab(rule, quiet_hours="21:00 to 09:00", late="20 hours") as here:
        here.clock.move("12 hours")
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("11 hours")
        here.engine.run_due()
        here.clock.move("1 hour")
        here.engine.ingest({"event": "buy", "user_id": "u1", "timestamp": "2026-01-01T11:00:00Z"})
        here.engine.ingest({"event": "buy", "user_id": "u1", "timestamp": "2026-01-01T12:00:00Z"})
        travel(here.engine, here.clock, "2026-01-03T00:00:00Z")
        assert left(here) == {"mail": "2026-01-02T09:00:00Z"}


def test_whoever_unsubscribes_meanwhile_gets_nothing(lab: Lab) -> None:
    with lab(RULES, quiet_hours="21:00 to 09:00") as here:
        here.clock.move("12 hours")
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("11 hours")
        here.engine.run_due()
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1"})
        travel(here.engine, here.clock, "2026-01-03T00:00:00Z")
        assert list(left(here)) == ["receipt"]
        assert {one.rule: one.outbox for one in here.engine.counts_by_rule()}["offers"] == {"cancelled": 1}
