"""Clients of a server on this machine: requests that are ready as bytes, over connections that stay open."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Latency(NamedTuple):
    """How long answers took, seconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, taken: Sequence[float]) -> Latency:
        cuts = statistics.quantiles(taken, n=100)
        return cls(cuts[49], cuts[98])

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1e3:.1f} ms, p99 {self.p99 * 1e3:.1f} ms"


def request(path: str, key: str, body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    lines = ("POST " + path + " HTTP/1.1", "Host: lapse", f"Authorization: Bearer {key}",
             "Content-Type: application/json", f"Content-Length: {len(body)}", "", "")  # fmt: skip
    return "\r\n".join(lines).encode() + body


class Connection(asyncio.Protocol):
    """One connection: sends a request, waits for its answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._came = bytearray()
        self._answered: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        self._came += data
        head = self._came.find(_END)
        if head < 0:
            return
        begin = self._came.lower().index(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._came[begin : self._came.index(b"\r", begin)])
        if len(self._came) >= head + len(_END) + length:
            assert self._came.startswith(b"HTTP/1.1 200"), bytes(self._came[:2000])
            self._came.clear()
            assert self._answered is not None
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("the server hung up"))

    async def ask(self, sent: bytes) -> float:
        """Send a request; how long its answer took, seconds. Fails where it is not 200."""
        begun = time.perf_counter()
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(sent)
        await self._answered
        return time.perf_counter() - begun

    def close(self) -> None:
        self._transport.close()


@dataclass
class Load:
    """What some clients at a time saw: all the answers' times, and how long it all took, seconds."""

    taken: list[float]
    spent: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.taken) / self.spent

    @property
    def latency(self) -> Latency:
        return Latency.of(self.taken)


async def all_at_once(port: int, sent: Iterable[bytes], clients: int) -> Load:
    """Every client sends its next request as soon as it has its answer, until none are left."""
    connections = [await _connect(port) for _ in range(clients)]
    left, taken = deque(sent), []

    async def work(connection: Connection) -> None:
        while left:
            taken.append(await connection.ask(left.popleft()))

    begun = time.perf_counter()
    await asyncio.gather(*map(work, connections))
    spent = time.perf_counter() - begun
    for one in connections:
        one.close()
    return Load(taken, spent)


class Steady:
    """So many requests a second, whether the last are answered or not; keeps when each was due and how long it took."""

    def __init__(self, port: int, sent: Iterable[bytes], rate: float) -> None:
        self._port, self._sent, self._rate = port, iter(sent), rate
        self._free: deque[Connection] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self.taken: list[tuple[float, float]] = []

    async def run(self, over: asyncio.Event) -> None:
        """Send until it is ``over``."""
        due = time.perf_counter()
        while not over.is_set():
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self._one(next(self._sent), due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            due += 1 / self._rate
        await asyncio.gather(*self._under_way)
        for one in self._free:
            one.close()

    async def _one(self, sent: bytes, due: float) -> None:
        connection = self._free.popleft() if self._free else await _connect(self._port)
        await connection.ask(sent)
        self._free.append(connection)
        self.taken.append((due, time.perf_counter() - due))

    def between(self, begin: float, end: float) -> list[float]:
        """How long the answers to requests took that were due in a stretch of ``time.perf_counter()``."""
        return [taken for due, taken in self.taken if begin <= due < end]


async def _connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection
