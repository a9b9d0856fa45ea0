"""Values of another kind than a rule asks for are counted by rule and field, whatever path they take."""

from __future__ import annotations

import pytest

from engine.runtime.sight import Misreading
from engine.testing import Travel

from .conftest import Lab


def met(here: Travel) -> list[Misreading]:
    here.engine.settle()
    (one,) = here.engine.counts_by_rule()
    assert here.engine.misread() == ({one.rule: one.misread} if one.misread else {})
    assert not [note for note in one.notes if note.startswith("misread")]
    return one.misread


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("Trigger: cart where total >= 50", id="decided at once"),
        pytest.param("Trigger: cart where total >= 50\nCondition: NOT buy within 24 hours", id="only looked into"),
    ],
)
def test_a_trigger_whose_field_is_text(lab: Lab, rule: str) -> None:
    with lab(f"Rule: r\n{rule}") as here:
        here.engine.ingest({"event": "cart", "user_id": "ann", "properties": {"total": 49}})
        assert met(here) == []
        here.engine.ingest({"event": "cart", "user_id": "bob", "properties": {"total": "59.90"}})
        assert met(here) == [Misreading("cart.total", "text_and_number", 1)]
        here.engine.ingest({"event": "cart", "user_id": "cid", "properties": {"total": "9"}})
        assert met(here) == [Misreading("cart.total", "text_and_number", 2)]


def test_what_no_date_can_be_read_of(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: None\nCondition: person.trial_ends_at in the next 3 days") as here:
        here.clock.move("1 minute")
        here.engine.identify("ann", {"trial_ends_at": "1768910400"})
        here.engine.identify("bob", {"trial_ends_at": here.clock.now() // 1_000_000 + 86_400})
        assert met(here) == [Misreading("person.trial_ends_at", "unreadable_date", 1)]
        assert here.engine.counts_by_rule()[0].acted == 1


def test_a_zone_nobody_knows(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: cart\nWait: until 09:00 in person.timezone\nAction: hello") as here:
        here.engine.identify("ann", {"timezone": "Mars/Olympus"})
        here.engine.ingest({"event": "cart", "user_id": "ann"})
        ((field, kind, times),) = met(here)
        assert (field, kind) == ("person.timezone", "unknown_zone")
        assert times >= 1


@pytest.mark.parametrize(
    "rule",
    ["Only while: NOT buy where total > 50 since trigger\nAction: hello", "Action: hello\nExit: buy where total > 50"],
)
def test_an_action_that_is_asked_again_on_leaving_counts_what_it_meets(lab: Lab, rule: str) -> None:
    with lab(f"Rule: r\nTrigger: cart\n{rule}") as here:
        here.engine.pause_delivery()
        here.engine.ingest({"event": "cart", "user_id": "ann"})
        here.engine.ingest({"event": "buy", "user_id": "ann", "properties": {"total": "60"}})
        ((field, kind, decided),) = met(here)
        assert (field, kind) == ("buy.total", "text_and_number")
        here.engine.resume_delivery()
        here.move("1 minute")
        assert met(here) == [Misreading(field, kind, decided + 1)]
        assert len(here.actions) == 1
