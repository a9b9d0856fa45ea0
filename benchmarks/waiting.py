"""(b) The cost of an event with few and with many journeys waiting. Run: python -m benchmarks.waiting [MANY]"""

from __future__ import annotations

import sys
import time

from benchmarks.workload import START, engine_on_disk, stream
from engine.clock import SECOND, iso

FEW = 10_000
BATCH = 1_000
MEASURED = 30_000


def cost(waiting: int) -> float:
    """CPU microseconds an event, with so many journeys waiting."""
    with engine_on_disk() as (engine, clock, _):
        for start in range(0, waiting, BATCH):
            clock.set(START + (start // BATCH + 1) * SECOND)
            engine.ingest(
                {"event": "add_to_cart", "user_id": f"waits-{number}", "timestamp": iso(clock.now())}
                for number in range(start, min(start + BATCH, waiting))
            )
        base = clock.now()
        events = stream(MEASURED, base, SECOND // 100)
        cpu = time.process_time()
        for start in range(0, MEASURED, BATCH):
            clock.set(base + (start + BATCH) * SECOND // 100)
            engine.ingest(events[start : start + BATCH])
        return (time.process_time() - cpu) / MEASURED * 1e6


def main(many: int = 1_000_000) -> None:
    few, lots = cost(FEW), cost(many)
    print(f"{FEW:>10,} journeys waiting  {few:8.1f} CPU microseconds an event")
    print(f"{many:>10,} journeys waiting  {lots:8.1f} CPU microseconds an event")
    print(f"ratio {lots / few:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
