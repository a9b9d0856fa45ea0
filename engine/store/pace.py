"""How many items a transaction takes, so that it ends in a given time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Pace:
    """The number of items that fit into ``seconds``, learned from the transactions before.

    It shrinks as soon as one took longer, and grows at most twofold for each that was full and quick: the first page
    of costly items is a small one.
    """

    def __init__(
        self,
        seconds: float,
        *,
        first: int,
        most: int,
        least: int = 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._least = min(least, most)
        self._now = now
        self.size = max(self._least, min(first, most))
        """Items for the next transaction."""

    @contextmanager
    def taking(self, count: int) -> Iterator[None]:
        """Measure what is done inside as the work of ``count`` items."""
        begun = self._now()
        yield
        self.took(count, self._now() - begun)

    def took(self, count: int, seconds: float) -> None:
        """Learn that ``count`` items took so many seconds."""
        if seconds > self._seconds:
            self._set(min(self.size, round(count * self._seconds / seconds)))
        elif count >= self.size:
            fitting = self._most if seconds <= 0 else round(count * self._seconds / seconds)
            self._set(min(2 * self.size, fitting))

    def _set(self, size: int) -> None:
        self.size = max(self._least, min(size, self._most))
