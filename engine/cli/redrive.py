"""``lapse redrive``: what was given up is taken up again."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from engine.cli.console import PROBLEMS, Format, ask, fail, line, of, out, print_json
from engine.cli.deliveries import ChannelOption, RuleOption
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import FormatOption, StoreOption
from engine.runtime.redriving import missing


def redrive(  # noqa: PLR0913, PLR0917 - each is an option of the command
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY...", help="Keys of actions, as 'lapse deliveries' shows them.")
    ] = None,
    rule: RuleOption = None,
    channel: ChannelOption = None,
    every: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="dead or parked; dead unless given, several times for both."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, however many there are.")] = False,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Take actions up again that were given up: dead ones, and parked ones if you say so.

    \b
    lapse redrive act_63ea08ba844adb94b7e4aa6d32652686
    lapse redrive --channel crm --dry-run
    lapse redrive --rule abandoned-cart --state dead --state parked
    lapse redrive --all --yes --format json

    They are sent as the same bytes under the same keys, and tried for as long as new ones. Parked ones
    may have arrived already. What was suppressed, and what was an erased person's, never leaves.
    Exits with 1 when keys were named that are of nothing to take up.
    """
    if every == bool(keys or rule or channel):
        raise fail("name actions by their keys, a --rule or a --channel, or say --all")
    states = tuple(state or ("dead",))
    with opened_in(store, workspace) as engine:
        number = engine.redrivable(keys, rule=rule, channel=channel, states=states)
        if not dry_run:
            if number > 1 and not yes and sys.stdin.isatty():
                ask(f"Take up {number:,} actions again?")
            number = engine.redrive(keys, rule=rule, channel=channel, states=states)
    lacking = missing(keys, number)
    if format is Format.JSON:
        print_json({"redriven": number, "dry_run": dry_run, "missing": lacking})
    else:
        line(out(), f"{of(number, 'action')} {'would be ' if dry_run else ''}taken up again")
        if lacking:
            line(out(), f"{of(lacking, 'key')} of nothing that is {' or '.join(states)} and may leave")
    if lacking:
        raise typer.Exit(PROBLEMS)
