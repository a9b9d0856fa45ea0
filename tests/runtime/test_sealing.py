"""What actions are sent as: made once, before they are claimed; by one kind of channel the same at every attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import MINUTE
from engine.delivery.channels import Message, Outgoing, Sealed, SendError
from engine.testing import Clock
from tests.runtime.sends import Died, Opened, dies_at, go, rows, states


class Words:
    """Templates that are edited between attempts."""

    def __init__(self) -> None:
        self.text = "first"
        self.fault: SendError | None = None

    def message(self, action: Outgoing) -> Message:
        if self.fault is not None:
            raise self.fault
        if self.text == "broken":
            raise SendError("hello.txt: line 3: no such filter", permanent=True)
        return Message(text=f"{self.text}, {action.person}")


def test_what_was_sealed_once_is_sent_at_every_attempt(opened: Opened, clock: Clock) -> None:
    engine = opened('Rule: r\nTrigger: go\nAction: mail "hello"\n')
    words = engine.sending._sealer._templates = Words()
    got: list[Message | None] = []

    @engine.action("mail")
    def mail(action: Outgoing) -> None:
        got.append(action.message)
        words.text = "second"
        if len(got) == 1:
            raise SendError("down")

    go(engine)
    engine.run_due()
    clock.move("1 hour")
    engine.run_due()
    assert got == [Message(text="first, u0")] * 2
    assert states(engine) == {"sent": 1}


def test_a_template_that_fails_is_dead_with_its_error_and_holds_up_nothing(opened: Opened) -> None:
    engine = opened('Rule: r\nTrigger: go\nAction: mail "hello"\n\nRule: s\nTrigger: go\nAction: push\n')
    words = engine.sending._sealer._templates = Words()
    words.text = "broken"
    got: list[Outgoing] = []
    engine.action("mail")(got.append)
    go(engine, 20)
    engine.run_due()
    assert got == []
    assert states(engine) == {"dead": 20, "sent": 20}
    assert {row.error for row in rows(engine) if row.status == "dead"} == {"hello.txt: line 3: no such filter"}
    words.text = "fine"
    go(engine, 20, first=20)
    engine.run_due()
    assert len(got) == 20  # the lane has room as before


class Wire:
    """A channel of mail that keeps what it got."""

    def __init__(self) -> None:
        self.sealed: list[str] = []
        self.got: list[str] = []
        self.fault: SendError | None = None

    def seal(self, action: Outgoing) -> Sealed:
        self.sealed.append(action.key)
        return Sealed(action.key.encode(), action.variables["person"].get("email"))

    def send(self, action: Outgoing) -> None:
        if self.fault is not None:
            raise self.fault
        self.got.append(action.key)


MAIL = {
    "channels": {"post": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
    "actions": {"mail": "post"},
}


def wired(engine: Engine) -> Wire:
    wire = Wire()
    engine._routes._found["mail"] = engine._routes.of("mail")._replace(channel=wire)
    return wire


@pytest.mark.parametrize(("point", "left"), [("sealed", 0), ("claimed", 1)])
def test_after_a_death_before_the_first_attempt_it_is_asked_again(
    opened: Opened, clock: Clock, point: str, left: int
) -> None:
    engine = opened(HELLO, **MAIL)
    wired(engine)
    dies_at(engine, point)
    go(engine)
    with pytest.raises(Died):
        engine.run_due()
    again = opened(**MAIL)
    wire = wired(again)
    again.ingest({"event": "unsubscribed", "user_id": "u0"})
    clock.set(clock.now() + 5 * MINUTE)
    again.run_due()
    assert len(wire.got) == left  # once it is claimed, nobody knows whether it had been sent


HELLO = 'Rule: r\nTrigger: go\nAction: mail "hello"\nTags: promo\nGoal: bought within 1 day\n'
FOLLOWING = HELLO + '\nRule: next\nTrigger: mail where template = "hello"\nAction: follow\n'


def broken(opened: Opened, rules: str = HELLO, **more: Any) -> tuple[Engine, Wire, Words]:
    """An engine whose only action is dead, because its template fails."""
    engine = opened(rules, **MAIL, **more)
    wire, words = wired(engine), Words()
    engine.sending._sealer._templates = words  # type: ignore[assignment]
    words.text = "broken"
    go(engine)
    engine.run_due()
    assert states(engine) == {"dead": 1}
    words.text = "fine"
    return engine, wire, words


def test_an_action_of_which_nothing_could_be_made_has_not_left(opened: Opened) -> None:
    engine, wire, _ = broken(opened, FOLLOWING.replace("Action: follow", 'Action: mail "after"'), caps={"promo": DAILY})
    (row,) = rows(engine)
    assert (row.attempts, row.left_at, row.channel) == (0, None, "post")
    assert [one.event for one in engine.events("u0").events] == ["go"]
    engine.ingest({"event": "bought", "user_id": "u0"})
    counts = {one.rule: one for one in engine.counts_by_rule()}
    assert (counts["r"].acted, counts["next"].started) == (0, 0)
    go(engine)
    engine.run_due()
    assert states(engine) == {"dead": 1, "sent": 2}  # the cap had room
    assert len(wire.got) == 2


DAILY = "1 per person per 1 day"


def test_it_is_asked_when_it_is_taken_up_again(opened: Opened, clock: Clock) -> None:
    engine, wire, _ = broken(opened)
    clock.move("9 days")  # it is late from now on, not from when it was decided
    engine.redrive([rows(engine)[0].key])
    engine.run_due()
    (row,) = rows(engine)
    assert (row.status, row.attempts, row.left_at) == ("sent", 1, clock.now())
    assert wire.got == [row.key]
    assert engine.counts_by_rule()[0].acted == 1


@pytest.mark.parametrize(
    ("rules", "event"),
    [(HELLO, "unsubscribed"), (HELLO.replace("Goal: bought within 1 day", "Exit: bought"), "bought")],
)
def test_what_happened_meanwhile_counts(opened: Opened, rules: str, event: str) -> None:
    engine, wire, _ = broken(opened, rules)
    engine.ingest({"event": event, "user_id": "u0"})
    engine.redrive([rows(engine)[0].key])
    engine.run_due()
    assert (states(engine), wire.got) == ({"cancelled": 1}, [])


def test_it_goes_with_its_rule(opened: Opened, tmp_path: Path) -> None:
    engine, wire, _ = broken(opened)
    (tmp_path / "r.rules").write_text("Rule: other\nTrigger: x\n")
    assert engine.reload().ok
    engine.redrive([rows(engine)[0].key])
    engine.run_due()
    assert [(row.status, row.reason) for row in rows(engine)] == [("cancelled", "rule_removed")]
    assert wire.got == []


def test_what_may_be_made_later_is_tried_later(opened: Opened, clock: Clock) -> None:
    engine = opened(HELLO, **MAIL)
    wire, words = wired(engine), Words()
    engine.sending._sealer._templates = words  # type: ignore[assignment]
    words.fault = SendError("templates are read by a library that is not installed")
    go(engine)
    engine.run_due()
    (row,) = rows(engine)
    assert (row.status, row.attempts, row.left_at, row.error) == ("pending", 0, None, str(words.fault))
    assert row.due_at > clock.now()
    words.fault = None
    clock.move("10 minutes")
    engine.run_due()
    assert (states(engine), len(wire.got)) == ({"sent": 1}, 1)


@pytest.mark.parametrize("happens", ["erased", "paused", "taken"])
def test_what_happens_while_it_is_sealed_counts(opened: Opened, happens: str) -> None:
    engine = opened(HELLO, **MAIL)
    wire = wired(engine)

    def meanwhile(point: str) -> None:
        if point == "sealed":
            engine.sending.reached = lambda _: None
            if happens == "erased":
                engine.erase("u0")
            elif happens == "paused":
                engine.pause_delivery("post")
            else:
                wired(other := opened(**MAIL))
                other.run_due()

    engine.sending.reached = meanwhile
    go(engine)
    engine.run_due()
    assert wire.got == []


def test_a_channel_of_another_kind_makes_it_anew(opened: Opened, clock: Clock) -> None:
    engine = opened(HELLO, **MAIL)
    wire = wired(engine)
    wire.fault = SendError("451 not now")
    go(engine)
    engine.run_due()
    assert rows(engine)[0].sealed_as == "email"
    engine.close()
    hook = {"type": "webhook", "url": "https://crm.example.com/"}
    again = opened(channels={**MAIL["channels"], "crm": hook}, actions={"mail": "crm"})
    posted = wired(again)
    clock.move("1 day")
    again.run_due()
    (row,) = rows(again)
    assert (row.status, row.sealed_as, row.attempts) == ("sent", "webhook", 2)
    assert posted.sealed == posted.got == [row.key]
