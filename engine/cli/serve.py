"""``lapse serve``: the HTTP service, with the daemon beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import Format, fail, of
from engine.cli.life import go_live, keep_still, refuse_functions, stopping, watch
from engine.cli.logs import log_to_stderr
from engine.cli.opening import settings_of
from engine.cli.options import MigrateOption, RulesOption, StoreOption
from engine.daemon import Daemon
from engine.errors import LapseError
from engine.extras import SERVE, require
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces

if TYPE_CHECKING:
    import uvicorn

_log = logging.getLogger("lapse.serve")


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Where to listen (127.0.0.1 unless set).", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", min=0, max=65_535, help="8080 unless set.", show_default=False),
    ] = None,
    no_daemon: Annotated[
        bool, typer.Option("--no-daemon", help="Take events in, and let a 'lapse run' elsewhere decide what is due.")
    ] = False,
    store: StoreOption = None,
    rules: RulesOption = None,
    migrate: MigrateOption = False,
    format: Annotated[Format, typer.Option("--format", help="The log's: text for people, json for programs.")] = (
        Format.JSON
    ),
) -> None:
    """Serve the HTTP APIs, and decide and act by the clock, until stopped.

    \b
    lapse keys create --role owner
    lapse serve
    lapse serve --host 0.0.0.0 --port 8080
    lapse serve --no-daemon

    Every request needs a key. Until there is one, only this machine is listened to. SIGTERM or
    Ctrl-C answers what is under way and stops. With the daemon it is the one of its store, as
    'lapse run' is.
    """
    if no_daemon and rules:
        raise fail("--no-daemon makes no rules live; give --rules to the 'lapse run' that does")
    require(SERVE)
    log_to_stderr(format)
    settings = settings_of(store, new=True)
    with Workspaces(settings) as workspaces, stopping(), _daemon(workspaces, no_daemon) as daemon:
        if daemon is not None:
            refuse_functions(settings)
            workspaces.check_channels()
            if not rules and not settings.rules.exists():
                _log.warning("there are no rules at '%s'; name them with --rules", settings.rules)
            go_live(_log, workspaces, rules, migrate=migrate)
        keep_still()
        address = _address(workspaces, host or settings.api.host)
        _serve(workspaces, daemon, address, settings.api.port if port is None else port)
    _log.info("stopped")


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


def _address(workspaces: Workspaces, wanted: str) -> str:
    """Where to listen: until there is a key, nobody else need reach us."""
    from engine.api.address import LOOPBACK, is_loopback

    if is_loopback(wanted) or Keyring(workspaces.desk).any_usable(workspaces.clock.now()):
        return wanted
    _log.warning("there is no key yet, so only this machine is listened to; make one with 'lapse keys create'")
    return LOOPBACK


def _serve(workspaces: Workspaces, daemon: Daemon | None, address: str, port: int) -> None:
    from engine.api.app import build
    from engine.api.server import listening, server

    well = None if daemon is None else (lambda: daemon.healthy)
    serving = server(build(workspaces, daemon=well), workspaces.settings.api)
    with listening(address, port) as socket:
        if daemon is not None:
            daemon.start()
        shown = f"[{address}]" if ":" in address else address
        _log.info(
            "%s of %s at http://%s:%s", of(len(workspaces.rows), "workspace"), workspaces.store.url, shown,
            socket.getsockname()[1],
        )  # fmt: skip
        with _watched(daemon, serving):
            serving.run(sockets=[socket])


@contextmanager
def _watched(daemon: Daemon | None, serving: uvicorn.Server) -> Iterator[None]:
    """Stop serving once the daemon has been unwell for too long. Raises LapseError then."""
    over = threading.Event()
    failures: list[LapseError] = []

    def look() -> None:
        try:
            if daemon is not None:
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
