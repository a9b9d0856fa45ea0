"""(c) Many journeys due at once, against an APScheduler job per wait. Run: python -m benchmarks.due [JOURNEYS]"""

from __future__ import annotations

import datetime
import sys
import tempfile
import threading
import time
from pathlib import Path

from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.workload import START, engine_on_disk
from engine.clock import DAY, SECOND, iso

RULE = (
    'Rule: cart\nTrigger: cart_updated\nCondition: NOT purchase_completed within 24 hours\nAction: send_email "cart"\n'
)
PEER_JOBS = 2_000
BATCH = 1_000


def lapse(count: int) -> tuple[float, float]:
    """Journeys decided a second, and decided and sent a second, when all fall due at one moment."""
    with engine_on_disk(RULE) as (engine, clock, _):
        for start in range(0, count, BATCH):
            engine.ingest(
                {"event": "cart_updated", "user_id": f"u-{number}", "timestamp": iso(START)}
                for number in range(start, min(start + BATCH, count))
            )
        clock.set(START + DAY + SECOND)
        wall = time.perf_counter()
        decided = engine.decide_due()
        after = time.perf_counter()
        sent = engine.run_due().sent
        done = time.perf_counter()
        assert decided == sent == count, (decided, sent)
        return count / (after - wall), count / (done - wall)


def _nothing() -> None:
    """What the peer's jobs do."""


def peer(count: int) -> tuple[float, int]:
    """Waits scheduled and run a second by a job each on library defaults, and how many were dropped."""
    ran = threading.Semaphore(0)
    dropped = [0]
    with tempfile.TemporaryDirectory() as folder:
        store = SQLAlchemyJobStore(url=f"sqlite:///{Path(folder) / 'jobs.db'}")
        scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=datetime.UTC)

        def note(event: object) -> None:
            dropped[0] += getattr(event, "code", 0) == EVENT_JOB_MISSED
            ran.release()

        scheduler.add_listener(note, EVENT_JOB_EXECUTED | EVENT_JOB_MISSED)
        scheduler.start(paused=True)
        wall = time.perf_counter()
        for _ in range(count):
            scheduler.add_job(_nothing, "date", run_date=datetime.datetime.now(datetime.UTC))
        scheduler.resume()
        for _ in range(count):
            ran.acquire(timeout=60)
        spent = time.perf_counter() - wall
        scheduler.shutdown()
    return count / spent, dropped[0]


def main(count: int = 100_000) -> None:
    decided, sent = lapse(count)
    rate, dropped = peer(PEER_JOBS)
    print(f"{count:,} journeys due at once: {decided:,.0f} decided/s, {sent:,.0f} decided and sent/s")
    print(f"a job per wait ({PEER_JOBS:,}): {rate:,.0f} a second, {dropped:,} of them dropped as misfires")
    print(f"ratio decided {decided / rate:,.0f}, decided and sent {sent / rate:,.0f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
