"""``lapse workspaces``: the workspaces of a store."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.console import Format, line, out, print_json, table
from engine.cli.opening import settings_of
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at
from engine.clock import iso
from engine.runtime.workspaces import Workspaces, check_name

workspaces = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@workspaces.callback()
def _workspaces() -> None:
    """Make workspaces, and list them.

    Everything belongs to one workspace, and nothing of one shows in another. A workspace has its rules in the folder
    that lapse.toml names:

    \b
    [workspaces.acme]
    rules = "rules/acme"

    \b
    lapse workspaces create acme
    """


@workspaces.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, '.', '-' and '_'.")],
    store: StoreOption = None,
) -> None:
    """Make a workspace.

    \b
    lapse workspaces create acme
    """
    check_name(name)
    with Workspaces(settings_of(store, new=True)) as opened:
        opened.create(name)
    line(out(), f"the workspace '{name}' is there; give it keys with 'lapse keys create --workspace {name}'")


@workspaces.command("list")
def list_workspaces(store: StoreOption = None, format: FormatOption = Format.TEXT) -> None:
    """List all workspaces.

    \b
    lapse workspaces list
    """
    with Workspaces(settings_of(store)) as opened:
        rows = opened.rows
    if format is Format.JSON:
        print_json({"workspaces": [{"name": one.name, "created_at": iso(one.created_at)} for one in rows]})
        return
    made = table("Workspace", "Created (UTC)")
    for one in rows:
        made.add_row(one.name, at(one.created_at))
    out().print(made)
