"""(f) The service over loopback, asked from a second process. Run: python -m benchmarks.serving [EVENTS] [JOURNEYS]

How many single events and batches of 1,000 it takes a second, as ratios to the same server doing nothing with the same
bytes; and how long its answers take while many due journeys are decided. No rate limit is set.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from pathlib import Path

from benchmarks.loopback import Latency, Load, Steady, all_at_once, request
from benchmarks.workload import TWENTY, stream
from engine.access import Role
from engine.clock import DAY, SECOND, WallClock, iso
from engine.config import load_settings
from engine.runtime.engine import Engine
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces
from engine.store import journeys, outbox
from engine.store.store import Store
from engine.testing import Clock

CLIENTS = 32
BATCH = 1_000
BATCH_CLIENTS = 4
RATE = 200.0
"""Requests a second while journeys are decided: of a service that is used, not overrun."""
USUAL = 15
"""For how many seconds answers are measured before anything is due."""
FILLED = 4_000
"""Journeys a second that are surely put into a store before they are due."""
ONE = 'Rule: cart\nTrigger: cart_updated\nCondition: NOT bought within 24 hours\nAction: send_email "cart"\n'

Serving = AbstractContextManager[tuple[int, str]]
"""A server that runs inside: its port, and a key."""


# ------------------------------------------------------------------------------------------------ servers


@contextmanager
def lapse(folder: Path, rules: str) -> Iterator[tuple[int, str]]:
    """``lapse serve`` as it is, on the store in a folder."""
    (folder / "rules").write_text(rules)
    with Workspaces(load_settings(store=_store(folder))) as opened:
        key = Keyring(opened.desk).create(opened.default.workspace, opened.clock.now(), role=Role.OWNER)[1]
    words = ("engine.cli", "serve", "--port", "0", "--store", _store(folder), "--rules", str(folder / "rules"))
    with _running(folder, *words) as port:
        yield port, key


@contextmanager
def nothing(folder: Path) -> Iterator[tuple[int, str]]:
    """The same server with an app that reads bodies and answers 200."""
    with _running(folder, "benchmarks.nothing") as port:
        yield port, "lapse_" + "0" * 67


@contextmanager
def _running(folder: Path, *words: str) -> Iterator[int]:
    """A module as a process that says on stderr at which port it listens."""
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", *words], stderr=file, env=dict(os.environ))
    try:
        while (found := re.search(r"http://[\d.]+:(\d+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait()


def _store(folder: Path) -> str:
    return f"sqlite:///{folder / 'bench.db'}"


# ------------------------------------------------------------------------------------------------ how many


def throughput(count: int) -> None:
    """Single events and batches, with rules and without, against nothing done."""
    events = [{name: value for name, value in one.items() if name != "timestamp"} for one in stream(count)]
    print(f"{'':<14} {CLIENTS} clients, single events          {BATCH_CLIENTS} clients, batches of {BATCH:,}")
    with tempfile.TemporaryDirectory() as folder:
        bare = _loads(nothing(Path(folder)), events)
    _show("nothing done", bare, bare)
    for name, rules in (("no rules", ""), ("20 rules live", TWENTY)):
        with tempfile.TemporaryDirectory() as folder:
            _show(name, _loads(lapse(Path(folder), rules), events), bare)


def _loads(serving: Serving, events: Sequence[dict[str, object]]) -> tuple[Load, Load]:
    pieces = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    with serving as (port, key):
        singles = [request("/v1/events", key, json.dumps(one).encode()) for one in events]
        batches = [request("/v1/events/batch", key, json.dumps({"events": some}).encode()) for some in pieces]
        single = asyncio.run(all_at_once(port, singles, CLIENTS))
        return single, asyncio.run(all_at_once(port, batches, BATCH_CLIENTS))


def _show(name: str, loads: tuple[Load, Load], bare: tuple[Load, Load]) -> None:
    shown = (
        f"{load.rate:>8,.1f}/s {load.rate / bared.rate:>6.3f}  {load.latency}"
        for load, bared in zip(loads, bare, strict=True)
    )
    print(f"{name:<14}", "   ".join(shown), flush=True)


# ------------------------------------------------------------------------------------------------ how long


def while_deciding(count: int) -> None:
    """Answers to single events before, while many journeys that fell due at one moment are decided, and sent."""
    due = WallClock().now() + (USUAL + 10 + count // FILLED) * SECOND
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _fill(folder, count, due - DAY)
        with lapse(folder, ONE) as (port, key):
            event = json.dumps({"event": "page_viewed", "user_id": "u-1", "properties": {"path": "/"}}).encode()
            steady = Steady(port, cycle([request("/v1/events", key, event)]), RATE)
            ends = asyncio.run(_measured(steady, Store(_store(folder)), due))
    begin, decided, sent = ends
    usual = Latency.of(steady.between(begin - USUAL, begin))
    print(f"{RATE:.0f} requests a second, {count:,} journeys due at one moment")
    print(f"usually          {usual}")
    for name, start, end in (("while decided", begin, decided), ("while sent", decided, sent)):
        found = Latency.of(steady.between(start, end))
        print(f"{name:<16} {found}, ratio of p99 {found.p99 / usual.p99:.2f}; {count / (end - start):,.0f} a second")


def _fill(folder: Path, count: int, at: int) -> None:
    """Journeys that wait, all begun at one moment."""
    (folder / "rules").write_text(ONE)
    with Engine.open(_store(folder), rules=folder / "rules", clock=Clock(at)) as engine:
        for start in range(0, count, BATCH):
            people = range(start, min(start + BATCH, count))
            engine.ingest({"event": "cart_updated", "user_id": f"u-{one}", "timestamp": iso(at)} for one in people)


async def _measured(steady: Steady, store: Store, due: int) -> tuple[float, float, float]:
    """Keep asking; gives when journeys fell due, when all were decided, and when all had been sent."""
    over = asyncio.Event()
    asking = asyncio.create_task(steady.run(over))
    begin = time.perf_counter() + (due - WallClock().now()) / SECOND
    await asyncio.sleep(begin - time.perf_counter())
    ends = [begin]
    for waits in (journeys.next_due, outbox.next_due):
        while not asking.done() and await asyncio.to_thread(_some_wait, store, waits):
            await asyncio.sleep(0.2)
        ends.append(time.perf_counter())
    over.set()
    await asking
    return ends[0], ends[1], ends[2]


def _some_wait(store: Store, waits: Callable[..., int | None]) -> bool:
    with store.read() as connection:
        return waits(connection, 1) is not None


def main(count: int = 20_000, due: int = 100_000) -> None:
    throughput(count)
    while_deciding(due)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
