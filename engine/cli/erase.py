"""``lapse erase``: a person's end."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.console import Format, ask, line, of, out, print_json
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import FormatOption, StoreOption
from engine.cli.person import nobody


def erase(
    id: Annotated[str, typer.Argument(metavar="ID", help="Any id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to.")] = False,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Erase a person: all that is stored of them, for good.

    \b
    lapse person u123 --export u123.json
    lapse erase u123

    Events, attributes, ids, journeys and actions go; what rules did stays counted. Events that still
    come for the person are refused for as long as events may be late (max_event_age). Exits with 1 when
    nobody has this id.
    """
    with opened_in(store, workspace) as engine:
        if engine.find(id) is None:
            raise nobody(id)
        if not yes:
            ask(f"Erase all that is stored of '{id}', for good?")
        gone = engine.erase(id)
    if gone is None:
        raise nobody(id)
    if format is Format.JSON:
        print_json({"erased": gone})
        return
    on_the_wire = gone.pop("on_the_wire")
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in gone.items() if number)
    line(out(), f"'{id}' is erased: {told}")
    if on_the_wire:
        handed = of(on_the_wire, "action")
        line(out(), f"{handed} had been handed to a channel and may still arrive; nothing else leaves")
