"""How a command that runs until it is stopped hears SIGTERM and Ctrl-C, and ends in time whatever is under way."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

SECONDS: Final = 2.0
"""How long stopping may take before the settings are read: the default of ``stop_after``."""

TELLING_SECONDS: Final = 0.2
"""How long the last line of the log may take: nobody may be reading it any more."""

_log = logging.getLogger("lapse.stopping")


class StopRequested(BaseException):
    """Raised in the main thread by a signal that arrives during the start."""


class Stopping:
    """A request to stop, and the deadline that begins with it.

    A thread of its own reads the signals from a pipe that the system writes to: they are heard while the main thread
    waits for the store, where Python runs no handler.
    """

    def __init__(
        self,
        *,
        end: Callable[[int], object] = os._exit,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """``end`` ends the process, ``wait`` waits for an event so many seconds: both for tests."""
        self._end = end
        self._wait = wait
        self._guard = threading.Lock()
        self._starting = True
        self._over = threading.Event()
        self._begin: list[Callable[[], None]] = []
        self.requested = threading.Event()
        self.seconds = SECONDS
        """The setting ``stop_after``, in seconds."""
        self.under_way: Callable[[], Mapping[str, int]] = dict
        """Count the sends on the wire, by the channel's setting ``delivery``."""

    def on_request(self, begin: Callable[[], None]) -> None:
        """Have a function called when the request comes, or now if it has come. It must return at once."""
        with self._guard:
            if not self.requested.is_set():
                self._begin.append(begin)
                return
        begin()

    def request(self) -> None:
        """Begin to stop, and end the process by force at the deadline. A second request changes nothing."""
        with self._guard:
            if self.requested.is_set():
                return
            self.requested.set()
        threading.Thread(target=self._enforce, name="lapse-deadline", daemon=True).start()
        for begin in self._begin:
            begin()

    def started(self) -> None:
        """End the start: from now on a signal interrupts nothing and only makes the request."""
        self._starting = False

    def finish(self) -> None:
        """Lift the deadline: everything has ended by itself."""
        self._starting = False
        self._over.set()

    def _enforce(self) -> None:
        if self._wait(self._over, self.seconds):
            return
        teller = threading.Thread(target=self._tell, daemon=True)
        teller.start()
        teller.join(TELLING_SECONDS)
        self._end(0)

    def _tell(self) -> None:
        sends = self.under_way()
        again, once = sends.get("at_least_once", 0), sends.get("at_most_once", 0)
        _log.warning(
            "stopped by force %g seconds after the signal (stop_after) with %d sends under way: %d will be sent again "
            "with the same id when their lease is over, %d at most once and will be parked",
            self.seconds, again + once, again, once,
        )  # fmt: skip

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear the signals. After a request they stay harmless until the process ends."""
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        before = {number: signal.signal(number, self._interrupt) for number in _SIGNALS}
        woken = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._listen, args=(reader,), name="lapse-signals", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.finish()
            signal.set_wakeup_fd(woken)
            writer.close()
            thread.join()
            reader.close()
            if not self.requested.is_set():
                for number, handler in before.items():
                    signal.signal(number, handler)

    def _interrupt(self, *_: object) -> None:
        if self._starting:
            self._starting = False
            raise StopRequested

    def _listen(self, reader: socket.socket) -> None:
        while numbers := reader.recv(64):
            if any(number in numbers for number in _SIGNALS):
                self.request()


@contextmanager
def stopping() -> Iterator[Stopping]:
    """Hear SIGTERM and SIGINT inside: during the start they end the block, afterwards they make a request."""
    stop = Stopping()
    with stop.listening():
        try:
            yield stop
        except StopRequested:
            stop.request()
