"""Webhooks the way of Standard Webhooks: one POST of JSON for each action, its key as ``webhook-id``.

The bytes and the id are the same at every attempt; the timestamp, and with it the signature, is the attempt's.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Final

from engine.clock import SECOND, WallClock
from engine.delivery.channels import Outgoing, Sealed, SendError
from engine.delivery.posting import Poster
from engine.delivery.signing import read_key, signatures
from engine.delivery_settings import Secret, WebhookSettings
from engine.errors import ConfigError

_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,128}")
"""Ids that need no care: not in a header, and not in what is signed, where a dot ends them."""


class WebhookChannel:
    """POSTs to one URL, signed with each of its secrets.

    Raises ConfigError for a secret that is none, a URL that can never be posted to, or without the ``webhook`` extra.
    """

    def __init__(self, settings: WebhookSettings) -> None:
        self._keys = [_key(secret) for secret in settings.secrets]
        self._poster = Poster(settings)
        self._clock = WallClock()

    def seal(self, action: Outgoing) -> Sealed:
        """The action as JSON, with what its template made as ``message``."""
        body = action.body()
        if action.message is not None:
            body["message"] = asdict(action.message)
        return Sealed(json.dumps(body, separators=(",", ":"), sort_keys=True).encode())

    def send(self, action: Outgoing) -> None:
        body = (action.sealed or self.seal(action)).body
        self._poster.post({"content-type": "application/json", **self._marks(action.key, body)}, body)

    def _marks(self, key: str, body: bytes) -> dict[str, str]:
        """The headers of the standard."""
        if not _ID.fullmatch(key):
            raise SendError("the action's key is no id that a header can carry", permanent=True)
        timestamp = self._clock.now() // SECOND
        marks = {"webhook-id": key, "webhook-timestamp": str(timestamp)}
        if self._keys:
            marks["webhook-signature"] = signatures(self._keys, key, timestamp, body)
        return marks

    def close(self) -> None:
        self._poster.close()


def _key(secret: Secret) -> bytes:
    try:
        return read_key(secret.read())
    except ConfigError as error:
        raise ConfigError(f"{secret.env or secret.file}: {error}") from None
