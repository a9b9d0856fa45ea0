"""The counts of a rule say what its journeys have come to: started = acted + ended + waiting, at every moment."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from engine.delivery.channels import Outgoing, SendError
from engine.runtime import pausing
from engine.testing import Travel

from .conftest import Lab


def counts(lab: Travel) -> tuple[int, int, int, int]:
    (one,) = lab.engine.counts_by_rule()
    assert one.started == one.acted + one.ended + one.waiting
    return one.started, one.acted, one.ended, one.waiting


def test_a_journey_whose_only_action_has_still_to_leave_waits(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nAction: goodbye") as here:
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.decide_due()
        assert here.engine.counts_by_rule()[0].outbox == {"pending": 2}
        assert counts(here) == (1, 0, 0, 1)
        here.engine.run_due()
        assert counts(here) == (1, 1, 0, 0)


def test_one_whose_action_is_kept_from_leaving_has_ended(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nExit: stop") as here:
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.decide_due()
        here.clock.move("1 second")
        here.engine.ingest({"event": "stop", "user_id": "ann"})
        assert counts(here) == (1, 0, 0, 1)
        here.engine.run_due()
        assert counts(here) == (1, 0, 1, 0)


def test_one_whose_action_left_has_acted_though_it_failed(lab: Lab) -> None:
    def fails(action: Outgoing) -> None:
        raise SendError("down", permanent=True)

    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.action("hello")(fails)
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.run_due()
        assert here.engine.counts_by_rule()[0].outbox == {"dead": 1}
        assert counts(here) == (1, 1, 0, 0)


def test_one_that_ended_without_an_action_is_among_the_endings_and_no_other(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nOnly while: person.plan = free") as here:
        here.engine.identify("ann", {"plan": "free"})
        here.engine.ingest([{"event": "a", "user_id": "ann"}, {"event": "a", "user_id": "bob"}])
        here.engine.decide_due()
        assert counts(here) == (2, 0, 1, 1)
        endings = here.engine.endings(3)["r"]
        assert endings.reasons == {"only_while": 1}
        assert [one.person for one in endings.examples] == ["bob"]


OFFER = """\
Rule: offer
Trigger: a
Condition: NOT stop within 1 hour
Action: hello
Action: mail to person.email
Goal: bought within 1 day
Holdout: 50%
"""


def test_the_goal_is_compared_with_the_holdout_among_those_that_acted(lab: Lab) -> None:
    """Whoever never came to act, in either group, had no day in which to reach the goal."""
    people = [f"u{number}" for number in range(40)]
    with lab(OFFER) as here:
        here.engine.ingest([{"event": "a", "user_id": f"{user}{end}"} for user in people for end in ("", "-stops")])
        here.engine.ingest([{"event": "stop", "user_id": f"{user}-stops"} for user in people])
        here.move("2 hours")
        here.engine.ingest([{"event": "bought", "user_id": user} for user in people[::2]])
        here.engine.settle()
        (one,) = here.engine.counts_by_rule()
        held = {journey.person for journey in everybody(here) if journey.held_out and journey.acted}
        acted = {journey.person for journey in everybody(here) if journey.acted} - held
        bought = set(people[::2])
        assert held
        assert acted
        assert one.converted == len(bought & acted)
        assert one.held_out_converted == len(bought & held)
        assert one.acted - one.held_out_acted == len(acted)
        assert one.held_out_acted == len(held)
        assert one.held_out > one.held_out_acted
        assert one.conversion_rate == round(len(bought & acted) / len(acted), 6)
        assert one.held_out_rate == round(len(bought & held) / len(held), 6)
        assert one.uplift == pytest.approx(100 * (one.conversion_rate - one.held_out_rate))
        assert json.dumps(one.plain())


@pytest.mark.parametrize("clause", ["Goal: bought within 1 day", "Holdout: 50%"])
def test_without_a_goal_or_a_holdout_there_is_nothing_to_compare(lab: Lab, clause: str) -> None:
    with lab(f"Rule: r\nTrigger: a\nAction: hello\n{clause}") as here:
        (one,) = here.engine.counts_by_rule()
        assert (one.conversion_rate, one.held_out_rate, one.uplift) == (None, None, None)
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.run_due()
        (one,) = here.engine.counts_by_rule()
        assert (one.conversion_rate, one.uplift) == ((0.0, None) if one.goal else (None, None))


def test_exits_and_what_became_of_actions(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nAction: mail to person.email\nExit: stop") as here:
        here.engine.action("hello")(Flaky())
        here.engine.ingest([{"event": "a", "user_id": user} for user in ("ann", "bob", "cid")])
        here.engine.decide_due()
        here.clock.move("1 second")
        here.engine.ingest({"event": "stop", "user_id": "cid"})
        here.engine.run_due()
        here.engine.settle()
        (one,) = here.engine.counts_by_rule()
        assert (one.delivered, one.failed, one.suppressed, one.exited) == (1, 1, 3, 1)
        assert one.suppressed_by == {"no_recipient": 3}


def test_why_a_rule_stands_still(lab: Lab) -> None:
    with lab(OFFER + "\nRule: two\nTrigger: b\n") as here:
        since = here.clock.now()
        here.engine.writer.run(
            lambda connection: pausing.stop(connection, here.engine.workspace, "offer", since, "why")
        )
        here.clock.move("1 second")
        here.engine.pause("two")
        here.engine.pause_delivery("log")
        by_rule = {one.rule: one for one in here.engine.counts_by_rule()}
        assert (by_rule["offer"].paused_since, by_rule["offer"].paused_why) == (since, "why")
        assert by_rule["two"].paused_why == "by hand"
        assert [(one.kind, one.name) for one in here.engine.pauses()] == [
            ("rule", "offer"), ("channel", "log"), ("rule", "two"),
        ]  # fmt: skip


def test_the_counts_of_many_rules_cost_no_more_statements_than_those_of_one(lab: Lab) -> None:
    counted = []
    for number in (1, 20):
        with lab("\n".join(OFFER.replace("offer", f"offer-{one}") for one in range(number))) as here:
            here.engine.ingest([{"event": "a", "user_id": f"u{one}"} for one in range(number)])
            here.engine.run_due()
            statements: list[str] = []
            driver = here.engine.store.engine.raw_connection().driver_connection
            driver.set_trace_callback(statements.append)
            assert len(here.engine.counts_by_rule()) == number
            driver.set_trace_callback(None)
            counted.append(len(statements))
    assert counted[0] == counted[1]


class Flaky:
    """Takes every other action."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, action: Outgoing) -> None:
        self.times += 1
        if self.times % 2 == 0:
            raise SendError("down", permanent=True)


class Seen(NamedTuple):
    """A journey, as the store has it."""

    person: str
    held_out: bool
    acted: bool


def everybody(here: Travel) -> list[Seen]:
    with here.engine.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT identifiers.value, held_out, acted_at IS NOT NULL FROM journeys JOIN identifiers USING (person_id)"
        )
        return [Seen(person, bool(held_out), bool(acted)) for person, held_out, acted in rows]
