"""Bringing what the writer's thread has done into the event loop: one wake-up for many results, not one for each."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Waking:
    """Waits for futures of other threads in one event loop.

    :meth:`result` is for the loop's thread. Whoever completes a future leaves it here and wakes the loop only where
    nobody has done so already: what a transaction answers together comes in together.
    """

    def __init__(self) -> None:
        self._done: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    async def result(self, future: Future[T]) -> T:
        """What a future comes to, or the exception it ends with. Who waits may be cancelled; the future is not."""
        loop = asyncio.get_running_loop()
        waits: asyncio.Future[Future[T]] = loop.create_future()
        future.add_done_callback(lambda done: self._leave(loop, waits, done))
        return (await waits).result()

    def _leave(self, loop: asyncio.AbstractEventLoop, waits: asyncio.Future[Any], done: Future[Any]) -> None:
        self._done.append((waits, done))
        if not self._woken and not loop.is_closed():
            self._woken = True
            loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._woken = False  # before looking: what is left from now on wakes the loop again
        while self._done:
            waits, done = self._done.popleft()
            if not waits.done():
                waits.set_result(done)
