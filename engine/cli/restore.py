"""``lapse restore``: a copy becomes the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Format, line, of, out, print_json
from engine.cli.opening import settings_of
from engine.cli.options import FormatOption, StoreOption
from engine.cli.progress import followed
from engine.clock import WallClock, iso
from engine.store.restore import restore as bring_back


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy, as 'lapse backup' made it.", show_default=False)
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of the store that is there, which is kept beside it.")
    ] = False,
    incomplete: Annotated[
        bool,
        typer.Option("--incomplete", help="Take a copy of a store in use without its log: its last events are lost."),
    ] = False,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make the store from a copy, with all sending held.

    \b
    lapse restore backups/monday.db
    lapse restore --replace backups/monday.db
    lapse restore backups/monday.db --store sqlite:///other.db

    The copy is checked first, and nothing changes where it is not sound or the store is in use. What was
    to leave when the copy was taken may have left since and would leave again: so nothing leaves, in any
    workspace, until 'lapse resume --all'. Decisions go on.
    """
    settings = settings_of(store, new=True)
    with followed() as progress:
        done = bring_back(
            file, settings.store, WallClock().now(), replace=replace, incomplete=incomplete, progress=progress
        )
    if format is Format.JSON:
        print_json(done.plain())
        return
    when = "" if done.at is None else f", as of {iso(done.at)}"
    line(out(), f"{done.store} is restored from {file}{when}")
    if done.kept is not None:
        line(out(), f"the store that was there is kept as {done.kept}")
    verb = "was" if done.open_actions == 1 else "were"
    line(out(), f"{of(done.open_actions, 'action')} {verb} open then and may have left since")
    line(out(), "nothing leaves until 'lapse resume --all'; 'lapse deliveries' shows what waits")
