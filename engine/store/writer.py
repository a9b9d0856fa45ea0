"""The one writer of a process, with group commit.

Calls from any thread queue up; one thread takes those that wait, as many as fit into a transaction of the time the
limits allow, and carries them out in a single immediate transaction. So many callers share one flush to disk, and
nobody is answered before it. When such a transaction fails, each call is tried again alone: one that cannot be carried
out does not fail the others. So what a call does beside the transaction, it must be able to do twice.

The processes on a store take turns, see :class:`~engine.store.gate.Gate`. A turn is one transaction and, where the log
has become long, bringing it into the file.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection

from engine.errors import StoreError, StoreUnavailable
from engine.store import prepared, sqlite
from engine.store.columns import metadata
from engine.store.pace import Pace
from engine.store.store import Store

P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")

TOGETHER: Final = 1_000
"""Calls that share a transaction at most."""

ITEMS: Final = 10_000
"""Items of payloads that share a transaction at most, however quickly they are handled."""

FIRST_ITEMS: Final = 200
"""Items of payloads in the first transactions, before it is known how long they take."""

LEAST_ITEMS: Final = 100
"""Items of payloads that share a transaction, however long they take, where as many wait. What is costly about a busy
person is done once a transaction: in pieces that are too small it is done again and again."""

_log = logging.getLogger("lapse.store")


class Postponed(Exception):  # noqa: N818 - nothing has gone wrong
    """Raised inside a transaction by what needs work that must keep nobody waiting, such as reading rules.

    The transaction is undone and the turn given up; then ``work`` is done, and the same calls are carried out anew.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__("there is work to be done before this transaction")
        self.work = work


def is_writing(connection: Connection) -> bool:
    """Whether a connection's transactions have the turn to write, so that others wait meanwhile."""
    return bool(connection.get_execution_options().get(sqlite.WRITES))


@dataclass
class _Call:
    """A payload for the handler, or a function."""

    payload: Any = None
    function: Callable[[Connection], Any] | None = None
    flushing: Callable[[], None] | None = None
    future: Future[Any] = field(default_factory=Future)
    since: float = 0.0
    """When it came, seconds of the monotonic clock."""


class Writer(Generic[P, R]):
    """Runs ``handle`` on the payloads of calls that wait, and then their functions one by one, in one transaction.

    ``committed`` is called after every commit, before the callers are answered. ``weigh`` says of how many items a
    payload consists; what takes about as long as another is an item. Where the store's files are not where they belong,
    before a transaction or after it, none of its callers is told that it is done.
    """

    def __init__(
        self,
        store: Store,
        handle: Callable[[Connection, Sequence[P]], Sequence[R]],
        committed: Callable[[], None],
        *,
        weigh: Callable[[P], int] = lambda _: 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = store.engine.execution_options(**{sqlite.WRITES: True})
        self._store = store
        self._limits = store.limits
        self._handle = handle
        self._committed = committed
        self._weigh = weigh
        self._now = now
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._waiting: deque[_Call | None] = deque()
        """What was taken from the queue and is next. Only the writer's thread changes it."""
        self._connection: Connection | None = None
        self._closed = False
        self._together = 0
        self._was_unavailable = False
        self.pace = Pace(self._limits.transaction, first=FIRST_ITEMS, most=ITEMS, least=LEAST_ITEMS, now=now)
        """How many items of payloads fit into a transaction."""
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
        return self._together > 1 or bool(self._waiting) or not self._queue.empty()

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
        call.since = self._now()
        call.future.set_running_or_notify_cancel()
        self._queue.put(call)
        return call.future

    # -------------------------------------------------------------------------------------- the thread

    def _loop(self) -> None:
        try:
            while calls := self._next():
                self._carry_out(calls)
        except BaseException as error:  # noqa: BLE001 - the thread ends here, and its callers must not wait
            self._closed = True
            self._drain()
            _fail(_stopped(error), [*calls, *self._waiting])
        finally:
            if self._connection is not None:
                self._connection.close()

    def _drain(self) -> None:
        """Take what has been put."""
        while not self._queue.empty():
            self._waiting.append(self._queue.get())

    def _next(self) -> list[_Call]:
        """The calls of the next transaction, in the order in which they came: at least one; none at the end."""
        if not self._waiting:
            self._waiting.append(self._queue.get())
        self._drain()
        calls: list[_Call] = []
        items = 0
        while len(calls) < TOGETHER and self._waiting and (call := self._waiting[0]) is not None:
            items += 0 if call.function else self._weigh(call.payload)
            if calls and items > self.pace.size:
                break
            calls.append(call)
            self._waiting.popleft()
        return calls

    def _carry_out(self, calls: Sequence[_Call]) -> None:
        turn = ExitStack()
        try:
            with sqlite.available():
                results = self._transact(calls, turn)
        except StoreUnavailable as error:  # nobody's own fault, and each would wait as long again
            turn.close()
            self._was_unavailable = True
            _fail(error, calls)
        except BaseException as error:  # noqa: BLE001 - the callers get it
            turn.close()
            if len(calls) == 1:
                _fail(error, calls)
                return
            for call in calls:
                self._carry_out([call])
        else:
            with turn:
                self._was_unavailable = False
                self._answer(calls, results)

    def _transact(self, calls: Sequence[_Call], turn: ExitStack) -> dict[int, Any]:
        """One transaction within a turn of this process, begun anew as often as it has to be; gives results by place.

        The turn is given up in between, for what is postponed and where a program that knows nothing of turns writes.
        """
        begun = self._now()
        patience = self._patience(calls, begun)
        told = False
        while True:
            self._store.check_files()
            connection = self._connected()
            try:
                turn.enter_context(self._store.gate.alone(max(patience - (self._now() - begun), 0.0)))
                return self._transaction(connection, calls)
            except Postponed as postponed:
                turn.close()
                away = self._now()
                postponed.work()
                begun += self._now() - away  # that was no waiting for others
            except Exception as error:
                turn.close()
                if not sqlite.is_busy(error) or self._now() - begun >= patience:
                    raise
                if not told:
                    told = True
                    _log.warning("waiting to write to '%s': a program other than Lapse keeps it", self._store.url)

    def _patience(self, calls: Sequence[_Call], now: float) -> float:
        """Seconds to wait for a turn: fewer for calls that came while others waited for one in vain."""
        waited = now - calls[0].since if self._was_unavailable else 0.0
        return max(self._limits.timeout - waited, 0.0)

    def _connected(self) -> Connection:
        """The connection; a new one is made and everything compiled for it while nobody waits."""
        if self._connection is None:
            self._connection = self._engine.connect()
            if self._store.path is not None:
                prepared.compile_all(self._connection, metadata.tables.values())
        return self._connection

    def _transaction(self, connection: Connection, calls: Sequence[_Call]) -> dict[int, Any]:
        self._together = len(calls)
        with connection.begin():
            results = self._results(connection, calls)
            for place in results:
                if (flushing := calls[place].flushing) is not None:
                    flushing()
        return results

    def _results(self, connection: Connection, calls: Sequence[_Call]) -> dict[int, Any]:
        """What becomes of the calls, by their places; what no longer fits into the time is not among it.

        The first is: each transaction brings whoever has waited longest further. Payloads are handled as one batch.
        """
        begun, results = self._now(), dict[int, Any]()
        payloads = [place for place, call in enumerate(calls) if call.function is None]
        for place, call in enumerate(calls):
            if results and self._now() - begun > self._limits.transaction:
                break
            if call.function is not None:
                results[place] = call.function(connection)
            elif place not in results:
                results |= zip(payloads, self._handled(connection, calls, payloads), strict=True)
        return results

    def _handled(self, connection: Connection, calls: Sequence[_Call], places: Sequence[int]) -> Sequence[Any]:
        payloads = [calls[place].payload for place in places]
        with self.pace.taking(sum(map(self._weigh, payloads))):
            return self._handle(connection, payloads)

    def _answer(self, calls: Sequence[_Call], results: Mapping[int, Any]) -> None:
        """What is on disk is said to be; what is not yet is next again; and the log is kept short."""
        rest = [call for place, call in enumerate(calls) if place not in results]
        self._waiting.extendleft(reversed(rest))
        self._committed()
        try:
            self._store.check_files()
        except StoreError as error:
            _fail(error, [calls[place] for place in results])
            return
        for place, result in results.items():
            calls[place].future.set_result(result)
        self._store.keep_log_short(self._connected())


def _fail(error: BaseException, calls: Iterable[_Call | None]) -> None:
    """Tell callers that have no answer yet."""
    for call in calls:
        if call is not None and not call.future.done():
            call.future.set_exception(error)


def _stopped(error: BaseException) -> StoreError:
    return StoreError(f"the writer has stopped: {type(error).__name__}: {error}; close this engine and open another")
