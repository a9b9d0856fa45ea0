"""(a) Ingest with twenty rules live, as a ratio to the floor. Run: python -m benchmarks.ingest [EVENTS]"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import floor
from benchmarks.workload import START, engine_on_disk, stream
from engine.cli.life import keep_still
from engine.clock import SECOND
from engine.testing import Clock

BATCH = 1_000


def _as_time_goes(events: Sequence[dict[str, Any]], clock: Clock) -> Iterator[dict[str, Any]]:
    """The events, the clock set to the end of each batch as it is read."""
    for place, event in enumerate(events):
        if place % BATCH == 0:
            clock.set(START + (place + BATCH) * SECOND)
        yield event


def main(count: int = 200_000) -> None:
    events = stream(count)
    with engine_on_disk() as (engine, clock, folder):
        keep_still()
        wall, cpu = time.perf_counter(), time.process_time()
        assert engine.ingest(_as_time_goes(events, clock)).stored == count
        ours = time.perf_counter() - wall, time.process_time() - cpu
        bare = floor.seconds(folder / "bench.db", folder / "floor.db", BATCH)
    print(f"events                 {count:>10,}")
    print(f"lapse, 20 rules live   {count / ours[0]:>10,.0f} events/s wall  {count / ours[1]:>10,.0f} events/s CPU")
    print(f"bare executemany       {count / bare[0]:>10,.0f} events/s wall  {count / bare[1]:>10,.0f} events/s CPU")
    print(f"ratio to the floor     {bare[0] / ours[0]:>10.2f} wall {bare[1] / ours[1]:>21.2f} CPU")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
