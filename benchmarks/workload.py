"""The work that is measured: a real shop's events under twenty rules that a shop would have."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count as counting
from itertools import islice
from pathlib import Path
from typing import Any

from engine.clock import SECOND, iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.runtime.engine import Engine
from engine.testing import Clock

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

HERE = Path(__file__).parent
LOG = HERE.parent / "examples" / "shop" / "shop.events.jsonl.gz"
TWENTY = (HERE / "twenty.rules").read_text()
SHOPS = 7
"""Copies of the log that run side by side, each with people of its own: 4,200 people."""


class Nowhere:
    """A channel that takes everything."""

    def send(self, action: Outgoing) -> None:
        pass


@contextmanager
def engine_on_disk(rules: str = TWENTY, start: int = START) -> Iterator[tuple[Engine, Clock, Path]]:
    """A fresh engine on a file of its own, under a clock that is moved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "bench.rules").write_text(rules)
        clock = Clock(start)
        settings = load_settings(store=f"sqlite:///{path / 'bench.db'}")
        with Engine.open(
            rules=path / "bench.rules", clock=clock, settings=settings, always_live=True, fallback=Nowhere()
        ) as engine:
            yield engine, clock, path


@cache
def _log() -> list[dict[str, Any]]:
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def stream(count: int, start: int = START, step: int = SECOND) -> list[dict[str, Any]]:
    """The log's events in their order, with new times ``step`` microseconds apart."""
    return list(islice(_events(start, step), count))


def _events(start: int, step: int) -> Iterator[dict[str, Any]]:
    times = counting(start, step)
    for round_number in counting():
        for event in _log():
            for shop in range(SHOPS):
                person = f"{event['user_id']}-{round_number * SHOPS + shop}"
                yield {**event, "user_id": person, "timestamp": iso(next(times))}
