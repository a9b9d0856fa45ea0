"""What a command needs, looked at before it changes anything: no store is made and no rule goes live in vain."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from engine.cli.opening import check_rules
from engine.config import Settings
from engine.delivery.routing import PYTHON, Lanes
from engine.errors import ConfigError
from engine.store.store import refuse_second_daemon


def check_daemon(settings: Settings, rules: Sequence[Path] | None, *, migrate: bool) -> None:
    """Check what a daemon needs before its store is opened.

    Raises StoreLocked where the store has a daemon, ConfigError for channels that cannot work and rules that are not
    there, and Exit for rules with an error where the command could not start because of it.
    """
    refuse_second_daemon(settings.store)
    _refuse_functions(settings)
    with closing(Lanes(settings)) as lanes:
        lanes.check()
    check_rules(settings, rules, migrate=migrate)


def _refuse_functions(settings: Settings) -> None:
    """Raise ConfigError for an action that only a program with its function in it could carry out."""
    kinds = {name: one.type for name, one in settings.channels.items()}
    bound = [action for action, name in settings.actions.bindings.items() if kinds.get(name, name) == PYTHON]
    if bound:
        advice = "run a Daemon inside the service that has the function, or bind it to another channel"
        raise ConfigError(f"the action '{bound[0]}' is bound to Python, and this command has no functions; {advice}")
