"""Plain webhooks: one POST of JSON for each action, its key as ``webhook-id``."""

from __future__ import annotations

import json

from engine.delivery.channels import Outgoing, SendError
from engine.errors import ConfigError

try:
    import httpx2
except ImportError:  # the extra is not installed
    httpx2 = None  # type: ignore[assignment]

GONE = 410
TOO_MANY = 429


class WebhookChannel:
    """POSTs to one URL. Any 2xx is taken for received; 4xx but 408, 409, 425 and 429 are final."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        """``timeout`` in seconds bounds connecting and each read. Raises ConfigError without the ``webhook`` extra."""
        if httpx2 is None:
            raise ConfigError("a webhook needs an HTTP client; install it with: pip install 'lapse[webhook]'")
        self._url = url
        self._client = httpx2.Client(timeout=timeout, follow_redirects=False)

    def send(self, action: Outgoing) -> None:
        body = json.dumps(action.body(), separators=(",", ":"), sort_keys=True).encode()
        headers = {"content-type": "application/json", "webhook-id": action.key}
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise SendError(f"{type(error).__name__}: {error}") from error
        if answer.is_success:
            return
        final = 400 <= answer.status_code < 500 and answer.status_code not in (408, 409, 425, TOO_MANY)
        raise SendError(
            f"the receiver answered {answer.status_code}",
            permanent=final,
            retry_after=_seconds(answer.headers.get("retry-after")),
        )

    def close(self) -> None:
        self._client.close()


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
