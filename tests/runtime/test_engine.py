"""The engine as a service meets it: events in, journeys decided at their moments, actions out once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listen

from engine import ConfigError, Engine, Event, Identify, Outgoing
from engine.clock import DAY, iso
from engine.config import load_settings
from engine.errors import StoreUnavailable
from engine.receipt import Receipt
from engine.runtime.engine import CHUNK
from engine.runtime.intake import Intake
from engine.runtime.outgoing import Claiming
from engine.runtime.submission import Submission
from engine.runtime.workspaces import Workspaces
from engine.store import Connection, events
from engine.store.gate import Gate
from engine.store.limits import StoreLimits
from engine.store.pace import Pace
from engine.store.writer import FIRST_ITEMS
from engine.testing import Clock, Travel, travel

from .conftest import Lab

CART = """
# Abandoned cart
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "cart_reminder" to person.email with total = trigger.cart_total
"""


class Nowhere:
    """A channel that takes everything."""

    def send(self, action: Outgoing) -> None:
        pass


def left(lab: Travel) -> list[tuple[str, str, str]]:
    return [(one.person, one.action, iso(one.moment)) for one in lab.actions]


def test_a_cart_left_alone_is_reminded_of_at_its_moment(lab: Lab) -> None:
    with lab(CART) as here:
        here.engine.identify("u1", {"email": "u1@example.org"})
        here.engine.ingest({"event": "cart_updated", "user_id": "u1", "properties": {"cart_total": 80}})
        here.move("23 hours")
        assert left(here) == []
        here.move("2 hours")
        assert left(here) == [("u1", "send_email", "2026-01-02T00:00:00Z")]
        assert here.actions[0].template == "cart_reminder"
        assert here.actions[0].to == "u1@example.org"
        assert here.actions[0].arguments == {"total": 80}


def test_a_purchase_in_time_means_silence(lab: Lab) -> None:
    with lab(CART) as here:
        here.engine.identify("u1", {"email": "u1@example.org"})
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("5 hours")
        here.engine.ingest({"event": "purchase_completed", "user_id": "u1"})
        here.move("3 days")
        assert left(here) == []


def test_without_an_address_nothing_leaves_and_the_reason_is_kept(lab: Lab) -> None:
    with lab(CART) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("2 days")
        assert left(here) == []
        counts = here.engine.counts_by_rule()[0]
        assert counts.outbox == {"suppressed": 1}
        assert (counts.started, counts.acted, counts.ended) == (1, 0, 1)


def test_bad_events_are_refused_one_by_one_and_the_others_kept(lab: Lab) -> None:
    with lab() as here:
        receipt = here.engine.ingest(
            [
                {"event": "a", "user_id": "u1"},
                {"event": "b"},
                {"event": "c", "user_id": "u1", "properties": {"x": float("nan")}},
                Event(event="d", user_id="u1"),
                Identify(user_id="u1", traits={"plan": "free"}),
            ]
        )
        assert [(one.index, one.code) for one in receipt.rejected] == [(1, "no_person"), (2, "not_finite")]
        assert len(receipt.ids) == 3
        assert all(one.startswith("evt_") for one in receipt.ids)
        person = here.engine.person("u1")
        assert person is not None
        assert [name for _, name, _ in person.timeline] == ["", "a", "d"]
        assert person.attributes == {"plan": "free"}


def test_a_message_id_is_taken_once_and_another_body_is_a_conflict(lab: Lab) -> None:
    with lab() as here:
        event = {"event": "a", "user_id": "u1", "message_id": "m1", "timestamp": "2026-01-01T00:00:00Z"}
        first = here.engine.ingest([event, event])
        again = here.engine.ingest([event, {**event, "event": "b"}])
        assert len(first.ids) == 1
        assert [one.id for one in first.duplicates] == first.ids
        assert again.ids == []
        assert [one.conflict for one in again.duplicates] == [False, True]
        assert {one.id for one in again.duplicates} == set(first.ids)


def test_without_a_message_id_nothing_is_a_duplicate(lab: Lab) -> None:
    with lab() as here:
        event = {"event": "a", "user_id": "u1", "timestamp": "2026-01-01T00:00:00Z"}
        assert len(here.engine.ingest([event, event]).ids) == 2


def test_a_visitor_who_logs_in_is_one_person_with_one_journey(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "anonymous_id": "a1"})
        here.move("2 hours")
        here.engine.ingest({"event": "logged_in", "user_id": "u1", "anonymous_id": "a1"})
        here.engine.ingest({"event": "purchase_completed", "user_id": "u1"})
        here.move("3 days")
        assert left(here) == []


def test_two_people_who_become_one_are_written_to_once(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "anonymous_id": "a1"})
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("1 hour")
        here.engine.ingest({"event": "logged_in", "user_id": "u1", "anonymous_id": "a1"})
        here.move("3 days")
        assert left(here) == [("u1", "send_email", "2026-01-02T00:00:00Z")]


def test_an_anonymous_id_belongs_to_its_first_user(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({"event": "a", "user_id": "u1", "anonymous_id": "x"})
        here.engine.ingest({"event": "b", "user_id": "u2", "anonymous_id": "x"})
        first, second = here.engine.person("u1"), here.engine.person("u2")
        assert first is not None
        assert second is not None
        assert [name for _, name, _ in first.timeline] == ["a"]
        assert [name for _, name, _ in second.timeline] == ["b"]
        assert first.identifiers == [("user", "u1"), ("anonymous", "x")]


def test_what_a_rule_sets_and_tracks_wakes_others_but_never_itself(lab: Lab) -> None:
    rules = """
    Rule: first
    Trigger: a
    Action: set person.tier = gold
    Action: track b with why = upgrade

    Rule: second
    Trigger: b
    Condition: person.tier = gold
    Action: log_it with why = trigger.why
    Action: track a
    """
    with lab(rules) as here:
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.engine.run_due()
        assert [(one.rule, one.action, one.arguments) for one in here.actions] == [
            ("second", "log_it", {"why": "upgrade"})
        ]
        person = here.engine.person("u1")
        assert person is not None
        assert person.attributes == {"tier": "gold"}
        notes = {one.rule: one.notes for one in here.engine.counts_by_rule()}
        assert notes["first"] == {"self_caused": 1}


def test_an_action_shows_what_the_steps_before_it_set_and_nothing_of_those_behind(lab: Lab) -> None:
    rules = """
    Rule: r
    Trigger: a
    Action: set person.plan.tier = gold
    Action: send_email with tier = person.plan.tier
    Action: set person.plan.since = trigger.day
    Action: set person.plan.tier = platinum
    """
    with lab(rules) as here:
        here.engine.ingest({"event": "a", "user_id": "u1", "properties": {"day": "monday"}})
        here.engine.run_due()
        (action,) = here.actions
        assert action.arguments == {"tier": "gold"}
        assert action.variables["person"] == {"plan": {"tier": "gold"}}
        person = here.engine.person("u1")
        assert person is not None
        assert person.attributes == {"plan": {"tier": "platinum", "since": "monday"}}


def test_an_action_that_left_is_an_event_of_the_person(lab: Lab) -> None:
    rules = 'Rule: r\nTrigger: a\nAction: send_email "hello"\nTags: lifecycle'
    with lab(rules) as here:
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.engine.run_due()
        person = here.engine.person("u1")
        assert person is not None
        event = next(more for _, name, more in person.timeline if name == "send_email")
        assert (event["template"], event["rule"], event["tag"]) == ("hello", "r", ["lifecycle"])


def test_a_late_purchase_takes_back_an_action_that_has_not_left(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.clock.move("25 hours")
        here.engine.decide_due()
        here.engine.ingest({"event": "purchase_completed", "user_id": "u1", "timestamp": "2026-01-01T20:00:00Z"})
        here.engine.run_due()
        assert left(here) == []
        counts = here.engine.counts_by_rule()[0]
        assert (counts.acted, counts.ended, counts.outbox) == (0, 1, {"cancelled": 1})


def test_a_purchase_later_still_is_recorded_as_too_late(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("25 hours")
        here.engine.ingest({"event": "purchase_completed", "user_id": "u1", "timestamp": "2026-01-01T20:00:00Z"})
        here.move("25 hours")
        assert len(left(here)) == 1
        assert here.engine.counts_by_rule()[0].notes == {"late_after_fire": 1}


def test_a_purchase_later_still_stops_what_would_follow(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "") + "Wait: 5 hours\nAction: push\n") as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("25 hours")
        here.engine.ingest({"event": "purchase_completed", "user_id": "u1", "timestamp": "2026-01-01T20:00:00Z"})
        here.move("25 hours")
        assert [one.action for one in here.actions] == ["send_email"]
        assert here.engine.counts_by_rule()[0].notes == {"late_after_fire": 1}


def test_history_answers_and_starts_nothing(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"}, historical=True)
        here.engine.ingest({"event": "cart_updated", "user_id": "u2"})
        here.move("1 hour")
        here.engine.ingest({"event": "purchase_completed", "user_id": "u2"}, historical=True)
        here.move("3 days")
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].started == 1


def test_an_event_too_old_on_arrival_is_history(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.move_to("2026-01-05T00:00:00Z")
        old = {"event": "cart_updated", "user_id": "u1", "timestamp": "2026-01-01T23:59:59Z", "message_id": "m1"}
        young = {"event": "cart_updated", "user_id": "u2", "timestamp": "2026-01-02T00:00:01Z"}
        receipt = here.engine.ingest([old, young, old, {"event": ""}])
        assert (receipt.stored, receipt.historical) == (2, 1)
        assert here.engine.ingest(young, historical=True).historical == 1
        here.engine.settle()
        assert here.engine.counts_by_rule()[0].started == 1


def test_an_event_ahead_of_now_takes_effect_when_its_time_has_come(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.ingest({"event": "a", "user_id": "u1", "timestamp": "2026-01-01T00:04:00Z"})
        here.engine.run_due()
        assert left(here) == []
        here.move("5 minutes")
        assert left(here) == [("u1", "hello", "2026-01-01T00:04:00Z")]


def test_grace_holds_decisions_back_and_keeps_their_moments(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", ""), grace="1 hour") as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.engine.ingest({"event": "cart_updated", "user_id": "u2"})
        here.move("24 hours 30 minutes")
        assert left(here) == []
        here.engine.ingest({"event": "purchase_completed", "user_id": "u2", "timestamp": "2026-01-01T23:00:00Z"})
        here.move("1 hour")
        assert left(here) == [("u1", "send_email", "2026-01-02T00:00:00Z")]


def test_wrong_rules_leave_the_live_ones_live(lab: Lab, tmp_path: Path) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        (tmp_path / "r0.rules").write_text("Rule: r\nTrigger: a\nCondition: NOT b within 3 houres\n")
        found = here.engine.reload()
        assert not found.ok
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.engine.run_due()
        assert len(left(here)) == 1


def test_a_removed_rule_ends_its_journeys_and_withdraws_its_actions(lab: Lab, tmp_path: Path) -> None:
    other = "Rule: other\nTrigger: z\n"
    with lab(CART.replace(" to person.email", "") + "\n" + other) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        (tmp_path / "r0.rules").write_text(other)
        assert here.engine.reload().ok
        here.move("3 days")
        assert left(here) == []
        person = here.engine.person("u1")
        assert person is not None
        assert [one.reason for one in person.journeys] == ["rule_removed"]


def test_a_waiting_journey_finishes_on_the_version_it_entered_with(lab: Lab, tmp_path: Path) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.move("1 hour")
        text = CART.replace(" to person.email", "").replace("send_email", "send_push")
        (tmp_path / "r0.rules").write_text(text)
        assert here.engine.reload().ok
        here.engine.ingest({"event": "cart_updated", "user_id": "u2"})
        here.move("3 days")
        assert [(person, action) for person, action, _ in left(here)] == [("u1", "send_email"), ("u2", "send_push")]


def test_a_rule_acts_on_what_happens_after_it_went_live(lab: Lab, tmp_path: Path) -> None:
    quiet = "Rule: quiet\nTrigger: None\nCondition: NOT any event within 2 days\nAction: hello"
    path = tmp_path / "late.rules"
    with lab() as here:
        here.engine.ingest({"event": "a", "user_id": "long-quiet"})
        here.move("3 days")
        here.engine.ingest({"event": "a", "user_id": "soon-quiet"})
        path.write_text(quiet)
        assert here.engine.load(path).ok
        here.move("5 days")
        assert [(person, at) for person, _, at in left(here)] == [("soon-quiet", "2026-01-06T00:00:00Z")]


def test_existing_people_may_be_included(lab: Lab, tmp_path: Path) -> None:
    quiet = (
        "Rule: quiet\nTrigger: None\nCondition: NOT any event within 2 days\nExisting people: include\nAction: hello"
    )
    path = tmp_path / "late.rules"
    with lab() as here:
        here.engine.ingest({"event": "a", "user_id": "long-quiet"})
        here.move("3 days")
        path.write_text(quiet)
        assert here.engine.load(path).ok
        here.move("1 hour")
        assert [(person, at) for person, _, at in left(here)] == [("long-quiet", "2026-01-04T00:00:00Z")]


def test_a_schedule_reaches_every_seen_person_once(lab: Lab) -> None:
    with lab("Rule: daily\nTrigger: every day at 09:00 in Europe/Warsaw\nAction: digest") as here:
        here.engine.ingest([{"event": "a", "user_id": "u1"}, {"event": "a", "user_id": "u2"}])
        here.move("2 days")
        assert left(here) == [
            ("u1", "digest", "2026-01-01T08:00:00Z"),
            ("u2", "digest", "2026-01-01T08:00:00Z"),
            ("u1", "digest", "2026-01-02T08:00:00Z"),
            ("u2", "digest", "2026-01-02T08:00:00Z"),
        ]


def test_of_several_missed_occurrences_only_the_newest_triggers(lab: Lab) -> None:
    with lab("Rule: daily\nTrigger: every day at 09:00\nAction: digest") as here:
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.clock.move("4 days")
        here.engine.run_due()
        assert left(here) == [("u1", "digest", "2026-01-04T09:00:00Z")]


def test_after_downtime_what_is_too_late_is_recorded_and_not_sent(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.clock.move("49 hours")
        here.engine.run_due()
        assert left(here) == []
        assert here.engine.counts_by_rule()[0].outbox == {"skipped_late": 1}


def test_what_fell_due_while_nobody_ran_is_decided_on_return(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        here.clock.move("30 hours")
        here.engine.run_due()
        assert left(here) == [("u1", "send_email", "2026-01-02T00:00:00Z")]


def test_a_limit_over_all_people_is_first_come_first_served(lab: Lab) -> None:
    rules = "Rule: r\nTrigger: a\nAction: hello\nLimit: 2 per day over all people"
    with lab(rules) as here:
        here.engine.ingest([{"event": "a", "user_id": f"u{number}"} for number in range(4)])
        here.engine.run_due()
        assert [person for person, _, _ in left(here)] == ["u0", "u1"]
        counts = here.engine.counts_by_rule()[0]
        assert (counts.acted, counts.ended) == (2, 2)


def test_a_function_takes_actions_of_its_name(lab: Lab) -> None:
    got = []
    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.action("hello")(got.append)
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.engine.run_due()
        assert [(one.action, one.person, one.attempt) for one in got] == [("hello", "u1", 1)]


def test_a_failed_action_is_tried_again_under_the_same_key(lab: Lab) -> None:
    keys = []

    def fails_twice(action: object) -> None:
        keys.append(action.key)  # type: ignore[attr-defined]
        if len(keys) < 3:
            raise OSError("down")

    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.action("hello")(fails_twice)
        here.engine.ingest({"event": "a", "user_id": "u1"})
        here.engine.run_due()
        assert len(keys) == 1
        here.move("1 hour")
        assert len(keys) == 3
        assert len(set(keys)) == 1
        assert here.engine.counts_by_rule()[0].outbox == {"sent": 1}


def test_a_long_iterable_is_stored_piece_by_piece(lab: Lab) -> None:
    with lab() as here:
        events = ({"event": "a", "user_id": f"u{number}"} for number in range(2_500))
        assert len(here.engine.ingest(events).ids) == 2_500


def test_an_engine_opens_again_where_it_was(tmp_path: Path) -> None:
    rules = tmp_path / "r.rules"
    rules.write_text(CART.replace(" to person.email", ""))
    clock = Clock()
    url = f"sqlite:///{tmp_path / 'lapse.db'}"
    with Engine.open(url, rules=rules, clock=clock) as engine:
        engine.ingest({"event": "cart_updated", "user_id": "u1"})
    with Engine.open(url, rules=rules, clock=clock, fallback=_Keep()) as engine:
        travel(engine, clock, "2026-01-03T00:00:00Z")
        assert [one.person for one in engine.sent()] == ["u1"]


class _Keep:
    def send(self, action: object) -> None:
        pass


def test_opening_needs_no_turn_to_write_where_nothing_is_to_be_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lapse.db'}"
    settings = load_settings(store=url, store_timeout="0")
    with Gate(tmp_path / "lapse.db").alone(), pytest.raises(StoreUnavailable):
        Engine.open(settings=settings)
    with Engine.open(settings=settings), Gate(tmp_path / "lapse.db").alone(), Engine.open(settings=settings) as engine:
        assert engine.store.gate.waited == 0
        assert engine.events().events == ()
        with pytest.raises(StoreUnavailable, match=f"process {os.getpid()} holds it"):
            engine.ingest({"event": "a", "user_id": "u"})


def test_loading_rules_that_are_live_and_looking_at_them_needs_no_turn_to_write(tmp_path: Path) -> None:
    (tmp_path / "r.rules").write_text(CART)
    settings = load_settings(store=f"sqlite:///{tmp_path / 'lapse.db'}", store_timeout="0")
    with Engine.open(settings=settings, rules=tmp_path, fallback=Nowhere()) as first:
        first.ingest({"event": "other", "user_id": "u1"})
        with Gate(tmp_path / "lapse.db").alone():
            with Engine.open(settings=settings, rules=tmp_path, fallback=Nowhere()) as engine:
                assert engine.settle(0)
                assert [one.rule for one in engine.counts_by_rule()] == ["cart"]
                assert engine.store.gate.waited == 0
            (tmp_path / "r.rules").write_text(CART.replace("24", "12"))
            with pytest.raises(StoreUnavailable):
                first.reload()
        assert first.reload().ok
    with Engine.open(settings=settings) as again:
        assert "12 hours" in again.live.programs[0].text


def test_looking_is_given_up_where_others_write_all_the_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(CART) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": f"u{number}"} for number in range(30))
        pace = Pace(0.1, first=10, most=10)
        here.engine._due._pace = pace
        gate, plain, turns = here.engine.store.gate, here.engine.writer.run, []

        def run(function: Callable[[Connection], Any]) -> Any:
            turns.append(function)
            gate.waited += 0.2
            return plain(function)

        monkeypatch.setattr(here.engine.writer, "run", run)
        assert not here.engine.settle(0.3)
        assert len(turns) == 2
        assert here.engine.settle()
        assert here.engine.counts_by_rule()[0].waiting == 30


class Slow:
    """A clock that goes on as work is done, and how much was done at once."""

    def __init__(self, seconds: float) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._seconds = seconds

    def __call__(self) -> float:
        return self.now

    def work(self, count: int) -> None:
        if count:
            self.sizes.append(count)
        self.now += self._seconds * count


def test_pages_of_what_is_due_are_as_long_as_fits_into_a_transaction(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    deciding, claiming = Slow(0.01), Slow(0.02)
    settle, claim = Intake.settle, Claiming.claim

    def settles(intake: Intake, touches: dict[Any, Any]) -> None:
        deciding.work(len(touches))
        settle(intake, touches)

    def claims(self: Claiming, rows: Sequence[Any], faults: Any) -> Any:
        claiming.work(len(rows))
        return claim(self, rows, faults)

    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": f"u{number}"} for number in range(200))
        here.engine._due._pace = Pace(0.1, first=100, most=500, now=deciding)
        here.engine.sending._pace = Pace(0.1, first=100, most=500, now=claiming)
        monkeypatch.setattr(Intake, "settle", settles)
        monkeypatch.setattr(Claiming, "claim", claims)
        here.clock.set(here.engine.clock.now() + 2 * DAY)
        here.engine.run_due()
    assert sum(claiming.sizes) == 200
    assert max(deciding.sizes) <= 15
    assert deciding.sizes[5:-1].count(10) >= len(deciding.sizes[5:-1]) - 2
    assert max(claiming.sizes[1:]) <= 10


def test_where_nobody_waits_the_first_page_of_what_is_due_is_a_full_one(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    deciding, settle = Slow(0.0001), Intake.settle

    def settles(intake: Intake, touches: dict[Any, Any]) -> None:
        deciding.work(len(touches))
        settle(intake, touches)

    with lab(CART) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": f"u{number}"} for number in range(350))
        here.engine._due._pace = Pace(0.1, first=100, most=500, now=deciding)
        monkeypatch.setattr(Intake, "settle", settles)
        here.clock.set(here.engine.clock.now() + 2 * DAY)
        here.engine.decide_due()
    assert deciding.sizes == [100, 200, 50]


def test_the_settings_of_the_store_reach_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'lapse.db'}"
    defaults = load_settings(store=url)
    with Engine.open(settings=defaults) as engine:
        assert engine.store.limits == StoreLimits(timeout=30, transaction=0.1, log_bytes=67_108_864)
    mine = load_settings(store=url, store_timeout="1 minute", store_transaction="50 ms", store_log_bytes=1_000_000)
    with Engine.open(settings=mine) as engine, Workspaces(mine) as workspaces:
        limits = StoreLimits(timeout=60, transaction=0.05, log_bytes=1_000_000)
        assert engine.store.limits == workspaces.store.limits == limits


def test_a_piece_is_as_long_as_fits_into_a_transaction(tmp_path: Path) -> None:
    settings = load_settings(store=f"sqlite:///{tmp_path / 'lapse.db'}")
    events = [{"event": "a", "user_id": f"u{number}"} for number in range(CHUNK + 200)]
    pieces: list[int] = []
    with Engine.open(settings=settings) as engine:
        plain = engine.take

        def take(connection: Connection, calls: Sequence[Submission]) -> list[Receipt]:
            pieces.extend(len(one.items) for one in calls)
            return plain(connection, calls)

        engine.take = take  # type: ignore[method-assign]
        engine.ingest(events)
        assert pieces[0] == FIRST_ITEMS, "nobody knows yet how long they take"
        pieces.clear()
        engine.writer.pace = Pace(0.1, first=CHUNK, most=CHUNK, now=lambda: 0.0)
        engine.ingest(events)
        assert pieces == [CHUNK, 200]
        pieces.clear()
        engine.writer.pace = Pace(0.1, first=300, most=300)
        assert engine.ingest(events).stored == CHUNK + 200
        assert sum(pieces) == CHUNK + 200
        assert max(pieces) == 300


def test_opening_with_wrong_rules_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.rules"
    path.write_text("Trigger a\n")
    with pytest.raises(ConfigError, match="lapse check"):
        Engine.open("sqlite://", rules=path)
    with pytest.raises(ConfigError, match="there are no rules at"):
        Engine.open("sqlite://", rules=tmp_path / "absent", settings=load_settings(store="sqlite://"))


def test_looking_at_a_person_works_through_what_was_only_noted(lab: Lab) -> None:
    with lab(CART.replace(" to person.email", "")) as here:
        here.engine.ingest([{"event": "cart_updated", "user_id": "u1"}, {"event": "cart_updated", "user_id": "u2"}])
        found = here.engine.person("u1")
        assert found is not None
        assert [(one.rule, one.ended_at) for one in found.journeys] == [("cart", None)]
        assert [one.started for one in here.engine.counts_by_rule()] == [1]
        here.engine.settle()
        assert [one.started for one in here.engine.counts_by_rule()] == [2]


def test_a_long_iterable_is_read_on_while_a_piece_is_written(lab: Lab) -> None:
    with lab("") as here:
        read: list[int] = []

        def events() -> Iterator[dict[str, Any]]:
            for number in range(2 * CHUNK + 1):
                read.append(number)
                yield {"event": "e", "user_id": str(number), "message_id": str(number % (2 * CHUNK))}

        receipt = here.engine.ingest(events())
        assert [outcome.index for outcome in receipt.outcomes] == read == list(range(2 * CHUNK + 1))
        assert receipt.stored == 2 * CHUNK
        assert [one.index for one in receipt.duplicates] == [2 * CHUNK]


def test_the_next_piece_is_read_while_one_is_flushed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not sooner: until then the writer needs Python for itself."""
    reading = threading.Event()
    sooner: list[bool] = []
    meanwhile: list[bool] = []

    def items() -> Iterator[dict[str, Any]]:
        yield from ({"event": "e", "user_id": str(number)} for number in range(FIRST_ITEMS))
        reading.set()
        yield {"event": "e", "user_id": "last"}

    def insert(*given: Any) -> None:
        sooner.append(reading.is_set())
        write(*given)

    write = events.insert
    monkeypatch.setattr(events, "insert", insert)
    with lab("") as here:
        listen(here.engine.store.engine, "commit", lambda _: meanwhile.append(not sooner or reading.wait(30)))
        assert here.engine.ingest(items()).stored == FIRST_ITEMS + 1
    assert (sooner[0], all(meanwhile)) == (False, True)


def test_what_was_stored_before_an_iterable_broke_is_kept(lab: Lab) -> None:
    with lab("") as here:

        def events() -> Iterator[dict[str, Any]]:
            yield from ({"event": "e", "user_id": str(number)} for number in range(FIRST_ITEMS))
            raise OSError("the line is cut")

        with pytest.raises(OSError, match="the line is cut"):
            here.engine.ingest(events())
        here.engine.ingest({"event": "e", "user_id": "last"})
        assert sum(one.times for one in here.engine.event_counts("day")) == FIRST_ITEMS + 1


def test_what_is_given_comes_before_the_settings(tmp_path: Path) -> None:
    settings = load_settings(store=f"sqlite:///{tmp_path}/settings.db")
    with Engine.open(f"sqlite:///{tmp_path}/given.db", workspace="two", settings=settings) as engine:
        assert (engine.store.path, engine.settings.workspace) == (tmp_path / "given.db", "two")
    assert not (tmp_path / "settings.db").exists()


@pytest.mark.parametrize("events", ['{"event": "a"}', b"{}", None, 7])
def test_what_is_no_event_and_no_list_is_refused_as_such(lab: Lab, events: Any) -> None:
    with lab() as here:
        for take in (here.engine.ingest, here.engine.submit):
            with pytest.raises(TypeError, match=f"an event is a dict.*not {type(events).__name__}"):
                take(events)


def test_one_event_can_be_submitted(lab: Lab) -> None:
    with lab() as here:
        assert here.engine.submit({"event": "a", "user_id": "u1"}).result().stored == 1


def test_traits_that_are_none_are_refused_with_the_reason(lab: Lab) -> None:
    with lab() as here:
        (refused,) = here.engine.identify("u1", "x").rejected  # type: ignore[arg-type]
        assert refused.field == "traits"
