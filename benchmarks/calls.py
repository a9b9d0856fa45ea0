"""(d) Single-event calls from 32 threads: throughput and latency. Run: python -m benchmarks.calls [CALLS]"""

from __future__ import annotations

import statistics
import sys
import threading
import time

from benchmarks.workload import START, engine_on_disk, stream
from engine.clock import SECOND

THREADS = 32


def main(calls: int = 20_000) -> None:
    events = stream(calls)
    with engine_on_disk() as (engine, clock, _):
        clock.set(START + calls * SECOND)
        shares = [events[number::THREADS] for number in range(THREADS)]
        taken: list[list[float]] = [[] for _ in range(THREADS)]

        def work(number: int) -> None:
            for event in shares[number]:
                begun = time.perf_counter()
                engine.ingest(event)
                taken[number].append(time.perf_counter() - begun)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        wall = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - wall
    times = sorted(one for each in taken for one in each)
    cuts = statistics.quantiles(times, n=100)
    print(f"{THREADS} threads, one event a call: {calls / spent:,.0f} calls/s")
    print(f"p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms, longest {times[-1] * 1e3:.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
