"""``lapse run``: the daemon of a store, for all its workspaces."""

from __future__ import annotations

import logging

from engine.cli.console import Format
from engine.cli.life import go_live, keep_still, refuse_functions, stopping, watch
from engine.cli.logs import log_to_stderr
from engine.cli.opening import settings_of
from engine.cli.options import FormatOption, MigrateOption, RulesOption, StoreOption
from engine.daemon import Daemon
from engine.runtime.workspaces import Workspaces

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

    Rule files that change are loaded again within two seconds of being written; with an error in
    them the rules that were live stay live, and where none was it does not start. --migrate is for
    the files as they are when it starts, which must have no error; journeys finish on their version
    afterwards. Actions go where lapse.toml sends them, else to the log. SIGTERM or Ctrl-C finishes
    what is under way and stops. Only one daemon works on a store; a second one is refused with exit
    code 2.
    """
    log_to_stderr(format)
    settings = settings_of(store, new=True)
    with Workspaces(settings) as workspaces, stopping() as stop:
        refuse_functions(settings)
        workspaces.check_channels()
        daemon = Daemon(workspaces)
        try:
            go_live(_log, workspaces, rules or [settings.rules], migrate=migrate)
            keep_still()
            daemon.start()
            watch(daemon, stop)
        finally:
            daemon.stop()
    _log.info("stopped")
