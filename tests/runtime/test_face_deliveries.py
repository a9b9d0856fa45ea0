"""What left, and what did not: page by page, one with all that is known of it, and what was given up taken up again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.clock import DAY, iso
from engine.delivery.channels import Outgoing, SendError
from engine.errors import ConfigError
from engine.runtime import redriving
from engine.runtime.deliveries import Asked, UnknownName, sealed
from engine.testing import Travel

from .conftest import Lab

RULES = """\
Rule: one
Trigger: a
Action: hello "greeting" to person.email

Rule: two
Trigger: a
Action: goodbye
Holdout: 100%

Rule: three
Trigger: b
Action: hello
"""


class Receiver:
    """Takes nothing until it is mended."""

    def __init__(self, permanent: bool = True) -> None:
        self.broken = True
        self.permanent = permanent
        self.taken: list[Outgoing] = []

    def __call__(self, action: Outgoing) -> None:
        if self.broken:
            raise SendError("down", permanent=self.permanent)
        self.taken.append(action)


@pytest.fixture
def here(lab: Lab) -> Travel:
    """Two people at whom two rules looked; whatever is sent to `hello` is dead."""
    travel = lab(RULES)
    travel.engine.action("hello")(Receiver())
    travel.engine.ingest({"type": "identify", "user_id": "ann", "traits": {"email": "ann@example.com"}})
    for user in ("ann", "bob"):
        travel.clock.move("1 second")
        travel.engine.ingest({"event": "a", "user_id": user})
    travel.move("1 second")
    return travel


def keys(travel: Travel, **asked: object) -> list[str]:
    return [one.key for one in travel.engine.deliveries(Asked(**asked)).items]  # type: ignore[arg-type]


def told(travel: Travel, **asked: object) -> list[tuple[str, str, str]]:
    found = travel.engine.deliveries(Asked(**asked)).items  # type: ignore[arg-type]
    return [(one.person, one.rule, one.state) for one in found]


def put(travel: Travel, **values: object) -> None:
    """Write into every action that is dead, as a sender could."""
    with travel.engine.store.read() as connection:
        sets = ", ".join(f"{name} = ?" for name in values)
        connection.exec_driver_sql(f"UPDATE outbox SET {sets} WHERE status = 'dead'", tuple(values.values()))
        connection.commit()


# ---------------------------------------------------------------------------------------------- the list


def test_the_newest_come_first_with_why(here: Travel) -> None:
    assert told(here) == [
        ("bob", "two", "suppressed"), ("bob", "one", "suppressed"),
        ("ann", "two", "suppressed"), ("ann", "one", "dead"),
    ]  # fmt: skip
    dead = here.engine.deliveries(Asked(states=("dead",))).items[0]
    assert (dead.action, dead.template, dead.attempts, dead.error) == ("hello", "greeting", 1, "down")
    assert (dead.next_attempt_at, dead.redriven_at) == (None, None)
    assert {one.reason for one in here.engine.deliveries(Asked(states=("suppressed",))).items} == {
        "holdout", "no_recipient",
    }  # fmt: skip


def test_filters_together_and_alone(here: Travel) -> None:
    assert told(here, person="ann") == [("ann", "two", "suppressed"), ("ann", "one", "dead")]
    assert told(here, person="ann", states=("dead",)) == [("ann", "one", "dead")]
    assert told(here, person="bob", rule="two") == [("bob", "two", "suppressed")]
    assert told(here, rule="one") == [("bob", "one", "suppressed"), ("ann", "one", "dead")]
    assert told(here, rule="one", states=("sent", "dead")) == [("ann", "one", "dead")]
    assert told(here, action="goodbye") == [("bob", "two", "suppressed"), ("ann", "two", "suppressed")]
    assert told(here, action="goodbye", person="ann") == [("ann", "two", "suppressed")]
    assert told(here, person="nobody") == told(here, rule="three") == told(here, channel="log") == []
    put(here, channel="mail")
    assert told(here, channel="mail", states=("dead",)) == [("ann", "one", "dead")]


@pytest.mark.parametrize(
    "filters", [{}, {"states": ("dead", "suppressed")}, {"rule": "one"}, {"person": "ann"}], ids=str
)
def test_pages_hold_everything_once_whatever_comes_meanwhile(here: Travel, filters: dict[str, object]) -> None:
    whole, seen, after = keys(here, **filters), [], None
    while True:
        page = here.engine.deliveries(Asked(limit=1, after=after, **filters))  # type: ignore[arg-type]
        seen += [one.key for one in page.items]
        here.engine.ingest({"event": "a", "user_id": f"late-{len(seen)}"})
        after = page.after
        if after is None:
            break
    assert seen == whole


def test_a_page_is_bounded_by_the_setting(lab: Lab) -> None:
    with lab(RULES, page_limit=3) as here:
        here.engine.ingest([{"event": "b", "user_id": f"u{number}"} for number in range(5)])
        here.move("1 second")
        page = here.engine.deliveries(Asked(limit=100))
        assert (len(page.items), page.after is not None) == (3, True)
        assert len(here.engine.deliveries(Asked(limit=100, after=page.after)).items) == 2


@pytest.mark.parametrize(("asked", "message"), [
    (Asked(states=("ded",)), "'ded' is no state of an action here; did you mean 'dead'?"),
    (Asked(states=("xyz",)), "states are held, pending, sending, sent"),
    (Asked(after="x"), "is no cursor"),
])  # fmt: skip
def test_what_makes_no_sense_is_told(here: Travel, asked: Asked, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        here.engine.deliveries(asked)


@pytest.mark.parametrize(("asked", "field", "message"), [
    (Asked(rule="tow"), "rule", "there is no rule 'tow'; did you mean 'two'?"),
    (Asked(rule="xyz", person="nobody"), "rule", "there is no rule 'xyz'; 'lapse rules' shows those that are live"),
    (Asked(channel="lgo"), "channel", "nothing was found, and the settings know no channel 'lgo'; did you mean 'log'?"),
    (Asked(channel="xyz", states=("dead",)), "channel",
     "nothing was found, and the settings know no channel 'xyz'; channels are log, python"),
    (Asked(action="helo", person="ann"), "action",
     "nothing was found, and the settings and the live rules know no action 'helo'; did you mean 'hello'?"),
])  # fmt: skip
def test_a_name_that_nothing_has_is_told(here: Travel, asked: Asked, field: str, message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        here.engine.deliveries(asked)
    assert (caught.value.field, str(caught.value)) == (field, message)


def test_names_that_are_known_and_of_nothing_find_nothing(lab: Lab) -> None:
    known = {"channels": {"crm": {"type": "log"}}, "actions": {"tell_sales": "crm"}}
    with lab("Rule: quiet\nTrigger: a\n\nRule: loud\nTrigger: a\nAction: shout\n", **known) as here:
        here.engine.action("whisper")(Receiver())
        for name in ("tell_sales", "shout", "whisper", "match"):
            assert told(here, action=name) == []
        assert told(here, channel="crm") == told(here, rule="quiet") == []
        with pytest.raises(UnknownName, match="'shuot'; did you mean 'shout'"):
            here.engine.deliveries(Asked(action="shuot"))
        assert here.engine.redrive(channel="crm") == here.engine.redrivable(channel="crm") == 0


def test_what_is_removed_stays_listable(here: Travel, tmp_path: Path) -> None:
    put(here, channel="mail")
    (tmp_path / "other.rules").write_text("Rule: other\nTrigger: b\n")
    here.engine.load(tmp_path / "other.rules")
    both = [("bob", "two", "suppressed"), ("ann", "two", "suppressed")]
    assert told(here, rule="two") == told(here, action="goodbye") == both
    assert told(here, channel="mail") == [("ann", "one", "dead")]
    assert told(here, rule="three") == []
    page = here.engine.deliveries(Asked(action="goodbye", limit=1))
    assert [one.person for one in here.engine.deliveries(Asked(action="goodbye", after=page.after)).items] == ["ann"]


def test_as_many_statements_for_one_as_for_a_hundred(lab: Lab) -> None:
    with lab(RULES) as here:
        counted: list[int] = []
        for number in (1, 100):
            here.engine.ingest([{"event": "b", "user_id": f"u{one}"} for one in range(number)])
            here.move("1 second")
            statements: list[str] = []
            driver = here.engine.store.engine.raw_connection().driver_connection
            driver.set_trace_callback(statements.append)
            assert here.engine.deliveries(Asked(states=("sent",), limit=200)).items
            driver.set_trace_callback(None)
            counted.append(len([one for one in statements if one.startswith("SELECT")]))
        assert counted[0] == counted[1] <= 4


# ---------------------------------------------------------------------------------------------- one


def test_one_with_all_that_is_known_of_it(here: Travel) -> None:
    put(here, body=b'{"a": 1}', channel="crm", recipient="x@example.com")
    (key,) = keys(here, states=("dead",))
    found = here.engine.delivery(key)
    assert found is not None
    plain = found.plain()
    assert json.dumps(plain)
    assert (plain["key"], plain["state"], plain["channel"], plain["recipient"]) == (key, "dead", "crm", "x@example.com")
    assert plain["variables"]["to"] == "ann@example.com"
    assert plain["sealed"] == {"bytes": 8, "type": "json", "subject": None, "to": None, "content": {"a": 1}}
    assert plain["left_at"] == "2026-01-01T00:00:02Z"
    assert here.engine.delivery("unknown") is None


def test_of_a_mail_its_subject_and_to_whom_it_goes() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["To"] = "Zażółć gęślą jaźń", "Ann <ann@example.com>"
    mail.set_content("secret words")
    body = mail.as_bytes()
    assert sealed(body) == {
        "bytes": len(body), "type": "email", "subject": "Zażółć gęślą jaźń", "to": "Ann <ann@example.com>",
        "content": None,
    }  # fmt: skip
    assert sealed(b"no mail at all")["subject"] is None


# ---------------------------------------------------------------------------------------------- taken up again


def test_what_is_dead_is_sent_again_under_its_key_as_the_same_bytes(here: Travel) -> None:
    receiver = Receiver()
    here.engine.action("hello")(receiver)
    (key,) = keys(here, states=("dead",))
    put(here, body=b'{"subject": "s", "text": null, "html": null}', sealed_as="python")
    told_due: list[int] = []
    here.engine.on_due = told_due.append
    here.clock.move("9 days")
    assert here.engine.redrivable() == 1
    assert here.engine.redrive() == 1
    assert told_due == [here.clock.now()]
    again = here.engine.delivery(key)
    assert again is not None
    now = here.clock.now()
    state = again.delivery
    assert (state.state, state.next_attempt_at, state.redriven_at, state.attempts) == ("failed", now, now, 1)
    assert state.error == "down"
    receiver.broken = False
    here.engine.run_due()
    assert [(one.key, one.attempt) for one in receiver.taken] == [(key, 2)]
    done = here.engine.delivery(key)
    assert done is not None
    assert (done.delivery.state, done.delivery.attempts) == ("sent", 2)
    assert done.sealed is not None
    assert done.sealed["content"]["subject"] == "s"


def test_nothing_is_taken_up_twice(here: Travel) -> None:
    assert (here.engine.redrive(), here.engine.redrive(), here.engine.redrivable()) == (1, 0, 0)


def test_what_was_kept_from_leaving_stays_so(here: Travel) -> None:
    suppressed = keys(here, states=("suppressed",))
    assert here.engine.redrive(suppressed) == 0
    assert keys(here, states=("suppressed",)) == suppressed


def test_what_may_have_arrived_is_taken_up_only_when_named(here: Travel) -> None:
    put(here, status="parked", reason="unknown")
    assert here.engine.redrive() == 0
    assert here.engine.redrive(states=("parked",)) == 1
    (found,) = here.engine.deliveries(Asked(states=("failed",))).items
    assert found.reason is None


@pytest.mark.parametrize("before", [True, False])
def test_nothing_of_erased_people_is_taken_up(here: Travel, before: bool) -> None:
    """Whether their actions were dead before, or died of it."""
    if not before:
        put(here, status="failed", ready_at=here.clock.now() + DAY, due_at=here.clock.now() + DAY)
    (key,) = keys(here, states=("dead" if before else "failed",))
    here.engine.erase("ann")
    assert keys(here, states=("dead",)) == [key]
    assert (here.engine.redrivable(), here.engine.redrive(), here.engine.redrive([key])) == (0, 0, 0)


def test_by_rule_by_channel_and_by_key(lab: Lab) -> None:
    with lab(RULES) as here:
        here.engine.action("hello")(Receiver())
        here.engine.ingest({"type": "identify", "user_id": "ann", "traits": {"email": "ann@example.com"}})
        here.engine.ingest([{"event": name, "user_id": "ann"} for name in "ab"])
        here.move("1 second")
        assert len(keys(here, states=("dead",))) == 2
        assert here.engine.redrive(rule="two") == 0
        assert here.engine.redrivable(rule="three") == here.engine.redrive(rule="three") == 1
        for asks in (here.engine.redrive, here.engine.redrivable):
            with pytest.raises(UnknownName, match="the settings know no channel 'mail'"):
                asks(channel="mail")
        put(here, channel="mail")
        assert here.engine.redrive(channel="mail") == 1
        here.move("1 second")
        both = keys(here, states=("dead",))
        assert [here.engine.delivery(key).delivery.rule for key in both] == ["three", "one"]  # type: ignore[union-attr]
        assert here.engine.redrive([]) == here.engine.redrive(both, rule="two") == 0
        assert here.engine.redrive([both[1], both[1], "unknown"]) == 1
        assert keys(here, states=("dead",)) == both[:1]


def test_a_rule_or_state_that_is_none_is_told(here: Travel) -> None:
    with pytest.raises(ConfigError, match="there is no rule 'tow'; did you mean 'two'"):
        here.engine.redrive(rule="tow")
    with pytest.raises(ConfigError, match="'sent' is no state of an action here; states are dead, parked"):
        here.engine.redrive(states=["sent"])


@pytest.mark.parametrize("by_key", [True, False])
def test_a_page_a_transaction_however_many_there_are(lab: Lab, monkeypatch: pytest.MonkeyPatch, by_key: bool) -> None:
    monkeypatch.setattr(redriving, "PAGE", 4)
    with lab(RULES) as here:
        here.engine.action("hello")(Receiver())
        here.engine.ingest([{"event": "b", "user_id": f"u{number}"} for number in range(8)])
        here.move("1 second")
        dead: Iterable[str] | None = keys(here, states=("dead",)) if by_key else None
        commits: list[object] = []
        event.listen(here.engine.store.engine, "commit", commits.append)
        assert here.engine.redrivable(dead) == 8
        commits.clear()
        assert here.engine.redrive(dead) == 8
        assert len(commits) == (2 if by_key else 3)  # without keys, only an empty page tells that all are done
        assert iso(here.clock.now()) == here.engine.deliveries(Asked(limit=1)).items[0].plain()["redriven_at"]
