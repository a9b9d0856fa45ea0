"""Rules that follow from one another's events: how far such a chain goes, and that loops end."""

from __future__ import annotations

import pytest

from engine.testing import Travel

from .conftest import Lab


def chain(length: int) -> str:
    """Rules r1, r2, ... each of which tracks the event that starts the next."""
    return "\n".join(f"Rule: r{at}\nTrigger: e{at - 1}\nAction: track e{at}\n" for at in range(1, length + 1))


def started(lab: Travel) -> dict[str, tuple[int, dict[str, int]]]:
    return {one.rule: (one.acted, one.notes) for one in lab.engine.counts_by_rule()}


@pytest.mark.parametrize(("settings", "most"), [({}, 10), ({"chain": 1}, 1), ({"chain": 3}, 3), ({"chain": 11}, 11)])
def test_a_chain_works_through_and_the_next_rule_is_cut(lab: Lab, settings: dict[str, int], most: int) -> None:
    with lab(chain(12), **settings) as here:
        here.engine.ingest({"event": "e0", "user_id": "u1"})
        wanted = {f"r{at}": (1, {}) for at in range(1, most + 1)}
        wanted |= {f"r{at}": (0, {}) for at in range(most + 1, 13)} | {f"r{most + 1}": (0, {"chain_cut": 1})}
        assert started(here) == wanted


def test_what_starts_no_rule_is_on_the_timeline_all_the_same(lab: Lab) -> None:
    asks = "\nRule: asks\nTrigger: look\nCondition: e2 in the last 1 day\n"
    with lab(chain(3) + asks, chain=2) as here:
        here.engine.ingest({"event": "e0", "user_id": "u1"})
        here.clock.move("1 hour")
        here.engine.ingest({"event": "look", "user_id": "u1"})
        assert started(here)["r3"] == (0, {"chain_cut": 1})
        assert started(here)["asks"] == (1, {})


TURNS = """
Rule: on
Trigger: None
Condition: person.x = 1
Wait: 1 minute
Action: set person.x = 2

Rule: off
Trigger: None
Condition: person.x = 2
Wait: 1 minute
Action: set person.x = 1
"""


def test_rules_that_become_true_by_one_another_do_not_go_round_for_ever(lab: Lab) -> None:
    with lab(TURNS) as here:
        here.clock.move("1 minute")
        here.engine.identify("u1", {"x": 1})
        for _ in range(60):
            here.clock.move("1 minute")
            here.engine.run_due()
        assert started(here) == {"on": (1, {}), "off": (1, {})}


def test_a_rule_that_becomes_true_at_the_end_of_a_chain_is_cut(lab: Lab) -> None:
    with lab(TURNS, chain=1) as here:
        here.clock.move("1 minute")
        here.engine.identify("u1", {"x": 1})
        for _ in range(5):
            here.clock.move("1 minute")
            here.engine.run_due()
        assert started(here) == {"on": (1, {}), "off": (0, {"chain_cut": 1})}


def test_what_became_true_by_itself_follows_from_no_rule_that_acts_at_the_same_moment(lab: Lab) -> None:
    """Two rules become true at one moment: what the second tracks has one cause, not two."""
    rules = """
    Rule: first
    Trigger: None
    Condition: NOT login within 1 day
    Action: set person.quiet = yes

    Rule: second
    Trigger: None
    Condition: NOT login within 1 day
    Wait: 1 hour
    Action: track silent

    Rule: answers
    Trigger: silent
    Condition: person.quiet = yes
    """
    with lab(rules, chain=2) as here:
        here.engine.ingest({"event": "login", "user_id": "u1"})
        for length in ("1 day", "1 hour"):
            here.clock.move(length)
            here.engine.run_due()
        assert started(here) == {"first": (1, {}), "second": (1, {}), "answers": (1, {})}
