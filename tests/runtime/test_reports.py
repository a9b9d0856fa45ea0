"""Delivery reports: they say which action they tell of, count as caused by it, and end what bounced."""

from __future__ import annotations

from typing import Any

import pytest

from engine.testing import Travel
from tests.runtime.conftest import Lab

RULES = """
Rule: hello
Trigger: go
Action: send_email "hello"
Tags: promo, spring

Rule: opened
Trigger: email_opened where template = "hello", tag contains "promo", rule = "hello"
Action: thank
"""
BOUND = {
    "channels": {"mail": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
    "actions": {"send_email": "mail", "default": "log"},
}


def sent(here: Travel) -> str:
    """The key of a mail that left to u1, at ann@example.com."""
    here.engine.identify("u1", {"email": "ann@example.com"})
    here.engine.ingest({"event": "go", "user_id": "u1"})
    here.move("1 minute")
    return here.actions[0].key


def report(here: Travel, name: str, key: str | None, **properties: Any) -> None:
    event = {"event": name, "user_id": "u1", "caused_by": key, "properties": properties}
    here.engine.ingest({field: value for field, value in event.items() if value is not None})
    here.move("1 minute")


def test_a_report_says_what_the_action_was(lab: Lab) -> None:
    with lab(RULES) as here:
        key = sent(here)
        report(here, "email_opened", key, client="phone")
        (event,) = here.engine.events("u1", names="email_opened").events
        assert event.properties == {
            "client": "phone", "key": key, "rule": "hello", "tag": ["promo", "spring"], "template": "hello",
        }  # fmt: skip
        assert event.caused_by == ("hello",)
        assert [one.action for one in here.actions] == ["send_email", "thank"]


def test_what_a_report_says_itself_stands(lab: Lab) -> None:
    with lab(RULES) as here:
        report(here, "email_opened", sent(here), template="other")
        (event,) = here.engine.events("u1", names="email_opened").events
        assert (event.properties["template"], event.properties["rule"]) == ("other", "hello")


def test_a_report_of_nothing_known_is_an_event_like_any_other(lab: Lab) -> None:
    with lab(RULES) as here:
        sent(here)
        report(here, "email_opened", "act_unknown", a=1)
        (event,) = here.engine.events("u1", names="email_opened").events
        assert (event.properties, event.caused_by) == ({"a": 1}, ())


@pytest.mark.parametrize(
    ("properties", "ends"),
    [
        ({"hard": True}, True),
        ({"type": "hard"}, True),
        ({"type": "Permanent"}, True),
        ({"type": "soft"}, False),
        ({"hard": "true"}, False),
        ({}, False),
    ],
)
def test_a_hard_bounce_ends_mail_to_the_address(lab: Lab, properties: dict[str, Any], ends: bool) -> None:
    with lab(RULES, **BOUND) as here:
        report(here, "email_bounced", sent(here), **properties)
        assert mailed_again(here) is not ends


def test_an_address_may_be_tried_again(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        report(here, "email_bounced", sent(here), hard=True)
        assert here.engine.forget_unreachable("Ann@example.com")
        assert not here.engine.forget_unreachable("ann@example.com")
        assert mailed_again(here)


def test_what_bounced_is_the_address_the_mail_was_made_for(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        key = sent(here)
        here.engine.writer.run(  # as the mail channel notes it, and time travel carries mail nowhere
            lambda connection: connection.exec_driver_sql("UPDATE outbox SET recipient = 'old@example.com'")
        )
        report(here, "email_bounced", key, hard=True)
        assert [one.address for one in here.engine.unreachable().items] == ["old@example.com"]
        assert mailed_again(here)


def test_before_it_was_made_the_address_is_what_its_to_names(lab: Lab) -> None:
    with lab(RULES.replace('send_email "hello"', 'send_email "hello" to person.boss'), **BOUND) as here:
        here.engine.identify("u1", {"boss": "boss@example.com"})
        report(here, "email_bounced", sent(here), hard=True)
        assert [one.address for one in here.engine.unreachable().items] == ["boss@example.com"]
        assert not mailed_again(here)


@pytest.mark.parametrize("key", [None, "act_unknown"])
def test_a_bounce_of_nothing_known_ends_nothing_and_stands_on_the_timeline(lab: Lab, key: str | None) -> None:
    with lab(RULES, **BOUND) as here:
        sent(here)
        report(here, "email_bounced", key, hard=True, email="ann@example.com")
        (event,) = here.engine.events("u1", names="email_bounced").events
        assert event.properties == {"hard": True, "email": "ann@example.com"}
        assert mailed_again(here)


def test_what_is_still_to_leave_cannot_have_bounced(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        here.engine.pause_delivery("mail")
        here.engine.identify("u1", {"email": "ann@example.com"})
        here.engine.ingest({"event": "go", "user_id": "u1"})
        here.move("1 minute")
        (waiting,) = here.engine.deliveries().items
        assert waiting.state == "pending"
        report(here, "email_bounced", waiting.key, hard=True, email="ann@example.com")
        assert here.engine.unreachable().items == ()
        here.engine.resume_delivery("mail")
        here.move("1 minute")
        assert [one.key for one in here.actions] == [waiting.key]


def test_of_somebody_who_is_erased_nothing_tells_where_it_went(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        key = sent(here)
        here.engine.erase("u1")
        here.engine.ingest({"event": "email_bounced", "user_id": "u2", "caused_by": key, "properties": {"hard": True}})
        assert here.engine.unreachable().items == ()


def mailed_again(here: Travel) -> bool:
    """Whether the next mail leaves."""
    before = len(here.actions)
    here.engine.ingest({"event": "go", "user_id": "u1"})
    here.move("1 minute")
    return len(here.actions) > before
