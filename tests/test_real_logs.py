"""Two real logs, counted by an oracle written apart from the engine: the engine gives the same figures.

``tests/oracle/test_real_logs.py`` holds the figures against that oracle, of the whole logs and of their parts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import micros
from engine.files import EventFile
from engine.replay import RuleReport, replay
from engine.testing import Travel, travel
from engine.timestamps import parse_timestamp

from . import real_logs
from .real_logs import CARTS, CDNOW, EXAMPLES, SHARES, SHOP

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("share", SHARES)]


def figures(report: RuleReport) -> tuple[int, int, int]:
    return report.acted, report.ended, report.waiting


def test_the_shop_log_replayed(share: int, tmp_path: Path) -> None:
    with EventFile(real_logs.cut(SHOP, share, tmp_path)) as log:
        report = replay(log, EXAMPLES / "counts" / "shop")
    found = {one.rule: one for one in report.rules}
    assert report.events == real_logs.SHOP_EVENTS[share]
    assert {again: figures(found[f"abandoned-cart-{again}"]) for again in CARTS[share]} == CARTS[share]
    assert (found["quiet-14-days"].acted, found["quiet-14-days"].people) == real_logs.QUIET[share]


def test_the_shop_log_by_ingest_and_run_due(share: int, tmp_path: Path) -> None:
    rule = tmp_path / "cart.rules"
    rule.write_text("Rule: cart\nTrigger: add_to_cart\nCondition: NOT purchase within 24 hours\n")
    events = real_logs.rows(SHOP, share)
    with Travel(rule, start=events[0]["timestamp"]) as here:
        for event in events:
            at = parse_timestamp(event["timestamp"])
            if at > micros(here.now):
                travel(here.engine, here.clock, at)
            assert here.engine.ingest(event).ok
        here.engine.run_due()
        here.engine.settle()
        counts = here.engine.counts_by_rule()[0]
        assert (counts.acted, counts.ended, counts.waiting) == CARTS[share]["restart"]


def test_the_purchases_replayed(share: int, tmp_path: Path) -> None:
    rule = tmp_path / "lapsed.rules"
    rule.write_text("Rule: lapsed\nTrigger: None\nCondition: NOT purchase_completed within 90 days\n")
    with EventFile(real_logs.cut(CDNOW, share, tmp_path)) as log:
        report = replay(log, rule)
    assert report.events == real_logs.CDNOW_EVENTS[share]
    assert (report.rules[0].acted, report.rules[0].people) == real_logs.LAPSED[share]
