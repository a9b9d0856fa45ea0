"""Options that several verbs share, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Format
from engine.errors import RefusedError
from engine.files.csv_rows import FIELDS
from engine.timestamps import parse_timestamp

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="The database, such as sqlite:///lapse.db (which it is unless set).",
        show_default=False,
    ),
]
RulesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="PATH",
        help="A rule file or a folder of them, several times if need be ('rules' unless set).",
        show_default=False,
    ),
]
MigrateOption = Annotated[
    bool,
    typer.Option(
        "--migrate", help="Move journeys that wait on older versions to the new ones, where their step is unchanged."
    ),
]
FormatOption = Annotated[
    Format, typer.Option("--format", help="text for people, json for programs.", show_default=True)
]
AfterOption = Annotated[
    str | None, typer.Option("--after", metavar="CURSOR", help="The next page: what the one before ended with.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Take a field from another column or key: --map timestamp=Date. Several times if need be.",
        show_default=False,
    ),
]

MAPPABLE = (*FIELDS, "properties")


def mapping_of(pairs: Sequence[str] | None) -> Mapping[str, str]:
    """``["timestamp=Date"]`` as a mapping from field to column."""
    found: dict[str, str] = {}
    for pair in pairs or ():
        field, equals, column = pair.partition("=")
        if not equals or not column or field not in MAPPABLE:
            fields = ", ".join(MAPPABLE)
            raise typer.BadParameter(f"'{pair}' is not FIELD=COLUMN with a FIELD of {fields}", param_hint="--map")
        found[field] = column
    return found


def moment_of(text: str | None, option: str) -> int | None:
    """A moment given on the command line, in microseconds UTC."""
    if text is None:
        return None
    try:
        return parse_timestamp(text)
    except RefusedError as error:
        raise typer.BadParameter(error.reason, param_hint=option) from None
