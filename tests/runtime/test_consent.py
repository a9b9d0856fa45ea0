"""Consent through the engine: what events say is an attribute everywhere, and ends the journeys it ends."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from engine.testing import Travel

from .conftest import Lab

WAITS = "Rule: r\nTrigger: cart\nWait: 5 hours\nAction: mail"
EVERYTHING = {
    "no": {"event": "unsubscribed", "timestamp": "2026-01-01T01:00:00Z"},
    "sms": {"event": "unsubscribed", "timestamp": "2026-01-01T02:00:00Z", "properties": {"channel": "sms"}},
    "yes": {"event": "resubscribed", "timestamp": "2026-01-01T03:00:00Z"},
    "news": {
        "event": "unsubscribed", "timestamp": "2026-01-01T04:00:00Z",
        "properties": {"channel": "mail", "topic": "news"},
    },
    "mail": {"event": "resubscribed", "timestamp": "2026-01-01T05:00:00Z", "properties": {"channel": "mail"}},
}  # fmt: skip


def said(lab: Travel, who: str = "u1") -> Any:
    person = lab.engine.person(who)
    assert person is not None
    return person.attributes.get("unsubscribed")


def journey(lab: Travel, rule: str = "r") -> tuple[str | None, dict[str, int]]:
    """How the rule's one journey ended, and its actions by state."""
    person = lab.engine.person("u1")
    assert person is not None
    (found,) = [one for one in person.journeys if one.rule == rule]
    counts = {one.rule: one.outbox for one in lab.engine.counts_by_rule()}
    return found.reason, counts[rule]


@pytest.mark.parametrize("order", list(permutations(EVERYTHING))[::7], ids="-".join)
def test_the_attribute_is_the_same_in_any_order_of_arrival(lab: Lab, order: tuple[str, ...]) -> None:
    with lab() as here:
        here.clock.move("6 hours")
        for name in order:
            assert here.engine.ingest({**EVERYTHING[name], "user_id": "u1"}).ok
        assert said(here) == ["news"]


def test_an_identify_sets_it_outright_and_nobody_forges_what_an_event_says(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1"})
        here.clock.move("1 hour")
        here.engine.identify("u1", {"unsubscribed": ["unsubscribed", ["sms"]]})
        assert said(here) == ["unsubscribed", ["sms"]]
        here.clock.move("1 hour")
        here.engine.identify("u1", {"unsubscribed": None})
        assert said(here) is None


def test_it_is_shown_once_as_the_event_it_was(lab: Lab) -> None:
    with lab() as here:
        here.engine.identify("u1", {"plan": "free"})
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1", "properties": {"channel": "sms"}})
        person, export = here.engine.person("u1"), here.engine.export("u1")
        assert person is not None
        assert export is not None
        assert person.attributes == export["attributes"] == {"plan": "free", "unsubscribed": ["sms"]}
        assert [name for _, name, _ in person.timeline] == ["", "unsubscribed"]
        assert [one["attributes"] for one in export["attribute_changes"]] == [{"plan": "free"}]


def test_it_merges_with_the_person_and_is_erased_with_them(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({"event": "unsubscribed", "anonymous_id": "x", "properties": {"channel": "sms"}})
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1", "properties": {"topic": "news"}})
        here.engine.ingest({"event": "login", "user_id": "u1", "anonymous_id": "x"})
        assert said(here) == ["news", "sms"]
        here.engine.erase("u1")
        with here.engine.store.read() as connection:
            kept = connection.exec_driver_sql("SELECT count(*) FROM attribute_changes").scalar_one()
        assert kept == 0


def test_templates_see_it_as_it_stood_at_the_leaving(lab: Lab) -> None:
    """Also where no rule reads an attribute."""
    with lab(WAITS + "\nPurpose: transactional") as here:
        here.engine.identify("u1", {"plan": "free"})
        here.engine.ingest([{"event": "cart", "user_id": "u1"}])
        here.clock.move("1 hour")
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1", "properties": {"topic": "news"}})
        here.clock.move("5 hours")
        here.engine.run_due()
        with here.engine.store.read() as connection:
            (variables,) = connection.exec_driver_sql("SELECT variables FROM outbox").scalars()
        assert json.loads(variables)["person"] == {"plan": "free", "unsubscribed": ["news"]}


@pytest.mark.parametrize(
    ("clauses", "fields", "end"),
    [
        ("", {}, ("exit", {})),
        ("Exit: none", {}, ("exit", {})),
        ("Purpose: news", {"topic": "news"}, ("exit", {})),
        ("Purpose: news", {"topic": "offers"}, ("finished", {"sent": 1})),
        ("Purpose: transactional", {}, ("finished", {"sent": 1})),
    ],
)
def test_it_ends_journeys_that_wait(
    lab: Lab, clauses: str, fields: dict[str, str], end: tuple[str, dict[str, int]]
) -> None:
    with lab(f"{WAITS}\n{clauses}") as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("1 hour")
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1", "properties": fields})
        here.clock.move("4 hours")
        here.engine.run_due()
        assert journey(here) == end


def test_it_withdraws_what_is_decided_and_has_not_left_also_when_it_comes_late(lab: Lab) -> None:
    with lab(WAITS) as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("6 hours")
        here.engine.decide_due()
        assert journey(here) == ("finished", {"pending": 1})
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1", "timestamp": "2026-01-01T02:00:00Z"})
        here.engine.run_due()
        assert journey(here) == ("exit", {"cancelled": 1})


def test_a_patient_rule_hears_it_too(lab: Lab) -> None:
    """Its triggers are only noted, and what ends a journey is told to nobody when it comes."""
    with lab("Rule: r\nTrigger: cart\nCondition: NOT buy within 24 hours\nAction: mail") as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("1 hour")
        here.engine.ingest({"event": "unsubscribed", "user_id": "u1"})
        here.clock.move("24 hours")
        here.engine.run_due()
        assert journey(here) == ("exit", {})


def test_what_a_rule_tracks_counts_for_other_rules(lab: Lab) -> None:
    rules = """
    Rule: asks
    Trigger: complained
    Action: track unsubscribed with topic = news

    Rule: r
    Trigger: unsubscribed
    Condition: person.unsubscribed = news
    """
    with lab(rules) as here:
        here.engine.ingest({"event": "complained", "user_id": "u1"})
        assert said(here) == ["news"]
        assert journey(here) == ("finished", {"sent": 1})
