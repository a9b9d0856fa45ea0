"""Stable chance (ruling 26)."""

from __future__ import annotations

from itertools import combinations

import pytest

from engine.journeys.draws import drawn, drawn_holdout

PEOPLE = [f"u{number}" for number in range(4000)]
DRAWS = {
    "the first of a rule": lambda person: drawn("r", 1, person),
    "the second of a rule": lambda person: drawn("r", 2, person),
    "the first of another rule": lambda person: drawn("s", 1, person),
    "the rule's holdout": lambda person: drawn_holdout("r", None, person),
    "a name": lambda person: drawn("r", "some", person),
    "another name": lambda person: drawn("r", "other", person),
    "a rule called like a name": lambda person: drawn("some", 1, person),
}


@pytest.mark.parametrize("which", DRAWS)
def test_ruling_26_a_share_is_that_share_of_the_people(which: str) -> None:
    found = [DRAWS[which](person) for person in PEOPLE]
    assert all(0 <= one < 100 for one in found)
    for percent in (10, 50, 90):
        assert abs(sum(one < percent for one in found) / len(PEOPLE) * 100 - percent) < 3


@pytest.mark.parametrize(("one", "other"), list(combinations(DRAWS, 2)))
def test_ruling_26_draws_are_independent(one: str, other: str) -> None:
    both = sum(DRAWS[one](person) < 50 and DRAWS[other](person) < 50 for person in PEOPLE)
    assert abs(both / len(PEOPLE) - 0.25) < 0.03


def test_ruling_26_the_same_name_is_the_same_people_in_every_rule() -> None:
    assert all(drawn("r", "some", person) == drawn("s", "some", person) for person in PEOPLE[:50])
    assert all(drawn_holdout("r", "some", person) == drawn("s", "some", person) for person in PEOPLE[:50])


def test_ruling_26_a_draw_stays_what_it_is_for_ever() -> None:
    """The figure was written down once: another would move people to other arms."""
    assert drawn("welcome", 1, "u1") == pytest.approx(58.60424034131244)
