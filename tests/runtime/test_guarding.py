"""The blast guard: a rule that would act on too many people stops itself, keeps what it has, and waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from engine import Engine
from engine.clock import HOUR
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.runtime.guarding import HOURS
from engine.store import Connection, guarding, journeys
from engine.testing import Clock, travel

RULE = "Rule: blast\nTrigger: go\nAction: send_email\n"
Opened = Callable[..., tuple[Engine, Clock, list[Outgoing]]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    engines: list[Engine] = []

    def make(text: str = RULE, **guard: object) -> tuple[Engine, Clock, list[Outgoing]]:
        path = tmp_path / "r.rules"
        path.write_text(text)
        clock, got = Clock("2026-01-08T00:30:00Z"), []
        engine = Engine.open(rules=path, clock=clock, settings=load_settings(store="sqlite://", guard=guard))
        for name in ("send_email", "send_receipt"):
            engine.action(name)(got.append)
        engines.append(engine)
        return engine, clock, got

    yield make
    for engine in engines:
        engine.close()


def go(engine: Engine, count: int, first: int = 0) -> None:
    engine.ingest([{"event": "go", "user_id": f"u{number}"} for number in range(first, first + count)])
    engine.run_due()


@pytest.mark.parametrize(("people", "stops"), [(5, False), (6, True)])
def test_a_rule_may_act_on_so_many_people_and_no_more(opened: Opened, people: int, stops: bool) -> None:
    engine, _, got = opened(people_per_hour=5)
    go(engine, people)
    assert len(got) == 5
    (counts,) = engine.counts_by_rule()
    assert counts.paused is stops
    assert [(one.kind, one.name) for one in engine.switches()] == ([("rule", "blast")] if stops else [])


def test_the_default_is_a_thousand(opened: Opened) -> None:
    engine, _, got = opened()
    go(engine, 1_001)
    assert len(got) == 1_000
    (stopped,) = engine.switches()
    assert "more than 1,000 people within an hour" in stopped.reason


def test_what_it_keeps_leaves_when_somebody_resumes_it(opened: Opened) -> None:
    engine, clock, got = opened(people_per_hour=5)
    go(engine, 12)
    (counts,) = engine.counts_by_rule()
    assert (counts.acted, counts.waiting, counts.outbox) == (5, 7, {"held": 7, "sent": 5})
    assert engine.next_due() is None
    clock.move("1h1s")
    assert engine.resume("blast")
    engine.run_due()
    assert len(got) == 10  # and there it stops again
    assert len({one.person for one in got}) == 10
    assert engine.switches()
    clock.move("1h1s")
    engine.resume("blast")
    engine.run_due()
    assert len(got) == 12
    assert engine.switches() == []


def test_who_resumes_it_at_once_lets_as_many_leave_again(opened: Opened) -> None:
    engine, clock, got = opened(people_per_hour=5)
    go(engine, 12)
    for sent, stops in ((10, True), (12, False)):
        clock.move("1 second")
        assert engine.resume("blast")
        clock.move("1 second")
        engine.run_due()
        assert len({one.person for one in got}) == len(got) == sent
        assert bool(engine.switches()) is stops


def test_the_hour_rolls(opened: Opened) -> None:
    engine, clock, got = opened(people_per_hour=5)
    go(engine, 3)
    clock.move("59 minutes")
    go(engine, 2, first=3)
    clock.move("1 minute")
    go(engine, 3, first=5)
    assert len(got) == 8
    assert engine.switches() == []
    clock.move("58 minutes")
    go(engine, 1, first=8)
    assert len(got) == 8
    assert engine.switches()


def test_people_are_counted_not_actions(opened: Opened) -> None:
    engine, clock, got = opened(
        "Rule: blast\nTrigger: go\nAction: send_email\nAction: send_receipt\n", people_per_hour=5
    )
    for _ in range(4):
        go(engine, 5)
        clock.move("1 minute")
    assert len(got) == 40
    assert engine.switches() == []


@pytest.mark.parametrize("first", ["set person.gone = yes", "track gone", "send_receipt"])
@pytest.mark.parametrize("wait", ["", "Wait: 2 hours\n"])
def test_what_is_sent_counts_whatever_the_journey_did_before(opened: Opened, first: str, wait: str) -> None:
    text = f"Rule: blast\nTrigger: go\nAction: {first}\n{wait}Action: send_email\nAction: send_email\n"
    engine, clock, got = opened(text, people_per_hour=5, exempt=["send_receipt"])
    go(engine, 5)
    travel(engine, clock, clock.now() + 2 * HOUR)
    go(engine, 6, first=5)
    travel(engine, clock, clock.now() + 2 * HOUR)
    mails = [one for one in got if one.action == "send_email"]
    assert len({one.person for one in mails}) == 10
    assert len(mails) == 20
    assert engine.switches()


def test_what_is_exempt_counts_for_nothing(opened: Opened) -> None:
    text = "Rule: blast\nTrigger: go\nIf: trigger.paid = 1\n  Action: send_receipt\nElse:\n  Action: send_email\nEnd:\n"
    engine, _, got = opened(text, people_per_hour=3, exempt=["send_receipt"])
    paid = [{"event": "go", "user_id": f"p{number}", "properties": {"paid": 1}} for number in range(10)]
    engine.ingest(paid)
    engine.run_due()
    go(engine, 3)
    assert len(got) == 13
    assert engine.switches() == []


def test_people_who_are_held_out_do_not_count(opened: Opened) -> None:
    engine, _, got = opened(RULE + "Holdout: 50%\n", people_per_hour=20)
    go(engine, 30)
    assert 5 < len(got) <= 20
    assert engine.switches() == []


def test_a_rule_of_its_own_and_an_action_that_is_exempt(opened: Opened) -> None:
    text = RULE + "\nRule: big\nTrigger: go\nAction: send_email\n\nRule: receipt\nTrigger: go\nAction: send_receipt\n"
    engine, _, got = opened(text, people_per_hour=5, rules={"big": 8}, exempt=["send_receipt"])
    go(engine, 10)
    assert {name: sum(one.rule == name for one in got) for name in ("blast", "big", "receipt")} == {
        "blast": 5, "big": 8, "receipt": 10,
    }  # fmt: skip


@pytest.mark.parametrize(("median", "limit"), [(0, 5), (1, 10), (3, 30)])
def test_a_rule_that_always_does_much_may_do_ten_times_its_median_hour(opened: Opened, median: int, limit: int) -> None:
    engine, clock, got = opened(people_per_hour=5)
    hour = clock.now() // HOUR
    row = next(iter(engine.live.rules))

    def past(connection: Connection) -> None:
        for place in range(1, HOURS // 2 + 2):
            guarding.add(connection, engine.workspace, hour - place, {row: median})

    engine.writer.run(past)
    go(engine, limit + 2)
    assert len(got) == limit


def test_what_is_too_old_to_count_is_dropped(opened: Opened) -> None:
    engine, clock, _ = opened()
    hour, row = clock.now() // HOUR, next(iter(engine.live.rules))
    for place in (HOURS + 1, HOURS, 1):
        engine.writer.run(partial(guarding.add, workspace=engine.workspace, hour=hour - place, acted={row: 7}))
    engine.tidy()
    with engine.store.read() as connection:
        kept = guarding.hours(connection, engine.workspace, row, 0)
    assert kept == {hour - HOURS: 7, hour - 1: 7}


def test_it_says_so_in_the_log(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    engine, _, _ = opened(people_per_hour=5)
    with caplog.at_level(logging.ERROR, "lapse"):
        go(engine, 6)
    (told,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert told == (
        "alert: the rule 'blast' has stopped itself: it would act on more than 5 people within an hour; "
        "look at it, then: lapse resume blast"
    )


def test_waiting_journeys_stay_as_they_are(opened: Opened) -> None:
    engine, clock, got = opened("Rule: blast\nTrigger: go\nWait: 1 hour\nAction: send_email\n", people_per_hour=5)
    go(engine, 4)
    clock.move("30 minutes")
    go(engine, 4, first=4)
    travel(engine, clock, clock.now() + 3 * HOUR)
    assert len(got) == 5
    with engine.store.read() as connection:
        assert journeys.next_due(connection, engine.workspace) is None
    clock.move("1 hour")
    engine.resume("blast")
    engine.run_due()
    assert len(got) == 8
