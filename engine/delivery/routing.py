"""From settings to channels: which action goes which way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from engine.config import Settings
from engine.delivery.channels import Channel, Closing, LogChannel, PythonChannel
from engine.delivery.email import EmailChannel
from engine.delivery.lanes import Lane
from engine.delivery.slack import SlackChannel
from engine.delivery.webhook import WebhookChannel
from engine.delivery_settings import (
    AnyChannel,
    ChannelSettings,
    EmailSettings,
    LogSettings,
    PythonSettings,
    SlackSettings,
    WebhookSettings,
)
from engine.errors import ConfigError

LOG: Final = "log"
PYTHON: Final = "python"

UNBOUND: Final = (
    "[actions] in lapse.toml binds others and not this one; name its channel there, or a default, and start Lapse again"
)
"""Why an action waits that nothing binds, and what ends that."""


class Route(NamedTuple):
    """The way of an action: the channel's name, its kind, the channel itself, and the lane it sends in."""

    name: str
    kind: str
    channel: Channel
    lane: Lane

    @property
    def settings(self) -> ChannelSettings:
        return self.lane.settings


class Lanes:
    """The channels of the settings, each with its lane: made when first used, shared by all workspaces."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._made: dict[str, tuple[Channel, Lane]] = {}
        self._making = threading.Lock()

    def kind(self, name: str) -> str:
        """What kind of channel a name stands for."""
        return self._settings(name).type

    def of(self, name: str) -> tuple[Channel, Lane]:
        """The channel of a name. Raises ConfigError for one that cannot work."""
        with self._making:
            if name not in self._made:
                settings = self._settings(name)
                self._made[name] = _channel(settings), Lane(settings, prompt=settings.type == LOG)
            return self._made[name]

    def check(self) -> None:
        """Make all channels that actions are bound to. Raises ConfigError for one that cannot work."""
        actions = self.settings.actions
        for name in {*actions.bindings.values(), actions.default or LOG}:
            try:
                self.of(name)
            except ConfigError as error:
                raise ConfigError(f"the channel '{name}' cannot work: {error}") from None

    def _settings(self, name: str) -> AnyChannel:
        found = self.settings.channels.get(name)
        if found is None:
            found = PythonSettings(type="python") if name == PYTHON else LogSettings(type="log")
        return found

    def under_way(self) -> Counter[str]:
        """Count the sends that have not ended, by their channel's setting ``delivery``."""
        counts: Counter[str] = Counter()
        for _, lane in tuple(self._made.values()):
            counts[lane.settings.delivery] += lane.under_way
        return counts

    def cancel(self) -> None:
        """Begin no more sends, and return at once."""
        for _, lane in tuple(self._made.values()):
            lane.cancel()

    def close(self) -> None:
        """Wait for the sends that have begun, and let go of all connections."""
        with self._making:
            made, self._made = self._made, {}
        for _, lane in made.values():
            lane.close()
        for channel, _ in made.values():
            if isinstance(channel, Closing):
                channel.close()


class Routes:
    """The routes of one engine. Functions it knows come before what the settings say.

    With a ``fallback``, whatever else is carried by it, in the order in which it leaves: for replays and tests. It
    still counts as the channel that the settings name.
    """

    def __init__(
        self,
        lanes: Lanes,
        functions: Mapping[str, PythonChannel],
        fallback: Channel | None = None,
        unbound: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``unbound`` is told the name of an action that goes to the log because nothing is bound at all."""
        self._lanes = lanes
        self._unbound = unbound
        self._functions = functions
        self._fallback = fallback
        self._prompt = Lane(LogSettings(type="log"), prompt=True)
        self._found: dict[str, Route] = {}

    def of(self, action: str) -> Route:
        """The route of an action. Raises ConfigError for a channel that cannot work, and where there is none."""
        if action not in self._found:
            self._found[action] = self._route(action)
        return self._found[action]

    def forget(self) -> None:
        """Look again: another function was registered."""
        self._found = {}

    def _route(self, action: str) -> Route:
        actions = self._lanes.settings.actions
        bound = actions.channel_of(action)
        name = bound or LOG
        kind = self._lanes.kind(name)
        if action in self._functions:
            name = name if kind == PYTHON else PYTHON
            return Route(name, PYTHON, self._functions[action], self._lanes.of(name)[1])
        if self._fallback is not None:
            return Route(name, kind, self._fallback, self._prompt)
        if bound is None and actions.exhaustive:
            raise ConfigError(UNBOUND)
        if bound is None:
            self._unbound(action)
        if kind == PYTHON:
            raise ConfigError(f"the action '{action}' is bound to Python and no function is registered under that name")
        return Route(name, kind, *self._lanes.of(name))


def _channel(settings: AnyChannel) -> Channel:
    match settings:
        case WebhookSettings():
            return WebhookChannel(settings)
        case SlackSettings():
            return SlackChannel(settings)
        case EmailSettings():
            return EmailChannel(settings)
        case _:
            return LogChannel()
