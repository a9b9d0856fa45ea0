"""The one writer of a process, with group commit.

Calls from any thread queue up; one thread takes all that wait and carries them out in a single immediate
transaction, so many callers share one flush to disk, and nobody is answered before it. When such a transaction
fails, each call is tried again alone: one that cannot be carried out does not fail the others. So what a call does
beside the transaction, it must be able to do twice.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

from engine.errors import StoreError
from engine.store import sqlite
from engine.store.lock import Gate

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")

TOGETHER = 1_000
"""Calls that share a transaction at most."""


@dataclass
class _Call:
    """A payload for the handler, or a function."""

    payload: Any = None
    function: Callable[[Connection], Any] | None = None
    flushing: Callable[[], None] | None = None
    future: Future[Any] = field(default_factory=Future)


class Writer(Generic[P, R]):
    """Runs ``handle`` on the payloads of all calls that wait, and then their functions one by one, in one transaction.

    ``committed`` is called after every commit, before the callers are answered. ``check`` raises StoreError where the
    store's files are not where they belong: called before a transaction, and after it, when none of the callers is told
    that it is done.
    """

    def __init__(
        self,
        engine: Engine,
        gate: Gate,
        handle: Callable[[Connection, Sequence[P]], Sequence[R]],
        committed: Callable[[], None],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine.execution_options(**{sqlite.WRITES: True})
        self._gate = gate
        self._handle = handle
        self._committed = committed
        self._check = check
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._closed = False
        self._together = 0
        self._thread = threading.Thread(target=self._loop, name="lapse-writer", daemon=True)
        self._thread.start()

    def submit(self, payload: P, flushing: Callable[[], None] | None = None) -> Future[R]:
        """Have a payload handled; the future is done once it is on disk. It cannot be cancelled.

        ``flushing`` is called, in the writer's thread, when only the commit is still to come, as often as it is.
        """
        return self._put(_Call(payload, flushing=flushing))

    def run(self, function: Callable[[Connection], T]) -> T:
        """Run a function, and wait until what it wrote is on disk. Others may run in the same transaction."""
        found: T = self._put(_Call(function=function)).result()
        return found

    @property
    def is_awaited(self) -> bool:
        """Whether calls wait for what is under way to end, in the same transaction or the next."""
        return self._together > 1 or not self._queue.empty()

    def close(self) -> None:
        """Finish what is queued and stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _put(self, call: _Call) -> Future[Any]:
        if threading.current_thread() is self._thread:
            raise StoreError("inside a transaction nothing else can be written; do it after, or in another thread")
        if self._closed or not self._thread.is_alive():
            raise StoreError("this engine is closed; open another one")
        call.future.set_running_or_notify_cancel()
        self._queue.put(call)
        return call.future

    def _loop(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the thread ends here, and its callers must not wait
            self._closed = True
            while not self._queue.empty():
                call = self._queue.get()
                if call is not None:
                    call.future.set_exception(_stopped(error))
        finally:
            if self._connection is not None:
                self._connection.close()

    def _work(self) -> None:
        while (call := self._queue.get()) is not None:
            calls = [call]
            while len(calls) < TOGETHER and not self._queue.empty():
                if (another := self._queue.get()) is None:
                    self._queue.put(None)
                    break
                calls.append(another)
            try:
                self._carry_out(calls)
            except BaseException as error:
                for waiting in calls:
                    if not waiting.future.done():
                        waiting.future.set_exception(_stopped(error))
                raise

    def _carry_out(self, calls: Sequence[_Call]) -> None:
        try:
            with sqlite.available():
                results = self._transact(calls)
        except BaseException as error:  # noqa: BLE001 - the callers get it
            if len(calls) == 1:
                calls[0].future.set_exception(error)
                return
            for call in calls:
                self._carry_out([call])
            return
        self._committed()
        try:
            self._check()
        except StoreError as error:
            for call in calls:
                call.future.set_exception(error)
            return
        for call, result in zip(calls, results, strict=True):
            call.future.set_result(result)

    def _transact(self, calls: Sequence[_Call]) -> Sequence[Any]:
        """One transaction; while another process keeps the file to itself, tried again from the start."""
        self._together = len(calls)
        while True:
            self._check()
            connection = self._connection = self._connection or self._engine.connect()
            try:
                with self._gate.writing(), connection.begin():
                    results = self._results(connection, calls)
                    for call in calls:
                        if call.flushing is not None:
                            call.flushing()
                    return results
            except Exception as error:
                if not sqlite.is_busy(error):
                    raise

    def _results(self, connection: Connection, calls: Sequence[_Call]) -> list[Any]:
        payloads = [call.payload for call in calls if call.function is None]
        handled = iter(self._handle(connection, payloads) if payloads else ())
        return [next(handled) if call.function is None else call.function(connection) for call in calls]


def _stopped(error: BaseException) -> StoreError:
    return StoreError(f"the writer has stopped: {type(error).__name__}: {error}; close this engine and open another")
