"""A conversation with a mail server that ends in time, whatever the server does: also one that drips.

The protocol is the standard library's. What it lacks is a deadline for a whole conversation and a limit to what a
server may answer; both are here.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from typing import Any, Final

from engine.delivery_settings import EmailSettings
from engine.durations import in_micros

ANSWER_BYTES: Final = 64 * 1024
"""What a server may answer to one command."""

_CHUNK: Final = 16 * 1024
"""Bytes handed over at a time, so that the deadline is looked at in between."""


class Conversation(smtplib.SMTP):
    """A connection to the server of some settings: made, encrypted and logged in to by :meth:`begin`.

    Everything raises OSError, which ``smtplib.SMTPException`` is too, or ValueError where the server makes no sense.
    """

    def __init__(
        self, settings: EmailSettings, name: str, trust: ssl.SSLContext | None, login: tuple[str, str] | None
    ) -> None:
        """``name`` is what this side calls itself; ``trust`` says whose certificates are good, where that is asked."""
        super().__init__(local_hostname=name)
        self._host = settings.host  # whose certificate it has to be
        self._settings = settings
        self._trust = trust
        self._login = login
        self._heard_at = 0.0
        self.until = 0.0
        """When everything is to be over, by ``time.monotonic``."""

    @property
    def late(self) -> bool:
        """Whether it should be over."""
        return time.monotonic() >= self.until

    @property
    def idle(self) -> float:
        """For how many seconds nothing has been heard."""
        return time.monotonic() - self._heard_at

    def begin(self) -> None:
        """Connect, and say hello, privately and by name where the settings want that."""
        settings = self._settings
        self.sock = self._connected()
        self._accepted("the connection", self.getreply())
        self._hello()
        if settings.tls == "starttls":
            if not self.has_extn("starttls"):
                raise NoPrivacy("STARTTLS is not offered")
            self._limit()
            self.starttls(context=self._trust)
            self._hello()
        if self._login is not None:
            self.login(*self._login)

    def forget(self) -> None:
        """Begin anew, after a mail that was not taken."""
        self._accepted("RSET", self.rset())

    def end(self) -> None:
        """Let go of the connection, with a word if the server still listens."""
        try:
            self.quit()
        except (OSError, ValueError):
            self.close()

    # ------------------------------------------------------------------------------------------ the protocol

    def mail_from(self, sender: str, size: int) -> None:
        options = [f"size={size}"] if self.has_extn("size") else []
        self._accepted("MAIL", self.mail(sender, options))

    def rcpt_to(self, recipient: str) -> None:
        self._accepted("RCPT", self.rcpt(recipient))

    def begin_data(self) -> None:
        self._accepted("DATA", self.docmd("DATA"), 3)

    def content(self, body: bytes) -> None:
        """The mail, all but the line that ends it: until that comes, the server has none."""
        dotted = body.replace(b"\r\n.", b"\r\n..")
        self.send(b"." + dotted if dotted.startswith(b".") else dotted)

    def end_data(self) -> None:
        """The line that ends the mail. From here on the server may have it, whatever is heard of it."""
        self.send(b".\r\n")
        self._accepted("the mail", self.getreply())

    def _hello(self) -> None:
        self._accepted("EHLO", self.ehlo())

    def _accepted(self, said: str, reply: tuple[int, bytes], good: int = 2) -> None:
        code, text = reply
        if code // 100 != good:
            raise Refusal(said, code, text)

    # ------------------------------------------------------------------------------------------ in time

    def _connected(self) -> socket.socket:
        """A connection to any of the host's addresses that answers in time."""
        settings = self._settings
        last: OSError = OSError(f"{settings.host} has no address")
        until = min(self.until, time.monotonic() + in_micros(settings.connect_timeout) / 1_000_000)
        for family, kind, protocol, _, place in socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        ):
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(_left(until))
                made.connect(place)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a mail's last line waits
                if settings.tls != "tls" or self._trust is None:
                    return made
                self._limit(made)
                return self._trust.wrap_socket(made, server_hostname=settings.host)
            except OSError as error:
                made.close()
                last = error
        raise last

    def send(self, s: Any) -> None:
        """In pieces, so that a server that reads slowly cannot go on for ever."""
        data = s.encode("ascii") if isinstance(s, str) else s
        for start in range(0, len(data), _CHUNK):
            self._limit()
            super().send(data[start : start + _CHUNK])

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Lines(self)
        self.file.room = ANSWER_BYTES
        reply = super().getreply()
        self._heard_at = time.monotonic()
        return reply

    def receive(self) -> bytes:
        """What has come, waiting for it until the deadline."""
        self._limit()
        assert self.sock is not None
        return self.sock.recv(_CHUNK)

    def _limit(self, made: socket.socket | None = None) -> None:
        """Have whatever waits next wait no longer than the deadline. Raises TimeoutError once that is over."""
        found = made or self.sock
        if found is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        found.settimeout(_left(self.until))


class EndlessError(ValueError):
    """The server answers more than it may. No OSError: of those the standard library makes lost connections."""


class NoPrivacy(smtplib.SMTPException):
    """The server cannot do without others listening, and that was asked for."""


class Refusal(smtplib.SMTPResponseException):
    """What the server answered to something it does not do. ``said`` is what that was."""

    def __init__(self, said: str, code: int, text: bytes) -> None:
        super().__init__(code, text)
        self.said = said


class _Lines:
    """What a server says, line by line, as the standard library reads it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._held = b""
        self.room = ANSWER_BYTES
        """Bytes that it may still say until it is heard out."""

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._held and len(self._held) < limit:
            came = self._conversation.receive()
            if not came:
                break
            self._held += came
        place = self._held.find(b"\n") + 1 or len(self._held)
        line, self._held = self._held[: min(place, limit)], self._held[min(place, limit) :]
        self.room -= len(line)
        if self.room < 0:
            raise EndlessError("it does not stop talking")
        return line

    def close(self) -> None:
        """Nothing of its own is open."""


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left
