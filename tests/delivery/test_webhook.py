"""Webhooks against a real receiver on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
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
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

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


@pytest.mark.parametrize(("status", "permanent"), [(500, False), (503, False), (429, False), (400, True), (410, True)])
def test_an_answer_that_is_no_success_is_an_error(receiver: Receiver, status: int, permanent: bool) -> None:
    receiver.status = status
    receiver.headers = {"retry-after": "7"}
    channel = WebhookChannel(receiver.url)
    with pytest.raises(SendError, match=str(status)) as caught:
        channel.send(ACTION)
    channel.close()
    assert caught.value.permanent is permanent
    assert caught.value.retry_after == 7


def test_nobody_listening_is_worth_another_try() -> None:
    channel = WebhookChannel("http://127.0.0.1:9/hook")
    with pytest.raises(SendError) as caught:
        channel.send(ACTION)
    channel.close()
    assert not caught.value.permanent
