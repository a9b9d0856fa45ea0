"""``lapse run``: the daemon of a store, for all its workspaces."""

from __future__ import annotations

import logging

from engine.cli.console import Format
from engine.cli.logs import log_to_stderr
from engine.cli.options import FormatOption, MigrateOption, RulesOption, StoreOption
from engine.cli.stopping import stopping

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
    afterwards. Actions go where lapse.toml sends them, else to the log. SIGTERM or Ctrl-C stops it
    within the setting stop_after, 2 seconds unless set; what is due and not begun stays due. Only
    one daemon works on a store; a second one is refused with exit code 2.
    """
    log_to_stderr(format)
    with stopping() as stop:
        from engine.cli.life import run_until_stopped  # so long that a signal may come meanwhile

        run_until_stopped(stop, store, rules, migrate=migrate)
    _log.info("stopped")
