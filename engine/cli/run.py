"""``lapse run``: the daemon on a folder of rules."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.cli.console import Format, of
from engine.cli.logs import log_to_stderr
from engine.cli.opening import load, moves_told, settings_of
from engine.cli.options import FormatOption, MigrateOption, RulesOption, StoreOption
from engine.config import Settings
from engine.daemon import Daemon
from engine.errors import ConfigError, LapseError
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import Found

LOOK_SECONDS = 1.0
"""How often to see whether the daemon is well."""

PATIENCE_SECONDS = 60.0
"""How long it may be unwell before the process ends, for whoever looks after it to start it anew."""

_log = logging.getLogger("lapse.run")


def run(
    store: StoreOption = None,
    rules: RulesOption = None,
    migrate: MigrateOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Decide and act by the clock until stopped.

    \b
    lapse run
    lapse run --rules rules/ --store sqlite:///lapse.db
    lapse run --format json

    Rule files that change are loaded again; one with errors changes nothing. --migrate is for the
    files as they are when it starts, journeys finish on their version afterwards. Actions go where
    lapse.toml sends them, else to the log. SIGTERM or Ctrl-C finishes what is under way and
    stops. Only one daemon works on a store; a second one is refused with exit code 2.
    """
    log_to_stderr(format)
    settings = settings_of(store)
    with Engine.open(settings=settings) as engine:
        _refuse_functions(settings)
        daemon = Daemon(engine)
        try:
            found = load(engine, rules or [settings.rules], migrate=migrate)
            with _stopping() as stop:
                _announce(engine, found)
                daemon.start()
                _watch(daemon, stop)
        finally:
            daemon.stop()
    _log.info("stopped")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _watch(daemon: Daemon, stop: threading.Event) -> None:
    """Wait for the end. Raises LapseError when the daemon has been unwell for too long."""
    well = time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        if daemon.healthy:
            well = time.monotonic()
        elif time.monotonic() - well > PATIENCE_SECONDS:
            raise LapseError("the daemon has failed for a minute and gives up; the log above says why")


def _announce(engine: Engine, found: Found) -> None:
    """Say what went live and what is doubtful about it."""
    for reading, one in found.findings:
        line = reading.source.place(one.span[0]).line
        _log.warning("%s:%s: %s", reading.source.name, line, one.message)
    for told in moves_told(engine):
        _log.info("%s", told)
    live = engine.live.rules
    _log.info("%s live from %s on %s", of(len(live), "rule"), of(len(found.readings), "file"), engine.store.url)


def _refuse_functions(settings: Settings) -> None:
    """Raises ConfigError for an action that only a program with its function in it could carry out."""
    bound = [name for name, one in settings.actions.bindings.items() if one.channel == "python"]
    if bound:
        advice = "run a Daemon inside the service that has the function, or bind it to 'log' or 'webhook'"
        raise ConfigError(f"the action '{bound[0]}' is bound to Python, and 'lapse run' has no functions; {advice}")
