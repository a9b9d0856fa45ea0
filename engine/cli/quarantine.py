"""``lapse quarantine``: what trackers sent, and was refused without telling them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from engine.cli.console import PROBLEMS, Format, fail, line, of, out, print_json, say_older
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import AfterOption, FormatOption, StoreOption
from engine.cli.words import at
from engine.receipt import Rejection
from engine.runtime.engine import Engine
from engine.strict_json import shown

PAGE = 500

SHOWN = 160
"""Characters of an item in the list."""

quarantine = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="Ids of items, as 'lapse quarantine' shows them.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All there are.")]


@quarantine.callback()
def list_items(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Items on a page.")] = 50,
    after: AfterOption = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show refused items that are kept; try them again, or let them go.

    \b
    lapse quarantine
    lapse quarantine --format json
    lapse quarantine retry --all
    lapse quarantine drop qua_01HV8ZB8C3V5N6M7P8Q9R0S1T2

    A tracker that is told of a bad message sends its whole batch again. So it is not told, and the
    message is kept here with the reason.
    """
    if context.invoked_subcommand is not None:
        return
    with opened_in(store, workspace) as engine:
        page = engine.quarantined(limit, after)
    if format is Format.JSON:
        print_json(page.plain())
        return
    for one in page.items:
        line(out(), (one.id, "bold"), f"  {at(one.received_at)} UTC, {one.source}: {one.row.reason}")
        line(out(), ("  " + shown(json.dumps(one.item, ensure_ascii=False), SHOWN), "dim"))
    line(out(), f"{of(page.total, 'item')} in quarantine")
    say_older(page.after)


@quarantine.command()
def retry(
    ids: IdsArgument = None, every: AllOption = False, workspace: WorkspaceOption = None, store: StoreOption = None
) -> None:
    """Try items again, as of when they came: those that are good by now are stored.

    \b
    lapse quarantine retry --all
    lapse quarantine retry qua_01HV8ZB8C3V5N6M7P8Q9R0S1T2

    Exits with 1 when some are still refused.
    """
    with opened_in(store, workspace) as engine:
        outcomes = engine.reingest(_chosen(engine, ids, every))
    refused = {id: one for id, one in outcomes.items() if isinstance(one, Rejection)}
    line(out(), f"{of(len(outcomes) - len(refused), 'item')} stored, {len(refused):,} still refused")
    for id, one in refused.items():
        line(out(), f"{id}: {one.reason}")
    if refused:
        raise typer.Exit(PROBLEMS)


@quarantine.command()
def drop(
    ids: IdsArgument = None, every: AllOption = False, workspace: WorkspaceOption = None, store: StoreOption = None
) -> None:
    """Let items go, for good.

    \b
    lapse quarantine drop qua_01HV8ZB8C3V5N6M7P8Q9R0S1T2
    lapse quarantine drop --all
    """
    with opened_in(store, workspace) as engine:
        gone = engine.discard(_chosen(engine, ids, every))
    line(out(), f"{of(gone, 'item')} dropped")


def _chosen(engine: Engine, ids: list[str] | None, every: bool) -> list[str]:
    if bool(ids) == every:
        raise fail("name items by their ids, or say --all")
    return ids or list(_every(engine))


def _every(engine: Engine) -> Iterator[str]:
    """The ids of all items, the oldest first."""
    pages, after = [engine.quarantined(PAGE)], None
    while (after := pages[-1].after) is not None:
        pages.append(engine.quarantined(PAGE, after))
    return reversed([one.id for page in pages for one in page.items])
