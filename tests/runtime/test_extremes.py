"""Dates of any year and numbers of any size, from the event to the action: nobody waits behind them."""

from __future__ import annotations

import json

import pytest

from engine.testing import Travel, travel

from .conftest import Lab

RULES = """
Rule: soon
Trigger: e
Wait: until 3 days before trigger.d at 09:00 or now
Action: ahead

Rule: later
Trigger: e
Wait: until 3 days after trigger.d at 09:00 or now
Action: now

Rule: waits
Trigger: e
Wait: until 1 month after trigger.d
Action: waits

Rule: looks
Trigger: e
Condition: trigger.d in the next 30 days OR trigger.d more than 1 year ago
Action: looks

Rule: yearly
Trigger: every year on person.d at 09:00 in person.zone
Action: yearly

Rule: sums
Trigger: e
Action: sums with total = sum of x from e, mean = average of x from e
"""


def left(here: Travel) -> set[str]:
    return {one.action for one in here.engine.sent()}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("0001-01-01T00:00:00Z", {"now", "looks"}),
        ("0001-01-01", {"now", "looks"}),
        ("9999-12-31T23:59:59Z", set()),
        ("9999-12-31", set()),
        ("0000-00-00", set()),
    ],
)
def test_a_date_at_an_end_of_the_calendar_is_long_ago_or_never_comes(
    lab: Lab, date: str, zone: str, expected: set[str]
) -> None:
    with lab(RULES) as here:
        here.engine.identify("u1", {"d": date, "zone": zone})
        here.engine.ingest({"event": "e", "user_id": "u1", "properties": {"d": date}})
        here.engine.ingest({"event": "other", "user_id": "u2"})
        travel(here.engine, here.clock, "2026-01-20T00:00:00Z")
        assert left(here) - {"sums", "yearly"} == expected
        counts = {one.rule: one for one in here.engine.counts_by_rule()}
        assert counts["soon"].suppressed_by == ({"date_passed": 1} if expected else {})
        assert here.engine.person("u1") is not None


def test_a_sum_beyond_the_largest_number_is_sent_as_the_largest(lab: Lab) -> None:
    with lab(RULES) as here:
        for person, amounts in {"whole": [2**63 - 1, 2**63 - 1], "decimal": [1e308, 1e308]}.items():
            for x in amounts:
                here.engine.ingest({"event": "e", "user_id": person, "properties": {"x": x}})
                here.engine.run_due()
                here.clock.move("1 minute")
        told = {one.person: one.arguments for one in here.engine.sent() if one.action == "sums"}
        assert told["decimal"] == {"total": 1.7976931348623157e308, "mean": 1e308}
        assert told["whole"]["total"] == 2.0**64
        assert json.loads(json.dumps(told)) == told
