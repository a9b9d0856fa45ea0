"""A paused rule keeps its journeys and decides nothing; on resuming it goes on as after downtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import ConfigError, Engine
from engine.clock import iso
from engine.config import load_settings
from engine.testing import Clock, Recorder, Travel, travel

from .conftest import Lab

CART = """
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "reminder"
"""
QUIET = """
Rule: quiet
Trigger: None
Condition: NOT any event within 2 days
Action: hello
"""


def left(lab: Travel) -> list[tuple[str, str]]:
    return [(one.person, iso(one.moment)) for one in lab.actions]


def event(lab: Travel, name: str, user: str, at: str | None = None, **more: object) -> None:
    assert lab.engine.ingest({"event": name, "user_id": user, "timestamp": at, **more}).ok


def reasons(lab: Travel, person: str) -> list[str | None]:
    view = lab.engine.person(person)
    return [] if view is None else [one.reason for one in view.journeys]


def test_what_falls_due_in_a_pause_is_decided_on_resuming_as_of_its_moment(lab: Lab) -> None:
    with lab(CART) as here:
        event(here, "cart_updated", "ann")
        event(here, "cart_updated", "bob")
        here.move("1 hour")
        assert here.engine.pause("cart")
        here.move("30 hours")
        event(here, "purchase_completed", "bob", "2026-01-01T20:00:00Z")
        assert (left(here), reasons(here, "ann")) == ([], [None])
        assert here.engine.next_due() is None
        assert here.engine.resume("cart")
        here.move("0 seconds")
        assert left(here) == [("ann", "2026-01-02T00:00:00Z")]
        assert reasons(here, "bob") == ["false"]


def test_what_is_too_late_by_then_is_recorded_and_not_sent(lab: Lab) -> None:
    with lab(CART) as here:
        event(here, "cart_updated", "ann")
        here.engine.pause("cart")
        here.move("49 hours")
        here.engine.resume("cart")
        here.move("1 second")
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].outbox == {"skipped_late": 1}


def test_triggers_in_a_pause_start_and_move_nothing(lab: Lab) -> None:
    with lab(CART) as here:
        event(here, "cart_updated", "ann")
        here.move("1 hour")
        here.engine.pause("cart")
        here.move("1 hour")
        event(here, "cart_updated", "ann")
        event(here, "cart_updated", "bob")
        here.move("1 hour")
        here.engine.resume("cart")
        event(here, "cart_updated", "cid")
        here.move("3 days")
        assert left(here) == [("ann", "2026-01-02T00:00:00Z"), ("cid", "2026-01-02T03:00:00Z")]
        assert [one.started for one in here.engine.counts_by_rule()] == [2]


def test_a_trigger_from_before_the_pause_counts_however_late_it_comes(lab: Lab) -> None:
    with lab(CART) as here:
        event(here, "seen", "ann")
        here.move("2 hours")
        here.engine.pause("cart")
        here.move("1 hour")
        event(here, "cart_updated", "ann", "2026-01-01T01:00:00Z")
        here.move("1 hour")
        here.engine.resume("cart")
        here.move("1 day")
        assert left(here) == [("ann", "2026-01-02T01:00:00Z")]


def test_what_comes_late_for_a_decision_from_before_the_pause_reopens_it(lab: Lab) -> None:
    rules = CART + 'Wait: 1 day\nAction: send_push "again"\n'
    with lab(rules) as here:
        event(here, "cart_updated", "ann")
        here.move("23 hours")
        event(here, "purchase_completed", "ann")
        here.move("2 hours")
        assert reasons(here, "ann") == ["false"]
        event(here, "cart_updated", "bob", "2026-01-01T00:30:00Z")
        here.clock.move("1 minute")
        here.engine.decide_due()  # bob's mail is decided and has not left
        here.engine.pause("cart")
        event(here, "purchase_completed", "bob", "2026-01-01T12:00:00Z")
        here.move("1 hour")
        assert here.engine.counts_by_rule()[0].outbox == {"held": 1}
        here.engine.resume("cart")
        here.move("2 days")
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].outbox == {"cancelled": 1}


def test_actions_not_yet_sent_are_held_and_leave_afterwards(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nExit: stop") as here:
        event(here, "a", "ann")
        event(here, "a", "bob")
        here.engine.pause("r")
        here.move("1 hour")
        event(here, "stop", "bob")
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].outbox == {"held": 2}
        here.engine.resume("r")
        here.move("1 second")
        assert left(here) == [("ann", "2026-01-01T00:00:00Z")]


def test_an_action_that_left_before_is_tried_again_in_a_pause(lab: Lab) -> None:
    tries = []

    def fails_once(action: object) -> None:
        tries.append(action)
        if len(tries) == 1:
            raise OSError("down")

    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.action("hello")(fails_once)
        event(here, "a", "ann")
        here.engine.run_due()
        here.engine.pause("r")
        here.move("1 hour")
        assert len(tries) == 2


def test_moments_of_becoming_true_in_a_pause_start_nothing(lab: Lab) -> None:
    with lab(QUIET) as here:
        event(here, "a", "ann")
        here.move("1 day")
        here.engine.pause("quiet")
        event(here, "a", "bob")  # seen for the first time in the pause
        here.move("60 hours")
        here.engine.resume("quiet")
        here.move("1 hour")
        assert left(here) == []
        event(here, "a", "ann")
        here.move("3 days")
        assert left(here) == [("ann", "2026-01-06T13:00:00Z")]


def test_somebody_first_seen_in_a_pause_is_followed_after_it(lab: Lab) -> None:
    with lab(QUIET) as here:
        here.engine.pause("quiet")
        event(here, "a", "ann")
        assert here.engine.next_due() is None
        here.move("1 day")
        here.engine.resume("quiet")
        here.move("2 days")
        assert left(here) == [("ann", "2026-01-03T00:00:00Z")]


def test_occurrences_in_a_pause_are_passed_over(lab: Lab) -> None:
    with lab("Rule: daily\nTrigger: every day at 09:00\nAction: digest") as here:
        event(here, "a", "ann")
        here.engine.pause("daily")
        here.move("2 days")
        here.engine.resume("daily")
        here.move("1 day")
        assert left(here) == [("ann", "2026-01-03T09:00:00Z")]


def test_two_people_who_become_one_in_a_pause_are_written_to_once(lab: Lab) -> None:
    with lab(CART) as here:
        here.engine.ingest({"event": "cart_updated", "anonymous_id": "v"})
        here.move("1 hour")
        event(here, "cart_updated", "ann")
        here.move("1 hour")
        here.engine.pause("cart")
        event(here, "logged_in", "ann", anonymous_id="v")
        here.move("1 hour")
        here.engine.resume("cart")
        here.move("3 days")
        assert left(here) == [("ann", "2026-01-02T01:00:00Z")]


def test_other_rules_go_on(lab: Lab) -> None:
    with lab(CART + "\n" + CART.replace("Rule: cart", "Rule: other")) as here:
        here.engine.pause("cart")
        event(here, "cart_updated", "ann")
        here.move("2 days")
        assert [(one.rule, one.person) for one in here.actions] == [("other", "ann")]
        assert {one.rule: one.paused for one in here.engine.counts_by_rule()} == {"cart": True, "other": False}


def test_pausing_twice_and_resuming_what_runs_change_nothing(lab: Lab) -> None:
    with lab(CART) as here:
        assert not here.engine.resume("cart")
        assert here.engine.pause("cart")
        assert not here.engine.pause("cart")
        assert here.engine.resume("cart")
        assert not here.engine.resume("cart")


def test_a_rule_that_is_not_live_is_named_with_advice(lab: Lab) -> None:
    with lab(CART) as here:
        with pytest.raises(ConfigError, match="no rule 'crat' is live; did you mean 'cart'"):
            here.engine.pause("crat")
        with pytest.raises(ConfigError, match="'lapse rules' shows"):
            here.engine.resume("something-else")


def test_an_edit_in_a_pause_goes_live_and_stays_paused(lab: Lab, tmp_path: Path) -> None:
    with lab(QUIET) as here:
        event(here, "a", "ann")
        here.engine.pause("quiet")
        (tmp_path / "r0.rules").write_text(QUIET.replace("2 days", "3 days"))
        assert here.engine.reload().ok
        assert here.engine.next_due() is None
        here.move("5 days")
        assert left(here) == []
        here.engine.resume("quiet")
        event(here, "a", "ann")
        here.move("4 days")
        assert left(here) == [("ann", "2026-01-09T00:00:00Z")]


def test_a_rule_that_was_removed_while_paused_comes_back_running(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "r0.rules"
    with lab(CART) as here:
        event(here, "cart_updated", "ann")
        here.engine.pause("cart")
        file.write_text("Rule: other\nTrigger: z")
        assert here.engine.reload().ok
        assert reasons(here, "ann") == ["rule_removed"]
        here.move("1 hour")
        file.write_text(CART)
        assert here.engine.reload().ok
        event(here, "cart_updated", "ann")
        here.move("2 days")
        assert left(here) == [("ann", "2026-01-02T01:00:00Z")]


# ---------------------------------------------------------------------------------- several engines


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., tuple[Engine, Recorder]]]:
    """Opens an engine on the one file of the test."""
    engines: list[Engine] = []
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")
    (tmp_path / "cart.rules").write_text(CART)

    def make(clock: Clock, rules: bool = False) -> tuple[Engine, Recorder]:
        sent = Recorder()
        given = tmp_path / "cart.rules" if rules else None
        engines.append(Engine.open(settings=settings, rules=given, clock=clock, fallback=sent))
        return engines[-1], sent

    yield make
    for one in engines:
        one.close()


def test_a_pause_holds_in_every_engine_and_over_restarts(opened) -> None:
    clock = Clock("2026-01-01T00:00:00Z")
    daemon, sent = opened(clock, rules=True)
    service, _ = opened(clock)
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    service.pause("cart")
    travel(daemon, clock, "2026-01-02T00:00:00Z")
    daemon.ingest({"event": "cart_updated", "user_id": "bob"})
    assert [(one.started, one.waiting, one.paused) for one in daemon.counts_by_rule()] == [(1, 1, True)]
    daemon.close()
    again, sent = opened(clock, rules=True)
    travel(again, clock, "2026-01-02T12:00:00Z")
    assert sent.sent == []
    assert service.resume("cart")
    again.run_due()
    assert [(one.person, iso(one.moment)) for one in sent.sent] == [("ann", "2026-01-02T00:00:00Z")]


def test_a_pause_costs_a_batch_no_statement_for_each_event(lab: Lab) -> None:
    """However many of its events concern the paused rule."""
    with lab(CART + QUIET) as here:
        here.engine.ingest([{"event": "cart_updated", "user_id": f"u{one}"} for one in range(50)])
        here.move("1 hour")
        here.engine.pause("cart")
        here.engine.pause("quiet")
        driver = here.engine.store.engine.raw_connection().driver_connection
        texts: list[str] = []
        driver.set_trace_callback(texts.append)

        def ingest(count: int) -> int:
            texts.clear()
            late = [
                {"event": "cart_updated", "user_id": f"u{one}", "timestamp": "2026-01-01T00:30:00Z"}
                for one in range(count)
            ]
            assert here.engine.ingest(late).ok
            return len([text for text in texts if text.startswith("SELECT")])

        ingest(1)
        assert ingest(50) == ingest(2)
        driver.set_trace_callback(None)
