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
@pytest.mark.parametrize("by", ["key", "email"])
def test_a_hard_bounce_ends_mail_to_the_address(lab: Lab, properties: dict[str, Any], ends: bool, by: str) -> None:
    with lab(RULES, **BOUND) as here:
        key = sent(here)
        _recipient(here, "ann@example.com")
        named = {"email": "Ann@Example.com"} if by == "email" else {}
        report(here, "email_bounced", key if by == "key" else None, **properties, **named)
        here.engine.ingest({"event": "go", "user_id": "u1"})
        here.move("1 minute")
        assert len(here.actions) == (1 if ends else 2)


def test_an_address_may_be_tried_again(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        sent(here)
        report(here, "email_bounced", None, hard=True, email="ann@example.com")
        assert here.engine.forget_unreachable("Ann@example.com")
        assert not here.engine.forget_unreachable("ann@example.com")
        here.engine.ingest({"event": "go", "user_id": "u1"})
        here.move("1 minute")
        assert len(here.actions) == 2


def _recipient(here: Travel, address: str) -> None:
    """What the mail channel notes when it seals; time travel carries mail nowhere."""
    here.engine.writer.run(lambda connection: connection.exec_driver_sql("UPDATE outbox SET recipient = ?", (address,)))
