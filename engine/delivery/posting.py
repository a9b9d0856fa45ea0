"""What channels over HTTP have in common: a POST to where the settings say, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping

from engine.clock import WallClock
from engine.delivery.answers import judge
from engine.delivery_settings import HttpSettings
from engine.extras import WEBHOOK, require


class Poster:
    """Posts to the URL of a channel, from several threads at once.

    Raises ConfigError without the ``webhook`` extra, and for a URL that can never be posted to.
    """

    def __init__(self, settings: HttpSettings) -> None:
        require(WEBHOOK)
        from engine.delivery.client import client_of

        self._client = client_of(settings)
        self._clock = WallClock()

    def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Returns when the receiver has taken it. Raises SendError when it has not."""
        judge(self._client.post(headers, body), self._clock.now())

    def close(self) -> None:
        self._client.close()
