"""Random rules are rules, and what the oracle says of them hangs together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language import layout, nodes, read

from .build import hour
from .oracle import Effect, decide_all
from .strategies import EVERYTHING, KERNEL, Features, crowds, ends, moments, rules
from .timeline import Entry

RELAXED = settings(max_examples=60)


@RELAXED
@given(rules())
def test_random_rules_are_valid(rule: nodes.Rule) -> None:
    text = layout(rule)
    reading = read(text)
    assert reading.ok, text + "\n".join(str(found) for found in reading.diagnostics)
    assert reading.rules == (rule,)


@pytest.mark.parametrize(
    "features", [KERNEL, EVERYTHING, Features(several_people=True, months=True)], ids=["kernel", "all", "crowd"]
)
@RELAXED
@given(data=st.data())
def test_journeys_hang_together(features: Features, data: st.DataObject) -> None:
    rule, people, until = data.draw(rules(features)), data.draw(crowds(features)), data.draw(ends())
    for journeys in decide_all(rule, people, until).values():
        for journey in journeys:
            assert journey.first_at <= journey.trigger_at <= until
            assert (journey.status == "ended") == (journey.ended_at is not None) == (journey.reason is not None)
            moments = [one.at for one in journey.actions]
            assert moments == sorted(moments)
            assert all(journey.trigger_at <= at <= (journey.ended_at or until) for at in moments)


@RELAXED
@given(data=st.data())
def test_the_future_changes_nothing(data: st.DataObject) -> None:
    """What has left by a moment is the same, whatever follows it."""
    features = Features(several_people=True)
    rule, people, now = data.draw(rules(features)), data.draw(crowds(features)), data.draw(moments())
    assert left(rule, people, hour(400), now) == left(rule, people, now, now)


def left(rule: nodes.Rule, people: dict[str, list[Entry]], until: int, by: int) -> list[tuple[str, Effect]]:
    found = decide_all(rule, people, until)
    return sorted(
        [
            (name, one)
            for name, journeys in found.items()
            for journey in journeys
            for one in journey.actions
            if one.at <= by
        ],
        key=repr,
    )
