"""(c) Many journeys due at once, against an APScheduler job per wait. Run: python -m benchmarks.due [JOURNEYS]"""

from __future__ import annotations

import datetime
import logging
import sys
import tempfile
import threading
import time
from pathlib import Path

from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks.workload import START, engine_on_disk
from engine.cli.life import keep_still
from engine.clock import DAY, SECOND, iso

RULE = (
    'Rule: cart\nTrigger: cart_updated\nCondition: NOT purchase_completed within 24 hours\nAction: send_email "cart"\n'
)
PEER_JOBS = 3_000
ADDING = 0.02
"""Seconds that adding a job may take."""
BATCH = 1_000


def lapse(count: int) -> tuple[float, float]:
    """Journeys decided a second, and decided and sent a second, when all fall due at one moment; as in `lapse run`."""
    with engine_on_disk(RULE) as (engine, clock, _):
        keep_still()
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


def peer(count: int) -> tuple[float, float, int]:
    """Waits a second that a job each carries out on library defaults: adding and running them, running alone; and how
    many of them ran. The others came more than the default second late and were dropped."""
    handled, ran = threading.Semaphore(0), [0]
    with tempfile.TemporaryDirectory() as folder:
        store = SQLAlchemyJobStore(url=f"sqlite:///{Path(folder) / 'jobs.db'}")
        scheduler = BackgroundScheduler(jobstores={"default": store}, timezone=datetime.UTC)

        def note(event: JobExecutionEvent) -> None:
            ran[0] += event.code == EVENT_JOB_EXECUTED
            handled.release()

        scheduler.add_listener(note, EVENT_JOB_EXECUTED | EVENT_JOB_MISSED)
        scheduler.start()
        due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=count * ADDING)
        wall = time.perf_counter()
        for _ in range(count):
            scheduler.add_job(_nothing, "date", run_date=due)
        adding = time.perf_counter() - wall
        time.sleep(max((due - datetime.datetime.now(datetime.UTC)).total_seconds(), 0))
        wall = time.perf_counter()
        for _ in range(count):
            handled.acquire(timeout=60)
        running = time.perf_counter() - wall
        scheduler.shutdown()
    return ran[0] / (adding + running), ran[0] / running, ran[0]


def main(count: int = 100_000) -> None:
    decided, sent = lapse(count)
    logging.disable(logging.WARNING)  # the peer warns of each job it drops
    whole, running, ran = peer(PEER_JOBS)
    print(f"{count:,} journeys due at once: {decided:,.0f} decided/s, {sent:,.0f} decided and sent/s")
    print(
        f"{PEER_JOBS:,} jobs due at once: {ran:,} carried out, {running:,.0f} a second; with adding them {whole:,.0f}"
    )
    print(f"ratio of decided: {decided / running:,.0f} to running the jobs, {decided / whole:,.0f} with adding them")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
