"""The sender: a process that dies at a commit point, attempts made again, and when (section 6, ruling 28)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import DAY, HOUR, MINUTE, SECOND
from engine.config import load_settings
from engine.delivery.channels import Outgoing, SendError
from engine.delivery.lanes import AT_MOST
from engine.delivery.sender import Outcome, attempt, outgoing
from engine.delivery_settings import LogSettings
from engine.store.rows import OutboxRow
from engine.testing import Clock, travel

RULES = "Rule: r\nTrigger: a\nAction: mail with total = trigger.total\nWait: 1 hour\nAction: push"
PEOPLE = ["u1", "u2", "u3"]
LEASE = 5 * MINUTE
LONGEST_RETRY = HOUR
GIVE_UP_AFTER = 3 * DAY


class Died(BaseException):
    """The process is gone."""


class Receiver:
    """A channel that keeps what it got, and fails as often as it is told."""

    def __init__(self, *failures: SendError) -> None:
        self.got: list[Outgoing] = []
        self.failures = list(failures)

    def send(self, action: Outgoing) -> None:
        self.got.append(action)
        if self.failures:
            raise self.failures.pop(0)

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self.got]


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-01-01T00:00:00Z")


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Callable[[Receiver], Engine]]:
    """Opens an engine on the test's file; the one before is closed, as a new process would find it."""
    engines: list[Engine] = []
    path = tmp_path / "r.rules"
    path.write_text(RULES)

    def make(receiver: Receiver) -> Engine:
        for one in engines:
            one.close()
        settings = load_settings(store=f"sqlite:///{tmp_path / 'lapse.db'}")
        engines.append(Engine.open(rules=path, clock=clock, settings=settings, fallback=receiver))
        return engines[-1]

    yield make
    for one in engines:
        one.close()


def dies_at(engine: Engine, point: str) -> list[str]:
    """Have the engine break when its sending reaches a point; gives the points it reached."""
    reached: list[str] = []

    def reach(name: str) -> None:
        reached.append(name)
        if name == point:
            raise Died

    engine.sending.reached = reach
    return reached


@pytest.mark.parametrize(
    ("point", "reached", "got_first"),
    [
        pytest.param("claimed", ["claimed"], 0, id="claimed: nothing went out"),
        pytest.param("answered", ["claimed", "answered"], 3, id="answered: all went out and nothing says so"),
    ],
)
def test_a_break_loses_nothing_and_the_next_run_sends_with_the_same_keys(
    opened: Callable[[Receiver], Engine], clock: Clock, point: str, reached: list[str], got_first: int
) -> None:
    before, after = Receiver(), Receiver()
    engine = opened(before)
    seen = dies_at(engine, point)
    engine.ingest([{"event": "a", "user_id": id, "properties": {"total": 7}} for id in PEOPLE])
    with pytest.raises(Died):
        engine.run_due()
    assert (seen, len(before.got)) == (reached, got_first)
    assert engine.counts_by_rule()[0].outbox == {"sending": 3}
    wanted = sorted(one.key for one in engine.sent())

    again = opened(after)
    again.run_due()
    assert after.got == []
    clock.set(clock.now() + LEASE - 1)
    again.run_due()
    assert after.got == []
    clock.set(clock.now() + 1)
    again.run_due()
    assert sorted(after.keys) == wanted
    assert {one.attempt for one in after.got} == {2}
    assert [one.body() for one in before.got] in ([], [one.body() for one in after.got])
    assert again.counts_by_rule()[0].outbox == {"sent": 3}


@pytest.mark.parametrize("point", ["claimed", "answered"])
def test_after_a_break_the_journey_goes_on_as_if_there_had_been_none(
    opened: Callable[[Receiver], Engine], clock: Clock, point: str
) -> None:
    receiver = Receiver()
    engine = opened(receiver)
    dies_at(engine, point)
    engine.ingest({"event": "a", "user_id": "u1"})
    with pytest.raises(Died):
        engine.run_due()
    again = opened(receiver)
    travel(again, clock, "2026-01-01T03:00:00Z")
    assert [one.action for one in again.sent()] == ["mail", "push"]
    assert len(set(receiver.keys)) == 2
    assert again.counts_by_rule()[0].outbox == {"sent": 2}


def test_a_purchase_after_the_claim_does_not_take_back_what_may_have_gone_out(
    opened: Callable[[Receiver], Engine], clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "r.rules").write_text("Rule: r\nTrigger: a\nAction: mail\nExit: b")
    receiver = Receiver()
    engine = opened(receiver)
    dies_at(engine, "answered")
    engine.ingest({"event": "a", "user_id": "u1"})
    with pytest.raises(Died):
        engine.run_due()
    again = opened(receiver)
    again.ingest({"event": "b", "user_id": "u1"})
    travel(again, clock, "2026-01-01T01:00:00Z")
    assert len(receiver.keys) == 2
    assert len(set(receiver.keys)) == 1


def test_more_than_one_claim_is_sent_claim_by_claim(opened: Callable[[Receiver], Engine]) -> None:
    receiver = Receiver()
    engine = opened(receiver)
    engine.ingest([{"event": "a", "user_id": f"u{number}"} for number in range(AT_MOST + 1)])
    assert engine.run_due().sent == AT_MOST + 1
    assert len(set(receiver.keys)) == AT_MOST + 1


# ------------------------------------------------------------------------------------------------ retries

NOW = 1_767_225_600_000_000


def row(key: str = "act_1", attempts: int = 1, left_at: int = NOW) -> OutboxRow:
    return OutboxRow(
        id=1, workspace_id=1, key=key, journey_id=1, rule=1, person_id=1, step="1", name="mail", template=None,
        moment=NOW, due_at=NOW, status="sending", reason=None, attempts=attempts, left_at=left_at, error=None,
        causes="[]", variables="{}", created_at=NOW,
    )  # fmt: skip


def tried(one: OutboxRow, failure: SendError | None, now: int = NOW, **settings: Any) -> Outcome:
    receiver = Receiver(*([failure] if failure else []))
    return attempt(receiver, LogSettings(type="log", **settings), one, outgoing(one, "r", "u1"), now)


def wait(attempts: int, key: str = "act_1", retry_after: float | None = None) -> int:
    found = tried(row(key, attempts), SendError("down", retry_after=retry_after))
    assert found.status == "failed"
    assert found.next_attempt_at is not None
    return found.next_attempt_at - NOW


@pytest.mark.parametrize(
    ("attempts", "full"),
    [
        (1, 5 * SECOND),
        (2, 10 * SECOND),
        (3, 20 * SECOND),
        (7, 320 * SECOND),
        (10, 2560 * SECOND),
        (11, HOUR),
        (99, HOUR),
    ],
)
def test_each_wait_is_twice_the_one_before_between_half_and_all_of_it(attempts: int, full: int) -> None:
    waits = [wait(attempts, f"act_{number}") for number in range(64)]
    assert full / 2 <= min(waits) < full * 0.6
    assert full * 0.9 < max(waits) <= full


def test_a_wait_is_the_same_for_the_same_attempt() -> None:
    assert wait(3) == wait(3)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        pytest.param(60, 60 * SECOND, 60 * SECOND, id="as long as the receiver says"),
        pytest.param(0, 2 * SECOND, 5 * SECOND, id="never shorter than our own"),
        pytest.param(86_400, LONGEST_RETRY, LONGEST_RETRY, id="never longer than the longest"),
    ],
)
def test_what_the_receiver_says(said: float, least: int, most: int) -> None:
    assert least <= wait(1, retry_after=said) <= most


@pytest.mark.parametrize(
    ("failure", "since", "status"),
    [
        pytest.param(None, 0, "sent", id="sent"),
        pytest.param(SendError("no", permanent=True), 0, "dead", id="trying again cannot help"),
        pytest.param(SendError("no"), GIVE_UP_AFTER - 1, "failed", id="until three days after it left"),
        pytest.param(SendError("no"), GIVE_UP_AFTER, "dead", id="given up"),
        pytest.param(None, GIVE_UP_AFTER, "sent", id="sent at the last attempt"),
    ],
)
def test_what_becomes_of_an_attempt(failure: SendError | None, since: int, status: str) -> None:
    found = tried(row(left_at=NOW - since), failure)
    assert (found.status, found.error) == (status, str(failure) if failure else None)


def test_an_action_that_fails_for_good_is_tried_for_three_days_under_one_key(
    opened: Callable[[Receiver], Engine], clock: Clock
) -> None:
    receiver = Receiver(*(SendError("down") for _ in range(1000)))
    engine = opened(receiver)
    engine.ingest({"event": "a", "user_id": "u1", "properties": {"total": 7}})
    engine.run_due()
    travel(engine, clock, "2026-01-01T00:59:59Z")
    early = len(receiver.got)
    assert 10 <= early <= 11  # the waits of an hour, each between half and all of 5 seconds, 10, 20 and so on
    travel(engine, clock, "2026-01-05T00:00:00Z")
    mails = [one for one in receiver.got if one.action == "mail"]
    assert len({one.key for one in mails}) == 1
    assert [one.attempt for one in mails] == list(range(1, len(mails) + 1))
    assert {str(one.body()) for one in mails} == {str(mails[0].body())}
    assert engine.counts_by_rule()[0].outbox == {"dead": 2}


def test_one_that_fails_holds_up_no_other(opened: Callable[[Receiver], Engine]) -> None:
    receiver = Receiver(SendError("down"))
    engine = opened(receiver)
    engine.ingest([{"event": "a", "user_id": id} for id in PEOPLE])
    engine.run_due()
    assert len(receiver.got) == 3
    assert engine.counts_by_rule()[0].outbox == {"failed": 1, "sent": 2}


def test_who_was_redriven_is_tried_as_long_again() -> None:
    old = row(left_at=NOW - 9 * DAY)
    assert tried(old, SendError("down")).status == "dead"
    assert tried(old._replace(redriven_at=NOW - GIVE_UP_AFTER + 1), SendError("down")).status == "failed"


def test_patience_and_pauses_are_the_channels_own() -> None:
    settings = {"give_up_after": "10 minutes", "first_retry": "1 minute", "longest_retry": "2 minutes"}
    found = tried(row(attempts=5), SendError("down"), **settings)
    assert MINUTE <= (found.next_attempt_at or 0) - NOW <= 2 * MINUTE
    assert tried(row(left_at=NOW - 10 * MINUTE), SendError("down"), **settings).status == "dead"


def test_what_may_not_arrive_twice_is_parked_where_nobody_knows() -> None:
    unknown, refused = SendError("cut off", unknown=True), SendError("nobody listens")
    assert tried(row(), unknown, delivery="at_most_once").status == "parked"
    assert tried(row(), refused, delivery="at_most_once").status == "failed"
    assert tried(row(), unknown).status == "failed"


def test_what_an_attempt_says_of_its_receiver_is_handed_on() -> None:
    found = tried(row(), SendError("gone", permanent=True, gone=True))
    assert (found.status, found.gone, found.bounced) == ("dead", True, False)
    found = tried(row(), SendError("no such box", permanent=True, bounced=True))
    assert (found.status, found.gone, found.bounced) == ("dead", False, True)
