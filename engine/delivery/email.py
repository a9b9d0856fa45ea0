"""Mail over SMTP: each action is one mail to one address, made once and sent as the same bytes at every attempt."""

from __future__ import annotations

import os
import re
import smtplib
import ssl
import time
from collections import deque
from typing import Final

from engine.delivery.addresses import Mailbox, mailbox, recipient
from engine.delivery.channels import Message, Outgoing, Sealed, SendError
from engine.delivery.letter import letter
from engine.delivery.smtp import Conversation, NoPrivacy, Refusal
from engine.delivery.trust import trusted
from engine.delivery_settings import EmailSettings
from engine.durations import in_micros
from engine.errors import ConfigError

IDLE_SECONDS: Final = 30.0
"""A connection that was silent for so long is made anew: the server, or what lies between, may have dropped it."""

PARTING_SECONDS: Final = 1.0
"""What a server is given to say good-bye."""

_ENHANCED: Final = re.compile(r"[45]\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)
_SENDER_S: Final = frozenset({"7", "8"})
"""Details of 5.1.x that are about who sends."""

_NO_MAILBOX: Final = frozenset({550, 551, 553})
_TOO_LARGE: Final = 552
_LOGIN_FIRST: Final = frozenset({530, 534, 535, 538})
_CLOSING: Final = 421
_SHOWN: Final = 200


class EmailChannel:
    """Sends over connections that are kept as long as there is something to send. Safe to use from any thread."""

    def __init__(self, settings: EmailSettings) -> None:
        """Raises ConfigError for an address that is none, a password that is missing, and certificates to trust that
        cannot be read.
        """
        self._settings = settings
        self._sender = _mailbox("from", settings.sender)
        self._reply_to = None if settings.reply_to is None else _mailbox("reply_to", settings.reply_to)
        self._login = _login(settings)
        self._trust = None if settings.tls == "none" else trusted(_authorities)
        self._seconds = in_micros(settings.timeout) / 1_000_000
        self._idle: deque[Conversation] = deque()
        self._closed = False

    def seal(self, action: Outgoing) -> Sealed:
        to, message = checked(action)
        return Sealed(letter(action, message, self._sender, self._reply_to, to), to)

    def send(self, action: Outgoing) -> None:
        """Raises SendError. A server that cannot be reached or logged in to costs no action: all are tried again."""
        sealed = action.sealed
        if sealed is None or sealed.recipient is None:
            raise SendError("the mail was never made", permanent=True)
        until = time.monotonic() + self._seconds
        while (used := self._used()) is not None:
            used.until = until
            if self._over(used, sealed.body, sealed.recipient, used=True):
                return
        fresh = Conversation(self._settings, self._sender.domain, self._trust, self._login)
        fresh.until = until
        self._over(fresh, sealed.body, sealed.recipient, used=False)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            _part(self._idle.pop())

    # ------------------------------------------------------------------------------------------ connections

    def _used(self) -> Conversation | None:
        """A connection that is not in use, the latest first."""
        while True:
            try:
                found = self._idle.pop()
            except IndexError:
                return None
            if found.idle < IDLE_SECONDS:
                return found
            _part(found)

    def _keep(self, conversation: Conversation) -> None:
        self._idle.append(conversation)
        if self._closed:
            self.close()

    def _over(self, conversation: Conversation, body: bytes, recipient: str, *, used: bool) -> bool:
        """Send over a connection. False when it was ``used`` before, and dropped since. Raises SendError."""
        ending = False
        try:
            if not used:
                conversation.begin()
            conversation.mail_from(self._sender.address, len(body))
            conversation.rcpt_to(recipient)
            conversation.begin_data()
            conversation.content(body)
            ending = True
            conversation.end_data()
        except (OSError, ValueError) as error:
            dropped = _dropped(error) and not conversation.late
            self._after(conversation, error)
            if used and dropped and not ending:
                return False
            raise self._failed(conversation, error, ending) from error
        self._keep(conversation)
        return True

    def _after(self, conversation: Conversation, error: Exception) -> None:
        """What goes on after a failure: the connection, where the server only refused one mail."""
        if isinstance(error, Refusal) and error.said in ("MAIL", "RCPT", "the mail") and not _dropped(error):
            try:
                conversation.forget()
            except (OSError, ValueError):
                conversation.close()
            else:
                self._keep(conversation)
        else:
            conversation.close()

    # ------------------------------------------------------------------------------------------ what went wrong

    def _failed(self, conversation: Conversation, error: Exception, ending: bool) -> SendError:
        """What to tell of it, and whether to try again. From ``ending`` on the server may have the mail."""
        host = self._settings.host
        if isinstance(error, Refusal) and error.smtp_code // 100 in (4, 5):
            return _refused(host, error)
        if conversation.late:
            return SendError(f"{host} did not answer within {self._seconds:g} seconds", unknown=ending)
        match error:
            case smtplib.SMTPAuthenticationError():
                reason = f"{host} does not take the login: {_words(error)}"
            case NoPrivacy():
                reason = f"{host} offers no STARTTLS, and nothing is sent in the clear; see the channel's 'tls'"
            case ssl.SSLCertVerificationError():
                reason = f"the certificate of {host} is not good: {error.verify_message}"
            case ssl.SSLError():
                reason = f"no private connection to {host}: {error.reason or error}"
            case smtplib.SMTPResponseException():
                reason = f"{host} answered what it should not: {_words(error)}"
            case TimeoutError():
                reason = f"{host} could not be reached in time"
            case smtplib.SMTPServerDisconnected():
                reason = f"{host} closed the connection"
            case _:
                reason = f"{host}: {error}"
        return SendError(reason, unknown=ending)


def _mailbox(setting: str, text: str) -> Mailbox:
    try:
        return mailbox(text)
    except ValueError as error:
        raise ConfigError(f"'{setting}' of a channel for mail {error}") from None


def _authorities() -> ssl.SSLContext:
    """The system's, or those in ``SSL_CERT_FILE``. Raises OSError for such a file that cannot be read.

    By itself a context passes over it, and then trusts nobody.
    """
    context = ssl.create_default_context()
    if file := os.environ.get("SSL_CERT_FILE"):
        context.load_verify_locations(file)
    return context


def _login(settings: EmailSettings) -> tuple[str, str] | None:
    if settings.username is None or settings.password is None:
        return None
    login = settings.username, settings.password.read()
    if not all(one.isascii() for one in login):
        raise ConfigError("a login to a mail server has letters beyond ASCII, which SMTP does not have")
    return login


def checked(action: Outgoing) -> tuple[str, Message]:
    """The address of a mail and what is in it. Raises a permanent SendError where one of them is missing or no good."""
    return _recipient(action), _message(action)


def _recipient(action: Outgoing) -> str:
    """The one address the mail goes to. Raises SendError."""
    try:
        return recipient(action.variables)
    except ValueError as error:
        raise SendError(str(error), permanent=True) from None


def _message(action: Outgoing) -> Message:
    """What its template made, blank parts left out. Raises SendError where nothing is left."""
    if action.template is None:
        raise SendError(f"mail needs a template: write '{action.action} \"NAME\"' in the rule", permanent=True)
    made = action.message or Message()
    message = Message(made.subject, _filled(made.text), _filled(made.html))
    if message.text is None and message.html is None:
        files = f"templates/{action.template}.html, templates/{action.template}.txt or both"
        raise SendError(f"the template '{action.template}' makes no mail: write {files}", permanent=True)
    return message


def _filled(text: str | None) -> str | None:
    return text if text is not None and text.strip() else None


def _part(conversation: Conversation) -> None:
    conversation.until = time.monotonic() + PARTING_SECONDS
    conversation.end()


def _dropped(error: Exception) -> bool:
    """Whether the server wants no more of this connection."""
    if isinstance(error, Refusal):
        return error.smtp_code == _CLOSING
    return isinstance(error, smtplib.SMTPServerDisconnected) or not isinstance(error, smtplib.SMTPException)


def _refused(host: str, error: Refusal) -> SendError:
    """What a server refuses for now is tried again; so is what is no fault of the mail's, such as who sends it."""
    code, said = error.smtp_code, error.said
    reason = f"{host} refused {said}: {_words(error)}"
    about_it = said in ("RCPT", "DATA", "the mail") or code == _TOO_LARGE
    final = code // 100 == 5 and about_it and code not in _LOGIN_FIRST
    return SendError(reason, permanent=final, bounced=final and _bounced(error))


def _bounced(error: Refusal) -> bool:
    """Whether the address is to blame, for good. Without an enhanced status (RFC 3463) only the recipient's refusal
    tells, for a refused mail may be the mail's fault."""
    enhanced = _ENHANCED.match(_text(error))
    if enhanced is not None:
        return error.said in ("RCPT", "the mail") and enhanced[1] == "1" and enhanced[2] not in _SENDER_S
    return error.said == "RCPT" and error.smtp_code in _NO_MAILBOX


def _words(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error)}"[:_SHOWN].strip()


def _text(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return "".join(one if one.isprintable() else " " for one in text)
