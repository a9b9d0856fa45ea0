"""Signatures the way of Standard Webhooks (https://www.standardwebhooks.com), version 1: HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from engine.errors import ConfigError

PREFIX: Final = "whsec_"
LEAST: Final = 24
"""Bytes of a secret, as the standard asks for."""


def read_key(secret: str) -> bytes:
    """The key in a secret ``whsec_<base64>``. Raises ConfigError, which never quotes the secret."""
    if not secret.startswith(PREFIX):
        raise ConfigError(f"a secret for signatures begins with '{PREFIX}'")
    coded = secret.removeprefix(PREFIX).rstrip("=")
    try:
        key = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except ValueError:
        raise ConfigError(f"behind '{PREFIX}' stands base64, and this is none") from None
    if len(key) < LEAST:
        raise ConfigError(f"a secret for signatures has {LEAST} bytes or more, and this one has {len(key)}")
    return key


def signatures(keys: Sequence[bytes], id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: a signature with each key. ``timestamp`` is in seconds UTC."""
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
