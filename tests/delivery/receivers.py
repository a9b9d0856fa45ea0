"""Receivers of webhooks that do what they are told to, over real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

Play = Callable[[socket.socket, threading.Event], object]
"""What a receiver does with a connection; the event is set when the test is over."""

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Receiver:
    """Plays the same with every connection, each in a thread of its own, and counts them."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None = None) -> None:
        self._play = play
        self._tls = tls
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._begin(self._accept)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._server.accept()
            if self._over.is_set():
                connection.close()
                return
            self.connections += 1
            self._begin(lambda connection=connection: self._serve(connection))

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._play(connection, self._over)
        connection.close()

    def close(self) -> None:
        self._over.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes who accepts
        for thread in self._threads:
            thread.join(60)
        self._server.close()


@contextlib.contextmanager
def receiving(play: Play, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(play, tls)
    try:
        yield receiver
    finally:
        receiver.close()


def request(connection: socket.socket) -> bytes:
    """The next request, head and body; empty at the end of the connection."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def answering(*answers: bytes) -> Play:
    """One answer after the other on each connection, the last one for all that follow."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        left = list(answers)
        while request(connection):
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return play


def then_hangs(said: bytes) -> Play:
    """Takes a request, says something and nothing more."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(said)
        over.wait()

    return play


def then_drips(said: bytes, drop: bytes) -> Play:
    """Takes a request, says something and then adds a little for ever."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(said)
        while not over.wait(0.01):
            connection.sendall(drop)

    return play


def then_pours(said: bytes, flood: bytes, times: int | None = None) -> Play:
    """Takes a request, says something and then as much more as is taken."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(said)
        poured = 0
        while not over.is_set() and poured != times:
            connection.sendall(flood)
            poured += 1

    return play


def then_cuts(said: bytes) -> Play:
    """Takes a request, says something and is gone, without a farewell."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        request(connection)
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)

    return play


def resets(connection: socket.socket, over: threading.Event) -> None:
    """Takes a request and tears the connection down."""
    request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def never_reads(connection: socket.socket, over: threading.Event) -> None:
    """Reads nothing of what is sent."""
    over.wait()


def sips(connection: socket.socket, over: threading.Event) -> None:
    """Reads what is sent a little at a time."""
    while not over.wait(0.005) and connection.recv(4_096):
        pass
