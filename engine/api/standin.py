"""What answers at the service's socket while its store cannot be opened: 503 to everybody, whatever they ask."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

RETRY_SECONDS: Final = 5
"""When a client may come again."""

PATIENCE: Final = 1.0
"""Seconds for a client to send the head of its request."""

HEAD_BYTES: Final = 65_536
"""Of a request that are read before it is answered."""

_BODY: Final = (
    b'{"error": {"code": "unavailable", "message": "the store cannot be opened; see the log of the service"}}'
)
_ANSWER: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Retry-After: %d\r\nContent-Length: %d\r\n\r\n%s"
) % (RETRY_SECONDS, len(_BODY), _BODY)


@contextmanager
def answering(listener: socket.socket) -> Iterator[None]:
    """Inside, everybody who connects is told to come again."""
    over = threading.Event()
    thread = threading.Thread(target=_answer, args=(listener, over), name="lapse-unavailable", daemon=True)
    before = listener.gettimeout()
    listener.settimeout(0.1)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        listener.settimeout(before)


def _answer(listener: socket.socket, over: threading.Event) -> None:
    while not over.is_set():
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.settimeout(PATIENCE)
                head = b""
                while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES and (part := client.recv(HEAD_BYTES)):
                    head += part
                client.sendall(_ANSWER)
