"""``lapse events``: what came in, newest first, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from engine.cli.console import Format, line, number, out, print_json, say_older, table
from engine.cli.opening import opened
from engine.cli.options import AfterOption, FormatOption, StoreOption, moment_of
from engine.cli.words import at, pairs
from engine.runtime.browsing import EventCount, EventPage


class Per(StrEnum):
    """Lengths of time that events are counted in."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


def events(
    person: Annotated[
        str | None, typer.Argument(metavar="PERSON", help="A user id, anonymous id or contact; everybody unless given.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="NAME", help="Only events of this name; several times if need be."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From this moment on: 2026-03-01T12:00:00Z.", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this moment.", show_default=False)] = None,
    counts: Annotated[
        Per | None, typer.Option("--counts", help="Count by name instead, per hour, day or week.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Events on a page.")] = 50,
    after: AfterOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show events, newest first, or how often each came about.

    \b
    lapse events
    lapse events u123 --event cart_updated --event purchase_completed
    lapse events --counts day --since 2026-03-01T00:00:00Z
    lapse events --format json
    """
    if counts is not None and person is not None:
        raise typer.BadParameter("events are counted for everybody; leave the person out", param_hint="--counts")
    begin, end = moment_of(since, "--since"), moment_of(until, "--until")
    with opened(store) as engine:
        if counts is None:
            page = engine.events(person, names=event, since=begin, until=end, limit=limit, after=after)
            _show_page(page, format)
        else:
            found = engine.event_counts(counts.value, names=event, since=begin, until=end)
            _show_counts(found, format)


def _show_page(page: EventPage, format: Format) -> None:
    if format is Format.JSON:
        print_json(page.plain())
        return
    console = out()
    if not page.events:
        line(console, "no events")
        return
    made = table("Time (UTC)", "Person", "Event", "Properties")
    for one in page.events:
        made.add_row(at(one.at), one.person, one.event, pairs(one.properties))
    console.print(made)
    say_older(page.after)


def _show_counts(found: Sequence[EventCount], format: Format) -> None:
    if format is Format.JSON:
        print_json({"counts": [one.plain() for one in found]})
        return
    made = table("From (UTC)", "Event", "Times", right=("Times",))
    for one in found:
        made.add_row(at(one.start), one.event, number(one.times))
    out().print(made)
