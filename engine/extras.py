"""The parts of Lapse that the base install leaves out: what each needs, and the extra that installs it.

This table is the only one: commands, channels and ``lapse doctor`` all ask it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final, NamedTuple

from engine.errors import ConfigError


class Extra(NamedTuple):
    """An extra of ``pyproject.toml``: its name, the feature it is for, and the modules that feature imports."""

    name: str
    feature: str
    modules: tuple[str, ...]


SERVE: Final = Extra(
    "serve", "the HTTP service", ("fastapi", "httptools", "limits", "prometheus_client", "structlog", "uvicorn")
)
WEBHOOK: Final = Extra("webhook", "a channel that posts over HTTP", ("httpcore2",))

EXTRAS: Final = (SERVE, WEBHOOK)


def lacking(extra: Extra) -> str | None:
    """Return a sentence that names a missing module and the command that installs it; None if nothing is missing."""
    missing = next((module for module in extra.modules if find_spec(module) is None), None)
    if missing is None:
        return None
    return f"{extra.feature} needs '{missing}', which is not installed: pip install 'lapse[{extra.name}]'"


def reinstall(error: ImportError) -> str:
    """Return a sentence about a package of the base install that is missing."""
    return f"the package of '{error.name}', which Lapse needs, is not installed: pip install lapse"


def require(extra: Extra) -> None:
    """Raise ConfigError with that sentence if a module of the extra is missing."""
    if (reason := lacking(extra)) is not None:
        raise ConfigError(reason)
