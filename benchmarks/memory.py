"""(e) Memory of a process that ingests, by journeys waiting. Run: python -m benchmarks.memory [JOURNEYS]"""

from __future__ import annotations

import resource
import sys

from benchmarks.workload import START, engine_on_disk
from engine.clock import SECOND, iso

BATCH = 1_000


def main(count: int = 1_000_000) -> None:
    """Peak resident memory before any event, and with so many journeys waiting."""
    with engine_on_disk() as (engine, clock, folder):
        empty = _peak()
        for start in range(0, count, BATCH):
            clock.set(START + (start // BATCH + 1) * SECOND)
            engine.ingest(
                {"event": "add_to_cart", "user_id": f"waits-{number}", "timestamp": iso(clock.now())}
                for number in range(start, min(start + BATCH, count))
            )
        full = _peak()
        size = sum(path.stat().st_size for path in folder.glob("bench.db*"))
    print(f"no events: {empty:,.0f} MiB; {count:,} journeys waiting: {full:,.0f} MiB; store {size / 2**20:,.0f} MiB")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
