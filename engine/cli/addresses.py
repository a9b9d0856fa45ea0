"""``lapse addresses``: those that take no mail any more."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.console import PROBLEMS, Format, err, line, out, print_json, say_older, table
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import AfterOption, FormatOption, StoreOption
from engine.cli.words import at
from engine.strict_json import shown

ADDRESS, REASON = 254, 200
"""Characters that are shown of what anybody may have reported."""

UNKNOWN = "(not known any more)"
"""What stands for an address that is kept as a digest and told by nobody's timeline."""

addresses = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@addresses.callback()
def list_addresses(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Addresses on a page.")] = 50,
    after: AfterOption = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show addresses that bounced for good and get no more mail, the latest first; let one go.

    \b
    lapse addresses
    lapse addresses --format json
    lapse addresses forget ann@example.com

    Only a digest of an address is kept. It is shown as long as the bounce stands on its person's timeline.
    """
    if context.invoked_subcommand is not None:
        return
    with opened_in(store, workspace) as engine:
        page = engine.unreachable(limit, after)
    if format is Format.JSON:
        print_json(page.plain())
        return
    if not page.items:
        line(out(), "no address is kept from its mail")
        return
    made = table("Address", "Channels", "Since (UTC)", "Why")
    for one in page.items:
        address = UNKNOWN if one.address is None else shown(one.address, ADDRESS)
        made.add_row(address, one.channel_type, at(one.since), shown(one.reason, REASON))
    out().print(made)
    say_older(page.after)


@addresses.command()
def forget(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address, in full.")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Let mail go to an address again, from the next action on.

    \b
    lapse addresses forget ann@example.com

    What was suppressed meanwhile stays so. Another hard bounce ends mail to the address again. Exits
    with 1 when the address is not kept from its mail.
    """
    with opened_in(store, workspace) as engine:
        forgotten = engine.forget_unreachable(address)
    if not forgotten:
        line(err(), f"'{shown(address, ADDRESS)}' is not kept from its mail; 'lapse addresses' shows those that are")
        raise typer.Exit(PROBLEMS)
    line(out(), f"mail goes to '{shown(address, ADDRESS)}' again")
