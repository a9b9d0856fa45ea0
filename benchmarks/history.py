"""The packs over a long history: what importing it costs, and what an event costs that comes live behind it.

Run: python -m benchmarks.history [--events 2000000] [--people 100000] [--live 4000]

The crowd is a Zipf one: few people have most of the events. Costs are CPU microseconds an event, beside those of the
twenty rules of the other benchmarks without a history.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import figures
from benchmarks.workload import START, engine_on_disk, stream
from engine.clock import DAY, SECOND, iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.files import EventFile
from engine.ingesting import ingest_file
from engine.runtime.engine import Engine
from engine.testing import Clock

PACKS = Path(__file__).parent.parent / "rules"
NAMES = ("page_viewed", "product_viewed", "cart_updated", "checkout_started", "purchase_completed", "logged_in")
WEIGHTS = (40, 30, 12, 6, 4, 8)
SPAN = 180 * DAY


class Nowhere:
    """A channel that takes everything."""

    def send(self, action: Outgoing) -> None:
        pass


def crowd(count: int, people: int, first: int, span: int, seed: int) -> Iterator[dict[str, Any]]:
    """Events in order, of people of whom the busiest have most."""
    chance = random.Random(seed)
    shares = [1 / (rank + 10) for rank in range(people)]
    who = chance.choices(range(people), shares, k=count)
    what = chance.choices(NAMES, WEIGHTS, k=count)
    for place, (person, name) in enumerate(zip(who, what, strict=True)):
        at = first + span * place // count
        yield {"event": name, "user_id": f"u{person}", "timestamp": iso(at), "properties": {"value": person % 90}}


def main() -> None:
    given = figures(events=200_000, people=10_000, live=4_000)
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "history.jsonl"
        with file.open("w") as written:
            for one in crowd(given.events, given.people, START - SPAN, SPAN, 1):
                written.write(json.dumps(one) + "\n")
        clock = Clock(START)
        settings = load_settings(store=f"sqlite:///{folder / 'bench.db'}")
        with Engine.open(rules=PACKS, clock=clock, settings=settings, fallback=Nowhere()) as engine:
            cpu = time.process_time()
            with EventFile(file) as history:
                ingest_file(engine, history, historical=True)
            tell(f"import of {given.events:,} with the packs", given.events, cpu)
            live = list(crowd(given.live, given.people, START, given.live * SECOND, 2))
            tell_live("live behind it, the packs", engine, clock, live)
    with engine_on_disk() as (engine, clock, _):
        tell_live("live, the twenty rules", engine, clock, stream(given.live, START))


def tell_live(what: str, engine: Engine, clock: Clock, events: list[dict[str, Any]]) -> None:
    """Take events in, a hundred a call, and tell what they cost and how long the calls took."""
    cpu, waits = time.process_time(), []
    for start in range(0, len(events), 100):
        clock.set(START + (start + 100) * SECOND)
        begun = time.perf_counter()
        engine.ingest(events[start : start + 100])
        waits.append((time.perf_counter() - begun) * 1e3)
    tell(what, len(events), cpu)
    print(f"{'':40} longest call {max(waits):8.1f} ms")


def tell(what: str, count: int, since: float) -> None:
    print(f"{what:40} {(time.process_time() - since) / count * 1e6:8.1f} CPU microseconds an event", flush=True)


if __name__ == "__main__":
    main()
