"""The HTTP service, from the settings to its end."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from engine.api.address import UntilKey, is_loopback
from engine.api.app import build
from engine.api.server import listening, server
from engine.api.standin import answering
from engine.cli.console import of
from engine.cli.life import go_live, keep_still, persevere, watch
from engine.cli.opening import settings_of
from engine.cli.preconditions import check_daemon
from engine.cli.stopping import Stopping
from engine.config import Serve, Settings
from engine.daemon import Daemon
from engine.errors import LapseError
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces

_log = logging.getLogger("lapse.serve")


def serve_until_stopped(
    stop: Stopping, store: str | None, host: str | None, port: int | None, *, rules: list[Path] | None, migrate: bool
) -> None:
    """Serve until a request to stop. ``rules`` are those named for the daemon beside it, None where none runs here."""
    settings = settings_of(store, new=True)
    stop.seconds = settings.stop_after.total_seconds()
    if rules is not None:
        check_daemon(settings, rules, migrate=migrate)
    wanted = host or settings.api.host
    with _bound(wanted, settings.api.port if port is None else port) as bound:
        _serve(settings, bound, wanted, stop, rules, migrate=migrate)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """The socket to listen at, bound before the store is opened: where that cannot be, nothing has changed."""
    with listening(host, port) as bound:
        yield bound


def _serve(
    settings: Settings, bound: socket.socket, wanted: str, stop: Stopping, rules: list[Path] | None, *, migrate: bool
) -> None:
    """Serve at a bound socket. ``rules`` are those named for the daemon, None where none runs here."""
    with answering(bound):
        opened = persevere(partial(Workspaces, settings))
    with opened as workspaces, _daemon(workspaces, rules is None) as daemon, ExitStack() as sockets:
        stop.under_way = workspaces.under_way
        until_key = _until_key(workspaces, wanted)
        at_metrics = [sockets.enter_context(one) for one in _for_metrics(settings.serve)]
        well = None if daemon is None else (lambda: daemon.healthy)
        serving = server(build(workspaces, daemon=well), settings.api, stop.seconds, until_key)
        if daemon is not None:
            stop.on_request(daemon.halt)
            if not rules and not settings.rules.exists():
                _log.warning("there are no rules at '%s'; name them with --rules", settings.rules)
            go_live(_log, workspaces, rules, migrate=migrate)
        keep_still()
        stop.started()
        if daemon is not None:
            daemon.start()
        shown = f"[{wanted}]" if ":" in wanted else wanted
        _log.info(
            "%s of %s at http://%s:%s", of(len(workspaces.rows), "workspace"), workspaces.store.url, shown,
            bound.getsockname()[1],
        )  # fmt: skip
        with _watched(daemon, serving, stop):
            serving.run(sockets=[bound, *at_metrics])


@contextmanager
def _daemon(workspaces: Workspaces, no_daemon: bool) -> Iterator[Daemon | None]:
    """The store's daemon, not yet started; stopped at the end."""
    if no_daemon:
        yield None
        return
    daemon = Daemon(workspaces)
    try:
        yield daemon
    finally:
        daemon.stop()


def _until_key(workspaces: Workspaces, wanted: str) -> UntilKey:
    """Who may connect: until there is a key, nobody else need reach us; from then on whoever can."""
    keyring = Keyring(workspaces.desk)
    admits = UntilKey(lambda: keyring.any_usable(workspaces.clock.now()), time.monotonic)
    if not is_loopback(wanted) and not keyring.any_usable(workspaces.clock.now()):
        _log.warning(
            "there is no key yet, so only this machine is answered; make one with 'lapse keys create', and without a "
            "restart everybody is"
        )
    return admits


def _for_metrics(settings: Serve) -> list[socket.socket]:
    """The socket that is for metrics alone, if there is to be one."""
    if settings.metrics_port is None:
        return []
    return [listening(settings.metrics_host, settings.metrics_port)]


@contextmanager
def _watched(daemon: Daemon | None, serving: uvicorn.Server, stop: Stopping) -> Iterator[None]:
    """Stop serving at a request, and once the daemon has been unwell for too long. Raises LapseError then."""
    over = threading.Event()
    stop.on_request(over.set)
    failures: list[LapseError] = []

    def look() -> None:
        try:
            if daemon is None:
                over.wait()
            else:
                watch(daemon, over)
        except LapseError as error:
            failures.append(error)
        serving.should_exit = True

    watcher = threading.Thread(target=look, name="lapse-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    for error in failures:
        raise error
