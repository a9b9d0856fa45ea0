"""Two real logs, counted by an oracle written apart from the engine: the engine gives the same figures."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from engine.clock import micros
from engine.files import EventFile
from engine.replay import RuleReport, replay
from engine.testing import Travel, travel
from engine.timestamps import parse_timestamp

EXAMPLES = Path(__file__).parent.parent / "examples"
SHOP = EXAMPLES / "shop" / "shop.events.jsonl.gz"
CDNOW = EXAMPLES / "cdnow" / "cdnow.events.jsonl.gz"


def figures(report: RuleReport) -> tuple[int, int, int]:
    return report.acted, report.ended, report.waiting


@pytest.mark.timeout(600)
def test_the_shop_log_replayed() -> None:
    with EventFile(SHOP) as log:
        report = replay(log, EXAMPLES / "counts" / "shop")
    found = {one.rule: one for one in report.rules}
    assert report.events == 31_106
    assert figures(found["abandoned-cart-each"]) == (956, 384, 6)
    assert figures(found["abandoned-cart-restart"]) == (843, 364, 6)
    assert figures(found["abandoned-cart-ignore"]) == (844, 364, 6)
    assert (found["quiet-14-days"].acted, found["quiet-14-days"].people) == (1_548, 589)


@pytest.mark.timeout(600)
def test_the_shop_log_by_ingest_and_run_due(tmp_path: Path) -> None:
    rule = tmp_path / "cart.rules"
    rule.write_text("Rule: cart\nTrigger: add_to_cart\nCondition: NOT purchase within 24 hours\n")
    with gzip.open(SHOP, "rt") as lines:
        events = [json.loads(line) for line in lines]
    with Travel(rule, start=events[0]["timestamp"]) as here:
        for event in events:
            at = parse_timestamp(event["timestamp"])
            if at > micros(here.now):
                travel(here.engine, here.clock, at)
            assert here.engine.ingest(event).ok
        here.engine.run_due()
        here.engine.settle()
        counts = here.engine.counts_by_rule()[0]
        assert (counts.acted, counts.ended, counts.waiting) == (843, 364, 6)


@pytest.mark.timeout(600)
def test_the_purchases_replayed(tmp_path: Path) -> None:
    rule = tmp_path / "lapsed.rules"
    rule.write_text("Rule: lapsed\nTrigger: None\nCondition: NOT purchase_completed within 90 days\n")
    with EventFile(CDNOW) as log:
        report = replay(log, rule)
    assert report.events == 69_659
    assert (report.rules[0].acted, report.rules[0].people) == (31_654, 23_344)
