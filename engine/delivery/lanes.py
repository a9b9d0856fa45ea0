"""Lanes: every channel sends at its own pace, with threads of its own.

One whose receiver hangs slows none of the others. A lane takes up some actions more than it sends at once, so that it
need not wait for the store between them: few at first, more as long as they go quickly. What it has taken up and not
begun is given back when it closes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from engine.clock import DAY, HOUR, MINUTE, SECOND
from engine.delivery_settings import ChannelSettings

AT_MOST: Final = 200
"""Actions that a lane takes up at once."""

_QUICK_SECONDS: Final = 1.0
"""A lane that wants more within this time takes up twice as much, another half."""

_UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}


class Pace:
    """At most so many sends a time, evenly: what was not used is kept for a second, no longer.

    Moments are microseconds UTC of the engine's clock. One that is set back costs no more than the pause between two
    sends: what was paid for is never later than now.
    """

    def __init__(self, rate: str, now: int) -> None:
        number, _, unit = rate.partition("/")
        self._each = _UNITS[unit] / int(number)
        self._most = max(1, math.ceil(SECOND / self._each))
        self._paid_to = now - self._most * self._each

    def room(self, now: int) -> int:
        """How many sends may begin."""
        self._paid_to = min(self._paid_to, now)
        return min(self._most, int((now - self._paid_to) / self._each + 1e-9))

    def took(self, count: int, now: int) -> None:
        """So many begin."""
        self._paid_to = max(self._paid_to, now - self._most * self._each) + count * self._each

    def opens_at(self) -> int:
        """When the next may begin."""
        return math.ceil(self._paid_to + self._each)


class Lane:
    """The sends of one channel: how many are under way, and how many more it takes up.

    A **prompt** lane has no threads: what it carries goes nowhere that could keep one waiting.
    """

    def __init__(self, settings: ChannelSettings, *, prompt: bool = False) -> None:
        self.settings = settings
        self.prompt = prompt
        self._pool = None if prompt else ThreadPoolExecutor(settings.concurrency, thread_name_prefix="lapse-send")
        self._pace: Pace | None = None
        self._lock = threading.Lock()
        self._under_way = 0
        self._ahead = settings.concurrency * (1 if settings.delivery == "at_most_once" else 2)
        self._took_at = float("-inf")

    def room(self, now: int) -> int:
        """How many actions it takes up now."""
        with self._lock:
            return self._room(now)

    def opens_at(self, now: int) -> int | None:
        """From when on it takes up more; nothing while it waits for the end of a send."""
        with self._lock:
            if self._room(now):
                return now
            pace = self._paced(now)
            return None if pace is None or pace.room(now) else pace.opens_at()

    def _room(self, now: int) -> int:
        if self.prompt:
            return AT_MOST
        pace = self._paced(now)
        if pace is not None:
            return min(pace.room(now), self.settings.concurrency - self._under_way)
        return self._ahead - self._under_way if self._under_way <= self._ahead // 2 else 0

    def _paced(self, now: int) -> Pace | None:
        if self._pace is None and self.settings.rate is not None:
            self._pace = Pace(self.settings.rate, now)
        return self._pace

    def take(self, count: int, now: int) -> None:
        """So many actions were taken up."""
        with self._lock:
            if (pace := self._paced(now)) is not None:
                pace.took(count, now)
            self._under_way += count
            self._learn()

    def give_back(self, count: int = 1) -> None:
        """So many that were taken up are not sent."""
        with self._lock:
            self._under_way -= count

    def send(self, work: Callable[[], None], freed: Callable[[], None]) -> Future[None]:
        """Carry out one of them in a thread of its own; ``freed`` is called when there is room for more again.

        Raises RuntimeError when the lane is closed.
        """
        assert self._pool is not None
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._ended(freed))
        return future

    def _ended(self, freed: Callable[[], None]) -> None:
        with self._lock:
            self._under_way -= 1
            has_room = self._under_way in (0, self._ahead // 2) or self.settings.rate is not None
        if has_room:
            freed()

    def _learn(self) -> None:
        if self.settings.delivery == "at_most_once":
            return  # what is taken up and then lost with its process is parked: as little as can be
        seconds, self._took_at = time.monotonic() - self._took_at, time.monotonic()
        changed = self._ahead * 2 if seconds < _QUICK_SECONDS else self._ahead // 2
        self._ahead = min(max(changed, 2 * self.settings.concurrency), max(AT_MOST, 2 * self.settings.concurrency))

    @property
    def under_way(self) -> int:
        """How many actions it has taken up whose sends have not ended."""
        return self._under_way

    def cancel(self) -> None:
        """Begin no more sends, and return at once: the futures of those that have not begun are cancelled."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Wait for the sends that have begun; the futures of the others are cancelled."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
