"""The HTTP service, from the settings to its end."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from engine.api.address import LOOPBACK, is_loopback
from engine.api.app import build
from engine.api.server import listening, server
from engine.cli.console import of
from engine.cli.life import go_live, keep_still, watch
from engine.cli.opening import settings_of
from engine.cli.preconditions import check_daemon
from engine.cli.stopping import Stopping
from engine.config import Settings
from engine.daemon import Daemon
from engine.errors import LapseError
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces
from engine.store.store import missing_file

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
    with _bound(settings, wanted, settings.api.port if port is None else port) as bound:
        _serve(settings, bound, wanted, stop, rules, migrate=migrate)


@contextmanager
def _bound(settings: Settings, host: str, port: int) -> Iterator[socket.socket]:
    """The socket to listen at, bound before the store is opened: where that cannot be, nothing has changed."""
    alone = not is_loopback(host) and missing_file(settings.store) is not None
    with listening(LOOPBACK if alone else host, port) as bound:
        yield bound


def _serve(
    settings: Settings, bound: socket.socket, wanted: str, stop: Stopping, rules: list[Path] | None, *, migrate: bool
) -> None:
    """Serve at a bound socket. ``rules`` are those named for the daemon, None where none runs here."""
    with Workspaces(settings) as workspaces, _daemon(workspaces, rules is None) as daemon, ExitStack() as sockets:
        stop.under_way = workspaces.under_way
        listener, address = _reachable(workspaces, bound, wanted, sockets)
        well = None if daemon is None else (lambda: daemon.healthy)
        serving = server(build(workspaces, daemon=well), settings.api, stop.seconds)
        if daemon is not None:
            stop.on_request(daemon.halt)
            if not rules and not settings.rules.exists():
                _log.warning("there are no rules at '%s'; name them with --rules", settings.rules)
            go_live(_log, workspaces, rules, migrate=migrate)
        keep_still()
        stop.started()
        if daemon is not None:
            daemon.start()
        shown = f"[{address}]" if ":" in address else address
        _log.info(
            "%s of %s at http://%s:%s", of(len(workspaces.rows), "workspace"), workspaces.store.url, shown,
            listener.getsockname()[1],
        )  # fmt: skip
        with _watched(daemon, serving, stop):
            serving.run(sockets=[listener])


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


def _reachable(
    workspaces: Workspaces, bound: socket.socket, wanted: str, sockets: ExitStack
) -> tuple[socket.socket, str]:
    """Return the socket to serve at, and its address: until there is a key, nobody else need reach us."""
    if is_loopback(wanted) or Keyring(workspaces.desk).any_usable(workspaces.clock.now()):
        return bound, wanted
    _log.warning("there is no key yet, so only this machine is listened to; make one with 'lapse keys create'")
    host, port, *_ = bound.getsockname()
    if is_loopback(host):
        return bound, LOOPBACK
    bound.close()
    return sockets.enter_context(listening(LOOPBACK, port)), LOOPBACK


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
