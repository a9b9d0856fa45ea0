"""How long clients wait that ingest while something happens to many rows.

Run: python -m benchmarks.operations [--waiting 500000] [--events 100000] [--still 5]

One process ingests single events in a loop on one file while another moves, pauses, resumes and removes a rule with
many waiting journeys, makes two people with many events one, and erases them. Told are the 99th of 100 waits and the
longest, beside those of a stretch in which nothing happens, and the longest transaction of the operation itself.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event as listening

from benchmarks.figures import figures
from engine.clock import HOUR, SECOND, iso
from engine.config import load_settings
from engine.runtime.engine import Engine

RULE = """
Rule: many
Trigger: entered
Wait: 30 days
Action: hello
"""
EDITED = RULE.replace("Action: hello", 'Action: hello\nAction: hello "again"')
OTHER = """
Rule: other
Trigger: seen
Wait: 1 day
Action: hello
"""
BATCH = 1_000


def opened(folder: Path) -> Engine:
    return Engine.open(settings=load_settings(store=f"sqlite:///{folder / 'bench.db'}"))


def ingest(folder: Path, told: Connection) -> None:
    """Ingest one event after the other, and tell how long each waited, as long as nobody says to stop."""
    with opened(folder) as engine:
        waits: list[float] = []
        number = 0
        while True:
            begun = time.perf_counter()
            engine.ingest({"event": "seen", "user_id": f"client-{number % 1000}"})
            waits.append((time.perf_counter() - begun) * 1e3)
            number += 1
            if told.poll():
                if told.recv() == "stop":
                    return
                told.send(waits)
                waits = []


def fill(engine: Engine, waiting: int, events: int) -> None:
    """Many journeys that wait, and a person with many events."""
    now = engine.clock.now()
    for start in range(0, waiting, BATCH):
        people = range(start, min(start + BATCH, waiting))
        engine.ingest({"event": "entered", "user_id": f"u{number}"} for number in people)
    for start in range(0, events, BATCH):
        times = [now - HOUR - number * SECOND for number in range(start, min(start + BATCH, events))]
        for who in ({"user_id": "busy"}, {"anonymous_id": "visitor"}):
            engine.ingest(({"event": "viewed", **who, "timestamp": iso(at)} for at in times), historical=True)


class Transactions:
    """How long the transactions of an engine take, in seconds."""

    def __init__(self, engine: Engine) -> None:
        self.lengths: list[float] = []
        self._begun = 0.0
        listening.listen(engine.store.engine, "begin", self._begin)
        listening.listen(engine.store.engine, "commit", self._commit)

    def _begin(self, _: Any) -> None:
        self._begun = time.perf_counter()

    def _commit(self, _: Any) -> None:
        self.lengths.append(time.perf_counter() - self._begun)


def main() -> None:
    given = figures(waiting=500_000, events=100_000, still=5.0)
    with TemporaryDirectory() as name:
        folder = Path(name)
        rules = folder / "bench.rules"
        rules.write_text(RULE + OTHER)
        with opened(folder) as engine:
            engine.load(rules)
            fill(engine, given.waiting, given.events)
            told, theirs = multiprocessing.Pipe()
            client = multiprocessing.get_context("spawn").Process(target=ingest, args=(folder, theirs))
            client.start()
            time.sleep(3)
            own = Transactions(engine)
            measure(told, own, "nothing", lambda: time.sleep(given.still))
            rules.write_text(EDITED + OTHER)
            measure(told, own, "--migrate", lambda: engine.load(rules, migrate=True))
            measure(told, own, "pause", lambda: engine.pause("many"))
            measure(told, own, "resume", lambda: engine.resume("many"))
            rules.write_text(OTHER)
            measure(told, own, "remove", lambda: engine.load(rules))
            measure(told, own, "merge", lambda: engine.identify("busy", anonymous_id="visitor"))
            measure(told, own, "erase", lambda: engine.erase("busy"))
            told.send("stop")
            client.join()


def measure(told: Connection, own: Transactions, what: str, work: Callable[[], object]) -> None:
    """Carry something out, and tell how long the client waited meanwhile."""
    told.send("told")
    told.recv()
    own.lengths.clear()
    begun = time.perf_counter()
    work()
    took = time.perf_counter() - begun
    told.send("told")
    waits: list[float] = told.recv()
    last = statistics.quantiles(waits, n=100, method="inclusive")[-1] if len(waits) > 1 else waits[0]
    longest = max(own.lengths, default=0.0) * 1e3
    print(
        f"{what:10} {took:7.2f} s  {len(waits):7,} calls  p99 {last:7.1f} ms  longest {max(waits):7.1f} ms"
        f"  own transactions {len(own.lengths):6,}, longest {longest:6.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
