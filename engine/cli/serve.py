"""``lapse serve``: the HTTP service, with the daemon beside it."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from engine.cli.console import Format, fail
from engine.cli.logs import log_to_stderr
from engine.cli.options import MigrateOption, RulesOption, StoreOption
from engine.cli.stopping import stopping
from engine.extras import SERVE, require

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
    Ctrl-C answers what is under way and stops, within the setting stop_after, 2 seconds unless set.
    With the daemon it is the one of its store, as 'lapse run' is.
    """
    if no_daemon and rules:
        raise fail("--no-daemon makes no rules live; give --rules to the 'lapse run' that does")
    require(SERVE)
    log_to_stderr(format)
    with stopping() as stop:
        from engine.cli.serving import serve_until_stopped  # so long that a signal may come meanwhile

        serve_until_stopped(stop, store, host, port, rules=None if no_daemon else rules or [], migrate=migrate)
    _log.info("stopped")
