"""How long the server has patience with a connection, told by timers that the tests let go off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from engine.api.server import HEAD_BYTES, GuardedProtocol

PATIENCE = GuardedProtocol.patience
HEAD = b"POST /native/v1/imports HTTP/1.1\r\nHost: lapse.test\r\nContent-Length: 1000000\r\n\r\n"


class Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Task:
    def add_done_callback(self, _callback: Any) -> None:
        return


class Loop:
    """An event loop in which time passes when it is told to, and no app ever reads or answers."""

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        self._timers.append(Timer(when, callback))
        return self._timers[-1]

    def create_task(self, running: Coroutine[Any, Any, None], **_more: Any) -> Task:
        running.close()
        return Task()

    def wait(self, seconds: float) -> None:
        """Let time pass, and go off what is set for it."""
        self._now += seconds
        while due := [one for one in self._timers if one.when <= self._now]:
            self._timers.remove(due[0])
            if not due[0].cancelled:
                due[0].callback()


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return Socket() if name == "socket" else default

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class Socket:
    def setsockopt(self, *_options: int) -> None:
        return

    def getpeername(self) -> tuple[str, int]:
        return "192.0.2.1", 1

    def getsockname(self) -> tuple[str, int]:
        return "192.0.2.2", 80


class Client:
    """A connection whose other end says what a test has it say."""

    def __init__(self) -> None:
        async def app(_scope: Any, _receive: Any, _send: Any) -> None:
            return

        config = uvicorn.Config(app, interface="asgi3", ws="none", log_config=None)
        config.load()
        self.loop, self.transport = Loop(), Transport()
        loop: Any = self.loop
        self.protocol = GuardedProtocol(config, ServerState(), {}, loop)
        self.protocol.connection_made(self.transport)

    def says(self, data: bytes) -> None:
        self.protocol.data_received(data)


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_client_that_says_nothing_is_given_up(client: Client) -> None:
    client.loop.wait(PATIENCE - 1)
    assert not client.transport.closed
    client.loop.wait(1)
    assert client.transport.closed


def test_so_is_one_whose_head_does_not_end_in_time(client: Client) -> None:
    for byte in HEAD[:-1]:
        client.says(bytes([byte]))
        client.loop.wait(PATIENCE / len(HEAD))
    client.loop.wait(1)
    assert client.transport.closed


def test_and_one_whose_head_does_not_end_at_all(client: Client) -> None:
    client.says(HEAD[:-2] + b"X: " + b"x" * HEAD_BYTES)
    assert client.transport.closed


def test_a_body_may_take_as_long_as_it_likes_while_some_of_it_comes(client: Client) -> None:
    client.says(HEAD)
    for _ in range(100):
        client.loop.wait(PATIENCE - 1)
        client.says(b"x")
    assert not client.transport.closed
    client.loop.wait(PATIENCE)
    assert client.transport.closed


def test_while_the_app_is_behind_the_client_need_not_hurry(client: Client) -> None:
    client.says(HEAD)
    client.says(b"x" * 100_000)
    assert client.protocol.flow.read_paused
    client.loop.wait(PATIENCE)
    assert not client.transport.closed
    client.protocol.flow.resume_reading()
    client.loop.wait(PATIENCE)
    assert client.transport.closed


def test_who_goes_on_after_the_answer_is_given_up(client: Client) -> None:
    client.says(HEAD)
    client.protocol.cycle.response_complete = True
    for _ in range(10):
        client.says(b"x")
        client.loop.wait(PATIENCE / 10)
    assert client.transport.closed


def test_between_requests_there_is_no_hurry(client: Client) -> None:
    client.says(HEAD.replace(b"1000000", b"1"))
    client.says(b"x")
    client.loop.wait(10 * PATIENCE)
    assert not client.transport.closed
