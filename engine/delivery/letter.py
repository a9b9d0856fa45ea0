"""A mail as bytes (RFC 5322), the same whenever it is made of the same action.

The headers are written here and not by the standard library, which reads encoded words in what it is given and so lets
a value bring line breaks along. The parts are left to it. All of it is 7-bit, so that no server on the way has a reason
to change a byte.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from itertools import chain
from typing import Final

from engine.clock import SECOND
from engine.delivery.addresses import Mailbox
from engine.delivery.channels import Message, Outgoing, SendError

_LINE: Final = 900
"""Characters a header may have as it is: lines end before 998."""

_WORD: Final = 45
"""Bytes in an encoded word, which has 75 characters at most."""

_POLICY: Final = SMTP.clone(cte_type="7bit")
_SAFE: Final = re.compile(r"[ -~]*", re.ASCII)
_SPACE: Final = re.compile(r"\s+")
_JOINERS: Final = "\u200c\u200d"
"""Characters without a width that scripts and emoji are written with."""


def letter(action: Outgoing, message: Message, sender: Mailbox, reply_to: Mailbox | None, recipient: str) -> bytes:
    """The whole mail, headers and parts, with CRLF at the end of each line. ``message`` has a text or HTML or both."""
    digest = hashlib.blake2b(action.key.encode(), digest_size=16).hexdigest()
    sent = datetime.datetime.fromtimestamp(action.moment // SECOND, datetime.UTC)
    headers = [
        ("From", _shown(sender)),
        *([("Reply-To", _shown(reply_to))] if reply_to is not None else []),
        ("To", recipient),
        ("Subject", _words(_subject(message.subject or ""))),
        ("Date", format_datetime(sent)),
        ("Message-ID", f"<{digest}@{sender.domain}>"),
        ("Auto-Submitted", "auto-generated"),
        ("Lapse-Key", _words(action.key)),
        ("Lapse-Rule", _words(_subject(action.rule))),
        *_unsubscribing(action),
        ("MIME-Version", "1.0"),
    ]
    return b"".join(chain((_line(name, value) for name, value in headers), [_parts(message, digest)]))


def _line(name: str, value: str) -> bytes:
    """A header's lines. Whatever a value was made from, a line break in it is only ever one of :func:`_words`."""
    if not all(_SAFE.fullmatch(one) for one in value.split("\r\n ")):
        raise SendError(f"the header {name} would hold more than plain text", permanent=True)
    return f"{name}: {value}\r\n".encode("ascii")


def _subject(text: str) -> str:
    """On one line: white space of any kind is a space, and characters that steer a terminal or a line are gone."""
    return "".join(one for one in _SPACE.sub(" ", text).strip() if one.isprintable() or one in _JOINERS)


def _words(text: str) -> str:
    """``text`` as it is where it is plain, else as encoded words (RFC 2047), a line each."""
    if _SAFE.fullmatch(text) and "=?" not in text and len(text) <= _LINE:
        return text
    pieces, piece = [], b""
    for one in text:
        letter = one.encode("utf-8", "replace")
        if len(piece) + len(letter) > _WORD:
            pieces.append(piece)
            piece = b""
        piece += letter
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in (*pieces, piece))


def _shown(mailbox: Mailbox) -> str:
    if not mailbox.name:
        return mailbox.address
    name = _words(mailbox.name)
    if name == mailbox.name:
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{mailbox.address}>"


def _unsubscribing(action: Outgoing) -> list[tuple[str, str]]:
    """How whoever gets it is rid of more with one click (RFC 8058)."""
    if action.unsubscribe_url is None or action.purpose == "transactional":
        return []
    return [
        ("List-Unsubscribe", f"<{action.unsubscribe_url}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]


def _parts(message: Message, digest: str) -> bytes:
    """The text, the HTML, or both as alternatives, with the headers that say which."""
    found = [(text, kind) for text, kind in ((message.text, "plain"), (message.html, "html")) if text is not None]
    if len(found) == 1:
        return _part(*found[0]).as_bytes()
    whole = EmailMessage(_POLICY)
    whole.make_alternative(boundary=f"=_{digest}")  # neither quoted-printable nor base64 can hold a `=_`
    for text, kind in found:
        whole.attach(_part(text, kind))
    return whole.as_bytes()


def _part(text: str, kind: str) -> EmailMessage:
    part = EmailMessage(_POLICY)
    readable = text.encode("utf-8", "replace").decode()
    part.set_content(readable, subtype=kind, cte="quoted-printable" if text.isascii() else None)
    del part["MIME-Version"]  # the mail as a whole says it
    return part
