"""What others are handed and only this workspace reads: bytes masked under its secret, with a tag nobody else can make.

The tag is made from what is hidden, and the mask that hides it from the tag. So the same bytes always look the same,
others look nothing like them, and a change anywhere shows.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b, shake_256
from typing import Final

from engine.store import Connection, secrets

TAG: Final = 14
"""Bytes by which what is hidden is longer than what it hides."""


def pseudonym_key(connection: Connection, workspace: int) -> bytes:
    """Return what pseudonyms of people of a workspace are made with."""
    secret = secrets.secret(connection, workspace)
    return blake2b(b"pseudonym", key=secret, digest_size=32, person=b"mask").digest()


class Mask:
    """Hides and shows again for one use: what has another ``label``, or is of another workspace, is nothing here."""

    def __init__(self, connection: Connection, workspace: int, label: str) -> None:
        secret = secrets.secret(connection, workspace)
        self._key = blake2b(label.encode(), key=secret, digest_size=32, person=b"mask").digest()

    def hide(self, plain: bytes) -> bytes:
        """What may be handed out."""
        tag = self._tag(plain)
        return tag + self._masked(tag, plain)

    def show(self, hidden: bytes) -> bytes | None:
        """What was hidden; None for what was never made here."""
        tag = hidden[:TAG]
        plain = self._masked(tag, hidden[TAG:])
        return plain if hmac.compare_digest(tag, self._tag(plain)) else None

    def _tag(self, plain: bytes) -> bytes:
        return blake2b(plain, key=self._key, digest_size=TAG, person=b"tag").digest()

    def _masked(self, tag: bytes, text: bytes) -> bytes:
        mask = shake_256(self._key + tag).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, mask, strict=True))
