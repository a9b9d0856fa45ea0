"""From settings to channels: which action goes where."""

from __future__ import annotations

from collections.abc import Mapping

from engine.config import Settings
from engine.delivery.channels import Channel, LogChannel, PythonChannel
from engine.delivery.sender import Sender
from engine.delivery.webhook import WebhookChannel
from engine.delivery_settings import AnyChannel, WebhookSettings
from engine.errors import ConfigError


def channels_of(settings: Settings, functions: Mapping[str, PythonChannel], fallback: Channel | None = None) -> Sender:
    """A sender with the channels of the settings, or with ``fallback`` in place of all of them.

    Registered functions take precedence over both.
    """
    if fallback is not None:
        return Sender(functions, fallback)
    remote = {name: made for name, one in settings.channels.items() if (made := _remote(one)) is not None}
    bound = {action: _channel(action, name, functions, remote) for action, name in settings.actions.bindings.items()}
    default = settings.actions.default
    others = LogChannel() if default is None else _channel(default, default, functions, remote)
    return Sender({**bound, **functions}, others)


def _remote(settings: AnyChannel) -> Channel | None:
    return WebhookChannel(settings.address()) if isinstance(settings, WebhookSettings) else None


def _channel(action: str, name: str, functions: Mapping[str, PythonChannel], remote: Mapping[str, Channel]) -> Channel:
    if name in remote:
        return remote[name]
    if name == "python":
        if action not in functions:
            raise ConfigError(f"the action '{action}' is bound to Python and no function is registered under that name")
        return functions[action]
    return LogChannel()
