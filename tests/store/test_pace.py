"""How many items a transaction takes."""

from __future__ import annotations

import pytest

from engine.store.pace import Pace


def test_it_grows_twofold_as_long_as_there_is_time() -> None:
    pace = Pace(0.1, first=10, most=100)
    sizes = []
    for _ in range(5):
        pace.took(pace.size, pace.size * 0.000_1)
        sizes.append(pace.size)
    assert sizes == [20, 40, 80, 100, 100]


def test_it_grows_no_further_than_fits() -> None:
    pace = Pace(0.1, first=80, most=1_000)
    pace.took(80, 0.08)
    assert pace.size == 100


def test_it_shrinks_at_once_to_what_fits() -> None:
    pace = Pace(0.1, first=500, most=500)
    pace.took(500, 1.0)
    assert pace.size == 50


def test_a_small_page_that_was_quick_says_nothing_of_a_full_one() -> None:
    pace = Pace(0.1, first=500, most=1_000)
    pace.took(1, 0.01)
    assert pace.size == 500


def test_a_small_page_that_was_slow_does() -> None:
    pace = Pace(0.1, first=500, most=1_000)
    pace.took(10, 0.5)
    assert pace.size == 2


@pytest.mark.parametrize(("count", "seconds"), [(1, 10.0), (0, 10.0)])
def test_it_never_shrinks_to_nothing(count: int, seconds: float) -> None:
    pace = Pace(0.1, first=500, most=1_000)
    pace.took(count, seconds)
    assert pace.size == 1


def test_it_measures_what_is_done_inside() -> None:
    moments = iter([5.0, 5.5])
    pace = Pace(0.1, first=100, most=100, now=lambda: next(moments))
    with pace.taking(100):
        pass
    assert pace.size == 20
