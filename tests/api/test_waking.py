"""Results of other threads come into the event loop together, each to whom waits for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from engine.api.waking import Waking


class Woken(asyncio.SelectorEventLoop):
    """A loop that counts how often another thread wakes it."""

    times = 0

    def call_soon_threadsafe(self, *args: Any, **more: Any) -> asyncio.Handle:
        self.times += 1
        return super().call_soon_threadsafe(*args, **more)


def test_many_results_wake_the_loop_once() -> None:
    async def scenario() -> tuple[list[int], int]:
        waking, futures = Waking(), [Future[int]() for _ in range(100)]
        waiting = [asyncio.ensure_future(waking.result(one)) for one in futures]
        await asyncio.sleep(0)
        before = loop.times
        for number, one in enumerate(futures):
            one.set_result(number)
        return await asyncio.gather(*waiting), loop.times - before

    loop = Woken()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(scenario()) == (list(range(100)), 1)


def test_what_is_left_while_results_are_taken_wakes_it_again() -> None:
    async def scenario() -> list[int]:
        waking, first, second = Waking(), Future[int](), Future[int]()

        async def ask_again() -> list[int]:
            one = await waking.result(first)
            second.set_result(2)
            return [one, await waking.result(second)]

        asking = asyncio.ensure_future(ask_again())
        await asyncio.sleep(0)
        await asyncio.to_thread(first.set_result, 1)
        return await asking

    assert asyncio.run(scenario()) == [1, 2]


def test_errors_come_through_and_who_no_longer_waits_misses_nothing() -> None:
    async def scenario() -> None:
        waking, failing, left = Waking(), Future[int](), Future[int]()
        gone = asyncio.ensure_future(waking.result(left))
        fails = asyncio.ensure_future(waking.result(failing))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        left.set_result(1)
        failing.set_exception(KeyError("x"))
        with pytest.raises(KeyError):
            await fails
        assert gone.cancelled()
        assert left.result() == 1

    asyncio.run(scenario())
