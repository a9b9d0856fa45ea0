"""Consent, caps and bounces: what is suppressed when it is about to leave, and with which reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from engine.delivery.channels import Outgoing, SendError
from engine.runtime.pressure import EMAIL
from engine.store import addresses
from engine.store.addresses import Bounce
from engine.testing import Travel
from tests.runtime.conftest import Lab

MAIL = {"channels": {"mail": {"type": "email", "host": "localhost", "from": "a@shop.example"}}}
BOUND = {**MAIL, "actions": {"send_email": "mail", "default": "log"}}


def reasons(here: Travel) -> dict[str, int]:
    """What was suppressed, by reason."""
    with here.engine.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT reason FROM outbox WHERE status = 'suppressed'").fetchall()
    return dict(Counter(reason for (reason,) in rows))


def rule(name: str, action: str = "send_email", more: str = "") -> str:
    return f"Rule: {name}\nTrigger: go\nAction: {action}\n{more}\n"


def go(here: Travel, *users: str) -> None:
    here.move("1 second")
    here.engine.ingest([{"event": "go", "user_id": user} for user in users])
    here.engine.run_due()


# ------------------------------------------------------------------------------------------------- caps


def test_a_cap_holds_over_all_rules_of_a_tag(lab: Lab) -> None:
    three = "\n".join(rule(name, more="Tags: promo, spring") for name in ("a", "b", "c"))
    with lab(three + "\n" + rule("d"), caps={"promo": "2 per person per 7 days"}) as here:
        go(here, "u1", "u2")
        assert Counter(one.person for one in here.actions) == {"u1": 3, "u2": 3}
        assert reasons(here) == {"cap: promo": 2}
        assert {one.rule for one in here.actions} == {"a", "b", "d"}


@pytest.mark.parametrize(("after", "sent"), [("15h59m58s", 1), ("15h59m59s", 2)])
def test_a_cap_rolls_and_exactly_its_length_ago_no_longer_counts(lab: Lab, after: str, sent: int) -> None:
    with lab(rule("a"), caps={"marketing": "1 per person per 16 hours"}) as here:
        go(here, "u1")
        here.move(after)
        go(here, "u1")
        assert len(here.actions) == sent


@pytest.mark.parametrize(("after", "sent"), [("15h59m58s", 1), ("15h59m59s", 2)])
def test_a_cap_beside_a_longer_one_has_an_edge_of_its_own(lab: Lab, after: str, sent: int) -> None:
    """What left is read as far back as the longest cap counts, so the shorter one must look at the times itself."""
    caps = {"marketing": "1 per person per 16 hours", "promo": "9 per person per 7 days"}
    with lab(rule("a", more="Tags: promo"), caps=caps) as here:
        go(here, "u1")
        here.move(after)
        go(here, "u1")
        assert len(here.actions) == sent


def test_what_a_cap_stops_is_not_deferred_and_counts_for_nothing(lab: Lab) -> None:
    two = rule("a") + "\n" + rule("b", more="Limit: once per person")
    with lab(two, caps={"marketing": "1 per person per 16 hours"}) as here:
        go(here, "u1")
        here.move("17 hours")
        assert [one.rule for one in here.actions] == ["a"]
        go(here, "u1")
        assert [one.rule for one in here.actions] == ["a", "a"]
        assert reasons(here) == {"cap: marketing": 2}


def test_transactional_actions_pass_every_cap_and_fill_none(lab: Lab) -> None:
    receipt = rule("receipt", more="Purpose: transactional\nTags: promo")
    caps = {"promo": "1 per person per day", "transactional": "1 per person per day"}
    with lab(receipt + "\n" + rule("z", more="Tags: promo"), caps=caps) as here:
        go(here, "u1")
        go(here, "u1")
        assert Counter(one.rule for one in here.actions) == {"receipt": 2, "z": 1}


def test_what_was_tried_counts_although_it_failed(lab: Lab) -> None:
    with lab(rule("a"), caps={"marketing": "1 per person per day"}) as here:

        @here.engine.action("send_email")
        def fails(action: object) -> None:
            raise SendError("down")

        go(here, "u1")
        go(here, "u1")
        assert here.engine.counts_by_rule()[0].outbox == {"failed": 1, "suppressed": 1}


# ---------------------------------------------------------------------------------------------- consent


@pytest.mark.parametrize(
    ("said", "more", "sent"),
    [
        (True, "", 0),
        (["email"], "", 0),
        (["mail"], "", 0),
        (["sms"], "", 1),
        (["marketing"], "", 0),
        (["news"], "", 1),
        (["news"], "Purpose: news", 0),
        (True, "Purpose: transactional", 1),
        (["email"], "Purpose: transactional", 1),
        ([], "", 1),
        (None, "", 1),
    ],
)
def test_who_said_no_is_left_alone(lab: Lab, said: Any, more: str, sent: int) -> None:
    with lab(rule("a", more=more), **BOUND) as here:
        here.engine.identify("u1", {"unsubscribed": said})
        go(here, "u1")
        assert len(here.actions) == sent
        assert reasons(here) == ({} if sent else {"unsubscribed": 1})


def test_it_is_asked_when_the_action_leaves(lab: Lab) -> None:
    text = "Rule: a\nTrigger: go\nWait: 1 hour\nAction: send_email\nAction: push\n"
    with lab(text, **BOUND) as here:
        go(here, "u1")
        here.clock.move("2 hours")
        here.engine.decide_due()
        here.engine.identify("u1", {"unsubscribed": ["mail"]})
        here.engine.run_due()
        assert [one.action for one in here.actions] == ["push"]
        assert reasons(here) == {"unsubscribed": 1}


def test_another_address_is_asked_for_its_own_consent(lab: Lab) -> None:
    text = "Rule: a\nTrigger: go\nAction: send_email to trigger.friend\n"
    with lab(text, **BOUND) as here:
        here.engine.identify("ann", {"email": "Ann@example.com", "unsubscribed": True})
        here.engine.identify("bob", {"email": "bob@example.com"})
        here.engine.identify("cut", {"email": "cut@example.com", "unsubscribed": True})
        here.engine.identify("cut", {"email": "new@example.com"})
        for friend in ("ann@example.com", "bob@example.com", "cut@example.com", "nobody@example.com"):
            here.engine.ingest({"event": "go", "user_id": f"of {friend}", "properties": {"friend": friend}})
        here.engine.run_due()
        assert [one.to for one in here.actions] == ["bob@example.com", "cut@example.com", "nobody@example.com"]
        assert reasons(here) == {"unsubscribed": 1}


@pytest.mark.parametrize("action", ["send_email", "post"])
def test_another_address_is_asked_whichever_channel_carries_the_action(lab: Lab, action: str) -> None:
    with lab(f"Rule: a\nTrigger: go\nAction: {action} to trigger.friend\n") as here:
        got: list[Outgoing] = []
        here.engine.action("send_email")(got.append)
        here.engine.identify("ann", {"email": "ann@example.com", "unsubscribed": True})
        here.engine.ingest({"event": "go", "user_id": "u1", "properties": {"friend": "ann@example.com"}})
        here.engine.run_due()
        assert [*got, *here.actions] == []
        assert reasons(here) == {"unsubscribed": 1}


def test_an_address_in_other_capitals_is_the_persons_own(lab: Lab) -> None:
    text = "Rule: a\nTrigger: go\nAction: send_email to trigger.mail\n"
    with lab(text, **BOUND, delivery={"public_url": "https://shop.example"}) as here:
        here.engine.identify("u1", {"email": "ann@example.com"})
        here.engine.ingest({"event": "go", "user_id": "u1", "properties": {"mail": "Ann@Example.com"}})
        here.engine.run_due()
        assert [one.unsubscribe_url is None for one in here.actions] == [False]


# ---------------------------------------------------------------------------------------------- bounces


@pytest.mark.parametrize("more", ["", "Purpose: transactional"])
def test_an_address_that_bounced_gets_nothing_whatever_the_purpose(lab: Lab, more: str) -> None:
    with lab(rule("a", more=more), **BOUND) as here:
        here.engine.writer.run(
            lambda connection: addresses.add_unreachable(
                connection, here.engine.workspace, EMAIL, {"ann@example.com": Bounce(0, "550")}
            )
        )
        here.engine.identify("ann", {"email": "ANN@example.com"})
        here.engine.identify("bob", {"email": "bob@example.com"})
        go(here, "ann", "bob")
        assert [one.person for one in here.actions] == ["bob"]
        assert reasons(here) == {"unreachable": 1}
