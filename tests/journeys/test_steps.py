"""Action keys, and chance along the way (rulings 26 and 28)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.oracle.build import attr, ev
from tests.oracle.oracle import Change, Event

from .story import Join, Of, tell

CART = replace(ev(0, "cart"), message_id="m1")
MAIL = 'Trigger: cart\nAction: mail "hello"'


def keys(rule: str, *entries: Event | Change, settings: str = "default") -> list[str]:
    return [one.key for one in tell(rule, entries, 200, workspace=settings).actions]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param('Trigger: cart\nWait: 1h\nAction: mail "hello"', id="a step before it"),
        pytest.param('Trigger: cart\nAction: mail "hello"\nWait: 1h', id="a step behind it"),
        pytest.param('Trigger: cart\nCondition: NOT buy within 5h\nAction: mail "hello"', id="a gate"),
    ],
)
def test_ruling_28_a_key_stays_when_steps_around_it_move(other: str) -> None:
    assert keys(MAIL, CART) == keys(other, CART)


@pytest.mark.parametrize(
    ("rule", "entry", "workspace"),
    [
        pytest.param(MAIL.replace("hello", "bye"), CART, "default", id="another text"),
        pytest.param(
            "Trigger: cart\nIf: trigger.k is not set\n" + MAIL[14:] + "\nEnd:", CART, "default", id="in a branch"
        ),
        pytest.param(MAIL, replace(CART, message_id="m2"), "default", id="another trigger"),
        pytest.param(MAIL, CART, "other", id="another workspace"),
    ],
)
def test_ruling_28_what_a_key_names(rule: str, entry: Event, workspace: str) -> None:
    (one,) = keys(MAIL, CART)
    (other,) = keys(rule, entry, settings=workspace)
    assert one != other


def test_ruling_28_equal_steps_are_told_apart_by_their_count() -> None:
    first, second = keys("Trigger: cart\nAction: mail\nAction: mail", CART)
    assert first != second
    assert keys("Trigger: cart\nAction: mail\nAction: push\nAction: mail", CART)[::2] == [first, second]


def test_ruling_28_not_the_person_it_belongs_to_later() -> None:
    rule = "Trigger: cart\nWait: 24h\nAction: mail"
    alone = tell(rule, (Of("visitor", CART),), 200).actions
    joined = tell(rule, (attr(-1, plan="free"), Of("visitor", CART), Join(5, "visitor", "p")), 200).actions
    assert [(one.person, one.key) for one in joined] == [("p", alone[0].key)]


def test_ruling_28_a_moment_and_its_person_where_there_is_no_event() -> None:
    rule = "Trigger: None\nCondition: plan = pro\nAction: mail"
    of_p = tell(rule, (attr(0, plan="pro"),), 5).actions
    later = tell(rule, (attr(1, plan="pro"),), 5).actions
    of_q = tell(rule, (Of("q", attr(0, plan="pro")),), 5).actions
    assert len({one.key for one in (*of_p, *later, *of_q)}) == 3


def test_ruling_26_arms_are_stable_for_a_person() -> None:
    rule = "Trigger: cart\nSplit: 50%\nAction: short\nSplit: 50%\nAction: long\nEnd:\nTriggered again: each"
    people = [f"u{number}" for number in range(40)]
    bench = tell(rule, [Of(person, ev(at, "cart")) for person in people for at in (0, 1, 2)], 5)
    arms = {person: {one.name for one in bench.actions if one.person == person} for person in people}
    assert all(len(names) == 1 for names in arms.values())
    assert {name for names in arms.values() for name in names} == {"short", "long"}


def test_ruling_26_a_larger_holdout_contains_the_smaller() -> None:
    def held(percent: int) -> set[str]:
        rule = f"Trigger: cart\nAction: mail\nHoldout: {percent}%"
        bench = tell(rule, [Of(f"u{number}", ev(0, "cart")) for number in range(60)], 5)
        return {name for name, one in bench.people.items() if one.journeys[0].held_out}

    assert held(10) < held(50) < held(90)
