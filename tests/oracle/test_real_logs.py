"""The oracle on a real log: journeys fired, cancelled and open, against figures counted by other means.

The first cell of the whole log, 956, was also given by a Flink CEP job over the same events. Spells in which nothing
happens need no oracle: they are counted from the moments alone.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from itertools import pairwise

import pytest

from engine.language import nodes
from tests import real_logs
from tests.real_logs import CARTS, CDNOW, FIFTH, LAPSED, QUIET, SHOP, WHOLE

from .build import hours, no, rule, within
from .oracle import decide_all
from .timeline import Entry, Event

DAY = 86_400 * 1_000_000

pytestmark = pytest.mark.skipif(not SHOP.exists(), reason="the log is not in this checkout")


def moment(row: dict[str, str]) -> int:
    return int(datetime.datetime.fromisoformat(row["timestamp"]).timestamp()) * 1_000_000


@pytest.fixture(scope="module", params=[WHOLE, FIFTH], ids=["whole", "fifth"])
def shop(request: pytest.FixtureRequest) -> tuple[int, dict[str, list[Entry]], int]:
    people: dict[str, list[Entry]] = defaultdict(list)
    rows = real_logs.rows(SHOP, request.param)
    for row in rows:
        if row["event"] in ("add_to_cart", "purchase"):  # nothing else bears on the rules below
            people[row["user_id"]].append(Event(moment(row), row["event"]))
    return request.param, people, max(map(moment, rows))


@pytest.mark.parametrize("again", ["each", "restart", "ignore"])
def test_abandoned_carts(shop: tuple[int, dict[str, list[Entry]], int], again: str) -> None:
    share, people, end = shop
    abandoned = rule("add_to_cart", no("purchase", within(hours(24))), again=nodes.Again(again))  # type: ignore[arg-type]
    journeys = [one for found in decide_all(abandoned, people, end).values() for one in found]
    fired = sum(bool(one.actions) for one in journeys)
    waiting = sum(one.status == "waiting" for one in journeys)
    assert (fired, len(journeys) - fired - waiting, waiting) == CARTS[share][again]


@pytest.mark.parametrize("share", [WHOLE, FIFTH], ids=["whole", "fifth"])
def test_spells_in_which_nothing_happens(share: int) -> None:
    assert spells(real_logs.rows(SHOP, share), 14 * DAY) == QUIET[share]
    assert spells(real_logs.rows(CDNOW, share), 90 * DAY) == LAPSED[share]


def spells(rows: list[dict[str, str]], length: int) -> tuple[int, int]:
    """Return how many spells without an event are as long, up to the log's end, and how many people had one."""
    moments: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        moments[row["user_id"]].add(moment(row))
    end = max(map(moment, rows)) + 1
    counts = [
        sum(after - before > length for before, after in pairwise([*sorted(own), end])) for own in moments.values()
    ]
    return sum(counts), sum(count > 0 for count in counts)
