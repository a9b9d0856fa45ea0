"""The page on delivery names every state, every metric of rules and channels, and every limit of what it tells."""

from __future__ import annotations

import re
from pathlib import Path

from engine.api.metrics import InStore
from engine.api.native_deliveries import KEYS
from engine.api.rule_metrics import FRESH, RuleMetrics
from engine.clock import SECOND
from engine.config import Api, load_settings
from engine.runtime.workspaces import Workspaces
from engine.store.listing import STATES

PAGE = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")


def test_every_state() -> None:
    assert re.findall(r"^\| `(\w+)` \| ", PAGE.partition("| State |")[2].partition("\n\n")[0], re.MULTILINE) == list(
        STATES
    )


def test_every_metric_of_rules_and_channels() -> None:
    rows = re.findall(r"^\| `(lapse_\w+)` \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}
    with Workspaces(load_settings(store="sqlite://")) as workspaces:
        families = [*InStore(workspaces).collect(), *RuleMetrics(workspaces).collect()]
    found = {one.name: list(one._labelnames) for one in families if one.type == "gauge" and one._labelnames}
    assert told == found


def test_limits() -> None:
    assert f"up to {FRESH // SECOND} seconds old" in PAGE
    assert f"first {Api().metric_rules} rules" in PAGE
    assert f"`keys` (up to {KEYS:,})" in PAGE
