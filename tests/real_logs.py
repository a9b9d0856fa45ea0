"""Two real logs and what is counted in them: in the whole, and in what every fifth of their people did."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SHOP = EXAMPLES / "shop" / "shop.events.jsonl.gz"
CDNOW = EXAMPLES / "cdnow" / "cdnow.events.jsonl.gz"

WHOLE, FIFTH = 1, 5
SHARES = [pytest.param(WHOLE, id="whole", marks=pytest.mark.long), pytest.param(FIFTH, id="fifth")]

SHOP_EVENTS = {WHOLE: 31_106, FIFTH: 7_119}
CARTS = {
    WHOLE: {"each": (956, 384, 6), "restart": (843, 364, 6), "ignore": (844, 364, 6)},
    FIFTH: {"each": (221, 104, 1), "restart": (194, 99, 1), "ignore": (195, 99, 1)},
}
"""Carts in the shop's log by what another one does, as journeys that acted, ended without, and wait."""
QUIET = {WHOLE: (1_548, 589), FIFTH: (353, 130)}
"""How often somebody in the shop's log did nothing for 14 days, and how many people did."""
CDNOW_EVENTS = {WHOLE: 69_659, FIFTH: 14_383}
LAPSED = {WHOLE: (31_654, 23_344), FIFTH: (6_449, 4_711)}
"""How often somebody in the log of purchases bought nothing for 90 days, and how many people did."""


def rows(log: Path, share: int) -> list[dict[str, Any]]:
    """Return the events of one in ``share`` of the people, in the log's order."""
    with gzip.open(log, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return [row for row in found if zlib.crc32(row["user_id"].encode()) % share == 0]


def cut(log: Path, share: int, folder: Path) -> Path:
    """Return a log of one in ``share`` of the people, as a file like the whole."""
    if share == WHOLE:
        return log
    part = folder / log.name
    with gzip.open(part, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows(log, share))
    return part
