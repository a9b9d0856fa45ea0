"""From settings to channels: which action goes where."""

from __future__ import annotations

from collections.abc import Mapping

from engine.config import Binding, Settings
from engine.delivery.channels import Channel, LogChannel, PythonChannel
from engine.delivery.sender import Sender
from engine.delivery.webhook import WebhookChannel
from engine.errors import ConfigError


def channels_of(settings: Settings, functions: Mapping[str, PythonChannel], fallback: Channel | None = None) -> Sender:
    """A sender with the channels of the settings, or with ``fallback`` in place of all of them.

    Registered functions take precedence over both.
    """
    if fallback is not None:
        return Sender(functions, fallback)
    bound = {name: _channel(name, binding, functions) for name, binding in settings.actions.bindings.items()}
    default = _channel(settings.actions.default, settings.actions.fallback, functions)
    return Sender({**bound, **functions}, default)


def _channel(name: str, binding: Binding, functions: Mapping[str, PythonChannel]) -> Channel:
    if binding.channel == "webhook":
        return WebhookChannel(binding.url or "")
    if binding.channel == "python":
        if name not in functions:
            raise ConfigError(f"the action '{name}' is bound to Python and no function is registered under that name")
        return functions[name]
    return LogChannel()
