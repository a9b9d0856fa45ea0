"""The server: uvicorn, with a guard against clients that keep a connection and say little or never end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.config import Api
from engine.durations import in_micros
from engine.errors import LapseError

HEAD_BYTES: Final = 65_536
"""What the first line and the headers of a request may have, about."""

GRACE_SECONDS: Final = 2.0
"""How much longer than a body may take a whole request may, before its connection is closed without an answer."""

STOP_SHARE: Final = 0.75
"""How much of the time to stop requests under way may take; the rest is for what is written after them."""


class Server(uvicorn.Server):
    """A server that leaves signals to the command it is part of."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class GuardedProtocol(HttpToolsProtocol):
    """HTTP, for clients in a hurry. The app gives up on a slow body; this does on a slow or endless head.

    It also closes the connection of a client from which nothing comes any more, or that goes on after the answer.
    """

    patience = 15.0
    admits: Callable[[str], bool] = staticmethod(lambda _host: True)
    """Whether connections from an address are let in."""
    _deadline: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _head = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a body waits 40 ms behind its head
        self._arm()
        peer = transport.get_extra_info("peername")
        if peer is not None and not self.admits(peer[0]):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > HEAD_BYTES:
            self.transport.close()
        elif not self._in_head and self._deadline is not None and not self.cycle.response_complete:
            self._arm()

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._disarm()
        super().on_message_complete()

    def _arm(self) -> None:
        """A timer that runs is left running: at its end it looks whether anything is late."""
        self._deadline = self.loop.time() + self.patience
        if self._timer is None:
            self._timer = self.loop.call_at(self._deadline, self._look)

    def _disarm(self) -> None:
        self._deadline = None

    def _look(self) -> None:
        self._timer = None
        if self._deadline is None or self.transport.is_closing():
            return
        if self.loop.time() < self._deadline:
            self._timer = self.loop.call_at(self._deadline, self._look)
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self.flow.read_paused:  # the app is behind, not the client
            self._arm()
        else:
            self.transport.close()


def server(
    app: ASGIApp, settings: Api, stop_seconds: float = 2.0, admits: Callable[[str], bool] = lambda _host: True
) -> Server:
    """A server for the app, not yet running: ``run(sockets=[...])`` it, set ``should_exit`` to stop it.

    ``stop_seconds`` is how long stopping may take in all; ``admits`` says from which addresses connections are let in.
    """
    patience = in_micros(settings.body_seconds) / 1_000_000 + GRACE_SECONDS
    protocol: Any = type("Protocol", (GuardedProtocol,), {"patience": patience, "admits": staticmethod(admits)})
    return Server(
        uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=stop_seconds * STOP_SHARE,  # type: ignore[arg-type]  # seconds, whole or not
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises LapseError where that cannot be."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise LapseError(f"cannot listen at {host}, port {port}: {why}; name another --host or --port") from None
    made.set_inheritable(True)
    return made
