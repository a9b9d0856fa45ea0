"""The network as channels over HTTP see it: only what the guard lets through, and never for longer than there is time.

httpcore2 hands its timeouts through to the network untouched. Here they are not lengths but moments of
:func:`time.monotonic`, so one total holds over however many reads and writes a send is made of: a receiver that gives
a byte a second gains nothing by it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, Final

import httpcore2

from engine.delivery.channels import SendError
from engine.delivery.endpoint import address_of
from engine.delivery.guard import Guard

Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host by its name and port. Raises OSError."""

_LEAST: Final = 0.001
"""Seconds; to a socket, 0 would mean something else."""


def look_up(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedNetwork(httpcore2.NetworkBackend):
    """Connects to the very addresses that were checked: a host is looked up once for a connection.

    ``connect_timeout``, in seconds, is for all of it: looking up, connecting to one address after the other, TLS.
    """

    def __init__(
        self,
        guard: Guard,
        connect_timeout: float,
        *,
        resolve: Resolve = look_up,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._guard = guard
        self._connect_timeout = connect_timeout
        self._resolve = resolve
        self._network = httpcore2.SyncBackend() if network is None else network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """A connection by the moment ``timeout``. Raises a permanent SendError where the guard objects."""
        assert timeout is not None
        deadline = min(timeout, time.monotonic() + self._connect_timeout)
        addresses = self._addresses(host, port, deadline)
        objection = self._guard.objection(host, addresses)
        if objection is not None:
            raise SendError(objection, permanent=True)
        return TimedStream(self._connect(addresses, port, deadline), deadline)

    def _addresses(self, host: str, port: int, deadline: float) -> Sequence[str]:
        if address_of(host) is not None:
            return [host]
        try:
            addresses = _in_time(lambda: self._resolve(host, port), deadline)
        except TimeoutError:
            raise SendError(f"{host} could not be looked up in time") from None
        except OSError as error:
            raise SendError(f"{host} could not be looked up: {error.strerror or error}") from None
        if not addresses:
            raise SendError(f"{host} has no address")
        return addresses

    def _connect(self, addresses: Sequence[str], port: int, deadline: float) -> httpcore2.NetworkStream:
        """The first address that answers; each has an even share of the time left, so a dead one leaves some over."""
        *others, last = addresses
        for tried, address in enumerate(others):
            share = _left(deadline, httpcore2.ConnectTimeout) / (len(addresses) - tried)
            try:
                return self._network.connect_tcp(address, port, share)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._network.connect_tcp(last, port, _left(deadline, httpcore2.ConnectTimeout))


class TimedStream(httpcore2.NetworkStream):
    """A stream whose timeouts are moments.

    ``heard`` says whether anything was read since something was written: an answer that was there before belongs to
    no request.
    """

    def __init__(self, stream: httpcore2.NetworkStream, connect_by: float) -> None:
        self._stream = stream
        self._connect_by = connect_by
        self.heard = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        assert timeout is not None
        data = self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))
        self.heard = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Written piece by piece: the stream below would begin its time anew with each piece that is taken."""
        assert timeout is not None
        self.heard = False
        wire: socket.socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                wire.settimeout(_left(timeout, httpcore2.WriteTimeout))
                rest = rest[wire.send(rest) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the handshake belongs to connecting
    ) -> httpcore2.NetworkStream:
        left = max(self._connect_by - time.monotonic(), _LEAST)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._connect_by)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, expired: type[httpcore2.TimeoutException]) -> float:
    """Seconds until the deadline. Raises ``expired`` behind it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise expired("timed out")
    return left


def _in_time(work: Callable[[], Sequence[str]], deadline: float) -> Sequence[str]:
    """What comes of work in a thread of its own, because the system's resolver cannot be given a time.

    Raises what it raises, or TimeoutError; a thread that is given up ends when the resolver does.
    """
    found: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except OSError as error:
            found.set_exception(error)

    Thread(target=run, name="lapse-lookup", daemon=True).start()
    return found.result(max(deadline - time.monotonic(), 0))
