"""The daemon: decides what is due at its moment, sends what may leave, reloads rules, keeps house.

APScheduler runs a handful of jobs from memory. One of them is the wake-up: a single job that stands at the next
due moment and is moved when an earlier one appears. What other processes write into the same file is looked for
every second. A job that fails is logged and runs again; nothing due is lost by it, since what is due stands in the
store.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from engine.clock import SECOND, moment
from engine.errors import ConfigError, LapseError, StoreUnavailable
from engine.runtime.engine import Engine
from engine.runtime.faults import traced
from engine.runtime.workspaces import Workspaces

LOOK_SECONDS = 0.9
"""How often to look for earlier due moments that other processes wrote, and for changed rule files: once a second, with
what a look takes. Files that changed are loaded when the next look finds them as they were."""

KEEP_HOUSE_SECONDS = 60

LOG_BYTES = 4_000_000
"""The size at which a daemon brings the store's log into the file, well before others must. Nobody writes meanwhile:
some 4 ms, by the size."""

_WAKE = "wake-up"
_WAKES = 3
"""Wake-ups at once: one that works, one on its way out, and one that waits to look at what came meanwhile. The library
passes over one too many, and nothing else would come for it before the next look."""
_LONGEST_SLEEP_SECONDS = 60
"""A wake-up is never set further ahead: what is due is looked for at least as often."""

_log = logging.getLogger("lapse.daemon")


class _Every(BaseTrigger):  # type: ignore[misc]
    """The next run comes so long after the last was seen to be due.

    The library's own intervals go through every run that a clock which leaps ahead has passed over. All jobs have
    this trigger: one that has run for good is removed, which the scheduler cannot do while it is stopped.
    """

    def __init__(self, seconds: float) -> None:
        self._pause = datetime.timedelta(seconds=seconds)

    def get_next_fire_time(self, _previous: datetime.datetime | None, now: datetime.datetime) -> datetime.datetime:
        return now + self._pause


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """Runs every job at once when the clock was set back: the moments they waited for have moved away."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._seen: datetime.datetime | None = None

    def _process_jobs(self) -> float | None:
        now = datetime.datetime.now(datetime.UTC)  # as the library reads it
        if self._seen is not None and now < self._seen:
            for job in self.get_jobs():
                job.modify(next_run_time=now)
        self._seen = now
        seconds: float | None = super()._process_jobs()
        return seconds


class Daemon:
    """Runs an engine, or all workspaces of a store, by the clock until it is stopped.

    Holds the store's lock from the beginning: one daemon a store.

    Make one before loading rules where several programs may start: then only the one that works on the store
    changes what is live.

    Raises StoreLocked when another daemon holds it.
    """

    def __init__(self, engine: Engine | Workspaces, *, reload: bool = True) -> None:
        self.engine = engine
        self._lock = engine.store.lock()
        self._reload = reload
        self._working = threading.Lock()
        self._moving = threading.Lock()
        self._stopped = False
        self._standing: int | None = None
        """The earliest due moment known since the store was last asked."""
        self._failed: BaseException | None = None
        engine.store.log_limit = min(engine.store.log_limit, LOG_BYTES)
        self._scheduler = _Scheduler(
            timezone=datetime.UTC,
            executors={"default": ThreadPoolExecutor(_WAKES + 2)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Catch up with what fell due while nobody ran, oldest first, and go on by the clock."""
        self._scheduler.add_job(self._guarded(self._look), _Every(LOOK_SECONDS), id="look")
        self._scheduler.add_job(self._guarded(self._keep_house), _Every(KEEP_HOUSE_SECONDS), id="keep-house")
        _keep_quiet()
        self._scheduler.start()
        self.engine.warn_of_unbound()
        self.engine.on_due = self._stand
        self._guarded(self._clamp)()
        self._guarded(self._work)()

    def wakeup(self) -> None:
        """Look at the clock again at once: for tests that moved it."""
        self._guarded(self._look)()
        self._scheduler.wakeup()

    def halt(self) -> None:
        """Begin nothing more, and return at once. What is due and not begun stays due."""
        self._stopped = True

    def stop(self) -> None:
        """Finish the page that is under way and let go of the lock. What is due and not begun stays due."""
        self.engine.on_due = None
        with self._moving:
            self._stopped = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._lock.release()

    @property
    def healthy(self) -> bool:
        """Whether the scheduler's thread is alive and the last piece of work did not fail."""
        thread = getattr(self._scheduler, "_thread", None)
        return self._scheduler.running and thread is not None and thread.is_alive() and self._failed is None

    @property
    def lacks_disk(self) -> bool:
        """Whether the last piece of work failed for the store's disk alone: it will go on by itself."""
        return isinstance(self._failed, StoreUnavailable) and self._failed.is_of_disk

    # ---------------------------------------------------------------------------------------------- jobs

    def _work(self) -> None:
        """Decide and send what is due, then stand at the next moment."""
        with self._working:
            for _ in () if self._stopped else self.engine.due_pages(wait=False):
                if self._stopped:
                    return
        self._stand(self._next_due())

    def _look(self) -> None:
        self._keep_log_short()
        if self._reload:
            self._reload_changed()
        due = self._next_due()
        if due is not None and due <= self.engine.clock.now():
            self._work()
        else:
            self._stand(due)

    def _next_due(self) -> int | None:
        """The next due moment in the store. What is written from now on is heard of, and stands by itself."""
        with self._moving:
            self._standing = None
        return self.engine.next_due()

    def _stand(self, due: int | None) -> None:
        """Move the wake-up to a due moment, unless it stands at an earlier one."""
        with self._moving:  # the scheduler holds the jobs' lock while it waits for jobs to end: none may want it then
            if due is None or self._stopped or (self._standing is not None and self._standing <= due):
                return
            self._standing = due
            now = self.engine.clock.now()
            wake = moment(min(max(due, now), now + _LONGEST_SLEEP_SECONDS * SECOND))
            self._scheduler.add_job(
                self._guarded(self._work),
                _Every(_LONGEST_SLEEP_SECONDS),
                id=_WAKE,
                next_run_time=wake,
                replace_existing=True,
                max_instances=_WAKES,
            )

    def _reload_changed(self) -> None:
        try:
            found = self.engine.reload_changed()
        except ConfigError as error:
            _log.error("%s; until then the rules that were live stay live", error)
            return
        if found is None:
            return
        found.log_to(_log)
        self.engine.warn_of_unbound()
        if found.ok and found.readings:
            _log.info("rules reloaded")

    def _keep_log_short(self) -> None:
        """What other processes have written; the writer of this one sees to it after each transaction."""
        if self.engine.store.is_log_long:
            self.engine.store.checkpoint()

    def _clamp(self) -> None:
        self.engine.clamp_pauses()

    def _keep_house(self) -> None:
        self.engine.tidy()
        self.engine.clamp_pauses()
        self.engine.store.checkpoint()

    def _guarded(self, work: Callable[[], None]) -> Callable[[], None]:
        """A job that logs what goes wrong instead of dying of it."""

        def job() -> None:
            if self._stopped:
                return
            try:
                work()
                self._failed = None
            except LapseError as error:
                self._failed = error
                _log.error("%s", error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next run must come
                self._failed = error
                _log.error("a job of the daemon failed and will run again: %s", traced(error))

        return job


def _keep_quiet() -> None:
    """The library tells of every look, and warns of each that took longer than the pause between two.

    Whoever has set a level of their own keeps it.
    """
    library = logging.getLogger("apscheduler")
    if library.level == logging.NOTSET:
        library.setLevel(logging.ERROR)
