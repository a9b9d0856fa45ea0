"""What the verbs that run until they are stopped have in common."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from engine.cli.console import of
from engine.cli.opening import moves_told, refuse_errors, settings_of
from engine.cli.preconditions import check_daemon
from engine.cli.stopping import Stopping
from engine.daemon import Daemon
from engine.errors import LapseError, StoreUnavailable
from engine.runtime.workspaces import Workspaces

T = TypeVar("T")

_log = logging.getLogger("lapse.engine")

LOOK_SECONDS: Final = 1.0
"""How often to see whether the daemon is well."""

RETRY_SECONDS: Final = 5
"""How often a store whose disk is full is tried again at the start."""

PATIENCE_SECONDS: Final = 60.0
"""How long it may be unwell before the process ends, for whoever looks after it to start it anew."""


def run_until_stopped(stop: Stopping, store: str | None, rules: Sequence[Path] | None, *, migrate: bool) -> None:
    """Run the daemon of a store, for all its workspaces, until a request to stop."""
    settings = settings_of(store, new=True)
    stop.seconds = settings.stop_after.total_seconds()
    named = rules or [settings.rules]
    check_daemon(settings, named, migrate=migrate)
    with persevere(partial(Workspaces, settings)) as workspaces:
        stop.under_way = workspaces.under_way
        daemon = Daemon(workspaces)
        stop.on_request(daemon.halt)
        try:
            go_live(logging.getLogger("lapse.run"), workspaces, named, migrate=migrate)
            keep_still()
            stop.started()
            daemon.start()
            watch(daemon, stop.requested)
        finally:
            daemon.stop()


def persevere(work: Callable[[], T], wait: Callable[[float], object] = time.sleep) -> T:
    """Return what comes of some work that the store's full disk may keep from being done, once it is done."""
    while True:
        try:
            return work()
        except StoreUnavailable as error:
            if not error.is_of_disk:
                raise
            _log.error("%s; it is tried again every %d seconds", error, RETRY_SECONDS)
            wait(RETRY_SECONDS)


def keep_still() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again, a tenth of a decision's cost."""
    gc.collect()
    gc.freeze()


def watch(daemon: Daemon, stop: threading.Event) -> None:
    """Wait for the end. Raises LapseError when the daemon has been unwell for too long, but for want of disk."""
    well = time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        if daemon.healthy or daemon.lacks_disk:
            well = time.monotonic()
        elif time.monotonic() - well > PATIENCE_SECONDS:
            raise LapseError("the daemon has failed for a minute and gives up; the log above says why")


def go_live(log: logging.Logger, workspaces: Workspaces, rules: Sequence[Path] | None, *, migrate: bool) -> None:
    """Make the rules of all workspaces live and say what is wrong with them.

    Where a workspace's have an error, those that were live stay live. It stops where none was, and where journeys were
    to ``migrate``: then what was asked for cannot be done.
    """
    loaded = persevere(partial(workspaces.load, rules, migrate=migrate))
    for engine in workspaces.engines:
        if (found := loaded.get(engine.settings.workspace)) is None:
            continue
        if migrate or not engine.live.rules:
            refuse_errors(found)
        found.log_to(log)
        for told in moves_told(engine) if migrate else ():
            log.info("%s", told)
    live = sum(len(engine.live.rules) for engine in workspaces.engines)
    files = sum(len(found.readings) for found in loaded.values())
    read = all(found.ok and found.readings for found in loaded.values())
    whence = of(files, "file") if read or not live else "the store"
    log.info("%s live from %s on %s", of(live, "rule"), whence, workspaces.store.url)
