"""``lapse backup``: a copy of the store, taken while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Format, fail, line, of, out, print_json
from engine.cli.opening import settings_of
from engine.cli.options import FormatOption, StoreOption
from engine.cli.progress import followed
from engine.clock import WallClock, iso
from engine.store.backup import back_up
from engine.store.store import path_of


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE where it is there already.")] = False,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Copy the store to a file, while it is in use.

    \b
    lapse backup backups/monday.db
    lapse backup --force latest.db
    lapse backup backups/monday.db --format json

    The copy is of one moment, whatever is written meanwhile, and is checked before it gets its name: its
    pages, its references, its tables, and the number of rows in each. It is whole by itself: what
    a plain copy of a store in use lacks, its log, is in it. Only its owner may read it.
    'lapse restore' brings it back.
    """
    settings = settings_of(store)
    source = path_of(settings.store)
    if source is None:
        raise fail("a store in memory has no backup; name a file with --store")
    with followed() as progress:
        done = back_up(
            source,
            file.absolute(),
            WallClock().now(),
            replace=force,
            log_bytes=settings.backup_log_bytes,
            progress=progress,
        )
    if format is Format.JSON:
        print_json(done.plain())
        return
    line(out(), f"{file}: {done.bytes:,} bytes, as of {iso(done.at)}, checked")
    line(
        out(),
        f"{of(done.events, 'event')}, {of(done.people, 'person', 'people')}, {of(done.open_actions, 'action')} open",
    )
