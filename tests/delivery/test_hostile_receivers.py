"""Receivers that hang, drip, pour or break off: bounded time and memory, and a true word on what may have arrived."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import socket
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from engine.delivery.channels import Outgoing, Sealed, SendError
from engine.delivery.webhook import WebhookChannel
from engine.delivery_settings import WebhookSettings
from tests.delivery.receivers import (
    OK,
    Play,
    answering,
    never_reads,
    receiving,
    request,
    resets,
    sips,
    then_cuts,
    then_drips,
    then_hangs,
    then_pours,
)
from tests.stopwatch import at_most

TIMEOUT = 0.4
PATIENCE = 4.0
"""What a send may take, by a clock as busy as the machine: less than it would without these settings."""

MEGABYTE = 1 << 20
ACTION = Outgoing("act_1", "cart", "u1", "3", "tell", None, 0, 1, {}, sealed=Sealed(b"{}"))
LARGE = replace(ACTION, sealed=Sealed(b"x" * 32 * MEGABYTE))


def channel_to(url: str, **more: object) -> WebhookChannel:
    given = {"url": url, "allow": ["127.0.0.1"], "timeout": datetime.timedelta(seconds=TIMEOUT), **more}
    return WebhookChannel(WebhookSettings(type="webhook", **given))


def sent_to(url: str, action: Outgoing = ACTION, **more: object) -> SendError | None:
    """What a send ends with; it must do so in time."""
    channel = channel_to(url, **more)
    with at_most(PATIENCE):
        try:
            channel.send(action)
        except SendError as error:
            return error
        finally:
            channel.close()
    return None


UNANSWERED: dict[str, tuple[Play, Outgoing]] = {
    "hangs before the answer": (then_hangs(b""), ACTION),
    "hangs in the status line": (then_hangs(b"HTTP/1.1 20"), ACTION),
    "hangs in the headers": (then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"), ACTION),
    "drips the status line": (then_drips(b"HTTP/1.1 200 ", b"O"), ACTION),
    "drips headers": (then_drips(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), ACTION),
    "drips provisional answers": (then_drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), ACTION),
    "pours provisional answers": (then_pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), ACTION),
    "never reads": (never_reads, LARGE),
    "sips": (sips, LARGE),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_one_who_does_not_answer_in_time_may_have_got_it(name: str) -> None:
    play, action = UNANSWERED[name]
    with receiving(play) as receiver:
        error = sent_to(receiver.url, action)
    assert error is not None
    assert error.unknown
    assert not error.permanent
    assert "did not answer within 0.4 seconds" in str(error)


BROKEN: dict[str, Play] = {
    "cuts before the answer": then_cuts(b""),
    "cuts in the status line": then_cuts(b"HTTP/1.1 2"),
    "cuts in the headers": then_cuts(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "resets": resets,
    "speaks something else": then_cuts(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "answers before the first version": then_cuts(b"<html>fine</html>"),
    "has no status": then_cuts(b"HTTP/1.1 OK\r\n\r\n"),
    "has headers without end": then_pours(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 1000),
    "has one header without end": then_pours(b"HTTP/1.1 200 OK\r\na: ", b"b" * 65_536),
    "has a status line without end": then_pours(b"HTTP/1.1 200 ", b"b" * 65_536),
    "has a header with a nul": then_cuts(b"HTTP/1.1 200 OK\r\na: \0\r\n\r\n"),
    "has two lengths": then_cuts(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_who_breaks_off_may_have_got_it(name: str) -> None:
    with receiving(BROKEN[name]) as receiver:
        error = sent_to(receiver.url)
    assert error is not None
    assert error.unknown
    assert not error.permanent
    assert "broke off before it answered" in str(error)


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
LONG = b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n"
FLOOD = b"x" * 65_536
TAKEN: dict[str, Play] = {
    "hangs before the body": then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
    "hangs in the body": then_hangs(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"),
    "drips the body": then_drips(LONG, b"x"),
    "drips chunks": then_drips(CHUNKED, b"1\r\nx\r\n"),
    "drips trailers": then_drips(CHUNKED + b"0\r\n", b"a: b\r\n"),
    "pours a body": then_pours(LONG, FLOOD, 1_600),
    "pours chunks": then_pours(CHUNKED, b"10000\r\n" + FLOOD + b"\r\n"),
    "pours a body without a length": then_pours(b"HTTP/1.1 200 OK\r\n\r\n", FLOOD),
    "pours trailers": then_pours(CHUNKED + b"0\r\n", b"a: b\r\n" * 1000),
    "pours the length of a chunk": then_pours(CHUNKED, b"0" * 65_536),
    "cuts in the body": then_cuts(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"),
    "has chunks that are none": then_cuts(CHUNKED + b"zz\r\n"),
    "says it is an upgrade's": then_cuts(b"HTTP/1.1 204 No Content\r\nupgrade: websocket\r\n\r\n\1\2"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_wrong_behind_the_headers_changes_nothing(name: str) -> None:
    with receiving(TAKEN[name]) as receiver:
        assert sent_to(receiver.url) is None


@pytest.mark.parametrize("name", TAKEN)
def test_nor_does_it_make_a_success_of_a_refusal(name: str) -> None:
    def refusing(connection: socket.socket, over) -> None:
        class Refused:
            """Says 500 where the other says 200."""

            recv = connection.recv
            shutdown = connection.shutdown

            @staticmethod
            def sendall(data: bytes) -> None:
                connection.sendall(
                    data.replace(b"HTTP/1.1 200", b"HTTP/1.1 500").replace(b"HTTP/1.1 204", b"HTTP/1.1 500")
                )

        TAKEN[name](Refused, over)  # type: ignore[arg-type]

    with receiving(refusing) as receiver:
        error = sent_to(receiver.url)
    assert error is not None
    assert "answered 500" in str(error)
    assert not error.unknown


BOMB = gzip.compress(bytes(64 * MEGABYTE))
POURING: dict[str, tuple[Play, int]] = {
    "100 MB": (then_pours(LONG, FLOOD, 1_600), 64 * 1024),
    "100 MB that may be read": (then_pours(LONG, FLOOD, 1_600), 1 << 30),
    "headers": (then_pours(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 10_000), 64 * 1024),
    "a header": (then_pours(b"HTTP/1.1 200 OK\r\na: ", FLOOD), 64 * 1024),
    "provisional answers": (then_pours(b"", b"HTTP/1.1 103 x\r\na: b\r\n\r\n" * 100), 64 * 1024),
    "what would be much more": (
        answering(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB),
        1 << 30,
    ),
}


@pytest.mark.parametrize("name", POURING)
def test_no_flood_is_kept(name: str) -> None:
    play, answer_bytes = POURING[name]
    with receiving(play) as receiver:
        channel = channel_to(receiver.url, answer_bytes=answer_bytes)
        tracemalloc.start()
        with contextlib.suppress(SendError):
            channel.send(ACTION)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        channel.close()
    assert peak < 2 * MEGABYTE


def test_a_receiver_that_accepts_nothing_is_given_up_in_time() -> None:
    """The kernel takes the connection, so the request may be read at some time."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        error = sent_to(f"http://127.0.0.1:{deaf.getsockname()[1]}/hook")
    assert error is not None
    assert error.unknown


def test_nobody_listening_has_got_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = sent_to(f"http://127.0.0.1:{port}/hook")
    assert error is not None
    assert not error.unknown
    assert not error.permanent
    assert f"no connection to 127.0.0.1:{port}" in str(error)


def test_a_full_queue_of_connections_is_given_up_in_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        error = sent_to(f"http://127.0.0.1:{port}/hook", connect_timeout=datetime.timedelta(seconds=0.2))
        for one in waiting:
            one.close()
    assert error is not None
    assert not error.unknown


def body_of(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length + b"x" * length


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (OK, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (body_of(1_000), 1),
        (body_of(1_001), 3),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", 3),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", 3),
    ],
    ids=["empty", "none", "longest", "too long", "chunks", "close", "old"],
)
def test_a_connection_is_used_again_when_its_answer_was_read_to_the_end(answer: bytes, connections: int) -> None:
    with receiving(answering(answer)) as receiver:
        channel = channel_to(receiver.url, answer_bytes=1_000)
        for _ in range(3):
            channel.send(ACTION)
        channel.close()
        assert receiver.connections == connections


def test_after_a_refusal_too() -> None:
    with receiving(answering(b"HTTP/1.1 503 x\r\ncontent-length: 2\r\n\r\nno", OK)) as receiver:
        channel = channel_to(receiver.url)
        with pytest.raises(SendError, match="answered 503"):
            channel.send(ACTION)
        channel.send(ACTION)
        channel.close()
        assert receiver.connections == 1


@pytest.mark.parametrize("more", [OK, body_of(3), b"HTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"])
def test_an_answer_too_many_answers_no_other_action(more: bytes) -> None:
    with receiving(answering(OK + more)) as receiver:
        channel = channel_to(receiver.url)
        channel.send(ACTION)
        with pytest.raises(SendError, match="answered before it was asked") as caught:
            channel.send(ACTION)
        channel.send(ACTION)
        channel.close()
        assert caught.value.unknown
        assert receiver.connections == 2


def test_a_connection_the_receiver_closed_is_made_anew() -> None:
    closed = threading.Event()

    def closes(connection: socket.socket, over: threading.Event) -> None:
        then_cuts(OK)(connection, over)
        closed.set()

    with receiving(closes) as receiver:
        channel = channel_to(receiver.url)
        for _ in range(3):
            channel.send(ACTION)
            assert closed.wait(60)
            closed.clear()
        channel.close()
        assert receiver.connections == 3


def test_as_many_connections_are_open_as_sends_may_be_under_way() -> None:
    """The receiver answers nobody before all of them have asked."""
    all_there = threading.Barrier(3)

    def waits(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        all_there.wait(60)
        connection.sendall(OK)

    with receiving(waits) as receiver:
        channel = channel_to(receiver.url, concurrency=3, timeout=datetime.timedelta(seconds=60))
        with ThreadPoolExecutor(3) as threads:
            for send in [threads.submit(channel.send, ACTION) for _ in range(3)]:
                send.result()
        channel.close()
        assert receiver.connections == 3
