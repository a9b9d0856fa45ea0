"""Webhooks against a real receiver on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from engine.delivery.channels import Outgoing, SendError
from engine.delivery.webhook import WebhookChannel

ACTION = Outgoing("act_1", "cart", "u1", "3", "send_email", "reminder", 0, 1, {"with": {"total": 80}, "to": "a@b.c"})


class Receiver:
    """An HTTP server that keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, object]]] = []
        self.status, self.headers = 200, dict[str, str]()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({key.lower(): value for key, value in self.headers.items()}, json.loads(body)))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


def test_an_action_is_posted_with_its_key(receiver: Receiver) -> None:
    channel = WebhookChannel(receiver.url)
    channel.send(ACTION)
    channel.close()
    headers, body = receiver.got[0]
    assert headers["webhook-id"] == "act_1"
    assert headers["content-type"] == "application/json"
    assert (body["person"], body["action"], body["with"]) == ("u1", "send_email", {"total": 80})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_taken_for_received(receiver: Receiver, status: int) -> None:
    receiver.status = status
    send(receiver.url)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_these_answers_are_worth_another_try(receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"location": receiver.url}
    error = refused(receiver.url)
    assert str(status) in str(error)
    assert not error.permanent
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
def test_these_answers_are_final(receiver: Receiver, status: int) -> None:
    receiver.status = status
    error = refused(receiver.url)
    assert str(status) in str(error)
    assert error.permanent


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7), ("0", 0), ("86400", 86_400), ("soon", None), ("-1", None), ("1.5", None), ("", None)],
)
def test_retry_after_is_read_as_seconds(receiver: Receiver, text: str, seconds: float | None) -> None:
    receiver.status = 503
    receiver.headers = {"retry-after": text}
    assert refused(receiver.url).retry_after == seconds


def test_every_attempt_says_the_same(receiver: Receiver) -> None:
    receiver.status = 500
    refused(receiver.url)
    receiver.status = 200
    send(receiver.url, replace(ACTION, attempt=2))
    (first, first_body), (second, second_body) = receiver.got
    assert (first["webhook-id"], first_body) == (second["webhook-id"], second_body)


def test_one_who_never_answers_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        error = refused(f"http://127.0.0.1:{deaf.getsockname()[1]}/hook", timeout=0.2)
    assert not error.permanent


def send(url: str, action: Outgoing = ACTION, timeout: float = 10) -> None:
    channel = WebhookChannel(url, timeout=timeout)
    try:
        channel.send(action)
    finally:
        channel.close()


def refused(url: str, timeout: float = 10) -> SendError:
    with pytest.raises(SendError) as caught:
        send(url, timeout=timeout)
    return caught.value


def test_nobody_listening_is_worth_another_try() -> None:
    assert not refused("http://127.0.0.1:9/hook").permanent
