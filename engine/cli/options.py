"""Options that several verbs share, and what their values mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Format
from engine.errors import RefusedError
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
        help="Take a field from another column or path: --map timestamp=Date, --map user_id=customer.id.",
        show_default=False,
    ),
]

FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PRESET",
        help="How the file is laid out: a vendor's export, such as mixpanel or shopify, or a .toml file of your own.",
        show_default=False,
    ),
]


def pairs_of(pairs: Sequence[str] | None, option: str, value: str) -> Mapping[str, str]:
    """Return ``["timestamp=Date"]`` as a mapping from field to value."""
    mapping: dict[str, str] = {}
    for pair in pairs or ():
        field, equals, held = pair.partition("=")
        if not equals or not field or not held:
            raise typer.BadParameter(f"'{pair}' is not FIELD={value}", param_hint=option)
        mapping[field] = held
    return mapping


def moment_of(text: str | None, option: str) -> int | None:
    """A moment given on the command line, in microseconds UTC."""
    if text is None:
        return None
    try:
        return parse_timestamp(text)
    except RefusedError as error:
        raise typer.BadParameter(error.reason, param_hint=option) from None
