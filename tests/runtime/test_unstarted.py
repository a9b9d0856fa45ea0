"""Who sends events from before a rule went live, or too old ones, is told that they start nothing."""

from __future__ import annotations

from engine.clock import DAY, HOUR, iso
from engine.receipt import Accepted
from engine.testing import Travel

from .conftest import Lab

RULE = "Rule: cart\nTrigger: cart where total >= 50\nCondition: NOT buy within 1 day"


def sent(here: Travel, back: int, total: int = 60, user: str = "ann", **more: object) -> Accepted:
    item = {"event": "cart", "user_id": user, "timestamp": iso(here.clock.now() - back), "properties": {"total": total}}
    (outcome,) = here.engine.ingest([item], **more).outcomes  # type: ignore[arg-type]
    assert isinstance(outcome, Accepted)
    return outcome


def noted(here: Travel) -> dict[str, int]:
    here.engine.settle()
    (one,) = here.engine.counts_by_rule()
    return one.notes


def told(here: Travel, user: str = "ann") -> list[tuple[str, str]]:
    person = here.engine.person(user)
    assert person is not None
    return [(one.rule, one.reason) for one in person.unstarted]


def test_an_event_from_before_the_rule_went_live(lab: Lab) -> None:
    with lab(RULE) as here:
        assert sent(here, DAY).before_live == ("cart",)
        assert noted(here) == {"before_live": 1}
        assert told(here) == [("cart", "before_live")]


def test_one_that_came_since_says_nothing(lab: Lab) -> None:
    with lab(RULE) as here:
        here.clock.move("2 hours")
        assert sent(here, HOUR).before_live == ()
        assert noted(here) == {}
        assert told(here) == []


def test_one_that_is_no_trigger_by_its_fields_says_nothing(lab: Lab) -> None:
    with lab(RULE) as here:
        assert sent(here, DAY, total=49).before_live == ()
        assert noted(here) == {}
        assert told(here) == []


def test_one_too_old_to_start_a_journey(lab: Lab) -> None:
    with lab(RULE) as here:
        here.clock.move("10 days")
        outcome = sent(here, 4 * DAY)
        assert (outcome.historical, outcome.before_live) == (True, ())
        assert noted(here) == {"too_old": 1}
        assert told(here) == [("cart", "too_old")]


def test_the_receipt_counts_by_rule(lab: Lab) -> None:
    with lab(f"{RULE}\n\nRule: all\nTrigger: any event") as here:
        one = {"user_id": "ann", "timestamp": iso(here.clock.now() - DAY), "properties": {"total": 60}}
        receipt = here.engine.ingest([{**one, "event": "cart"}, {**one, "event": "look"}])
        assert receipt.before_live == {"cart": 1, "all": 2}


def test_whoever_has_a_journey_is_told_nothing_of_earlier_triggers(lab: Lab) -> None:
    with lab(RULE) as here:
        sent(here, DAY)
        here.clock.move("1 hour")
        sent(here, 0)
        here.engine.settle()
        here.clock.move("2 days")
        here.engine.run_due()
        assert told(here) == []
