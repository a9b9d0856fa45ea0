"""The oracle on a real log: journeys fired, cancelled and open, against figures counted by other means.

The first cell, 956, was also given by a Flink CEP job over the same events.
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections import defaultdict
from pathlib import Path

import pytest

from engine.language import nodes

from .build import hours, no, rule, within
from .oracle import decide_all
from .timeline import Entry, Event

SHOP = Path(__file__).parents[2] / "examples" / "shop" / "shop.events.jsonl.gz"

pytestmark = pytest.mark.skipif(not SHOP.exists(), reason="the log is not in this checkout")


@pytest.fixture(scope="module")
def shop() -> tuple[dict[str, list[Entry]], int]:
    people: dict[str, list[Entry]] = defaultdict(list)
    end = 0
    with gzip.open(SHOP, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            at = int(datetime.datetime.fromisoformat(row["timestamp"]).timestamp()) * 1_000_000
            end = max(end, at)
            if row["event"] in ("add_to_cart", "purchase"):  # nothing else bears on the rules below
                people[row["user_id"]].append(Event(at, row["event"]))
    return people, end


@pytest.mark.parametrize(
    ("again", "expected"), [("each", (956, 384, 6)), ("restart", (843, 364, 6)), ("ignore", (844, 364, 6))]
)
def test_abandoned_carts(shop: tuple[dict[str, list[Entry]], int], again: str, expected: tuple[int, int, int]) -> None:
    people, end = shop
    abandoned = rule("add_to_cart", no("purchase", within(hours(24))), again=nodes.Again(again))  # type: ignore[arg-type]
    journeys = [one for found in decide_all(abandoned, people, end).values() for one in found]
    fired = sum(bool(one.actions) for one in journeys)
    waiting = sum(one.status == "waiting" for one in journeys)
    assert (fired, len(journeys) - fired - waiting, waiting) == expected
