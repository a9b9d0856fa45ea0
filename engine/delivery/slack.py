"""Incoming webhooks the way of Slack: a text, posted to a URL that is the secret."""

from __future__ import annotations

import json
from typing import Final

from engine.delivery.channels import Outgoing, Sealed
from engine.delivery.posting import Poster
from engine.delivery_settings import SlackSettings

LONGEST: Final = 40_000
"""Characters of a text; Slack cuts what is longer without an end one could see."""

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackChannel:
    """POSTs ``{"text": ...}``.

    Raises ConfigError for a URL that can never be posted to, or without the ``webhook`` extra.
    """

    def __init__(self, settings: SlackSettings) -> None:
        self._poster = Poster(settings)

    def seal(self, action: Outgoing) -> Sealed:
        """The text of the action's message, else its subject, else a line that says what the action is.

        A template is written in Slack's markup and goes as it is; the line is plain text.
        """
        text = _written(action) or str(action).translate(_ESCAPES)
        if len(text) > LONGEST:
            text = text[: LONGEST - 1] + "…"
        return Sealed(json.dumps({"text": text}).encode())

    def send(self, action: Outgoing) -> None:
        self._poster.post({"content-type": "application/json"}, (action.sealed or self.seal(action)).body)

    def close(self) -> None:
        self._poster.close()


def _written(action: Outgoing) -> str | None:
    """What the template wrote; Slack takes no message that is empty or white space."""
    message = action.message
    parts = () if message is None else (message.text, message.subject)
    return next((part for part in parts if part is not None and part.strip()), None)
