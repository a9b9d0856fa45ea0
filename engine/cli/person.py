"""``lapse person``: one person's ids, attributes, timeline and journeys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from engine.cli.console import PROBLEMS, Format, err, fail, line, out, print_json, table
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at, pairs, reason, shown
from engine.runtime.sight import JourneyView, PersonView


def person(
    id: Annotated[str, typer.Argument(metavar="ID", help="A user id, else an anonymous id, else a contact.")],
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all that is stored of the person to a file, as JSON."),
    ] = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show one person.

    \b
    lapse person u123
    lapse person u123 --format json
    lapse person u123 --export u123.json

    Ids, attributes, the timeline and the journeys. Exits with 1 when nobody has this id.
    """
    with opened_in(store, workspace) as engine:
        if export is not None:
            _export(engine.export(id), id, export)
            return
        found = engine.person(id)
    if found is None:
        raise nobody(id)
    if format is Format.JSON:
        print_json(found.plain())
    else:
        _print(out(), found)


def nobody(id: str) -> typer.Exit:
    """Say that an id is nobody's; raise what this returns."""
    line(err(), f"nobody has the id '{id}'")
    return typer.Exit(PROBLEMS)


def _export(found: dict[str, Any] | None, id: str, file: Path) -> None:
    if found is None:
        raise nobody(id)
    try:
        file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", errors="replace")
    except OSError as error:
        raise fail(f"'{file}' cannot be written: {error.strerror}") from None
    line(out(), f"all that is stored of '{id}' is in {file}")


def _print(console: Console, found: PersonView) -> None:
    for kind, value in found.identifiers:
        line(console, (f"{kind} ", "dim"), (value, "bold"))
    for name, value in sorted(found.attributes.items()):
        line(console, (f"  {name} = ", "dim"), shown(value))
    _print_timeline(console, found)
    _print_journeys(console, found)
    for one in found.unstarted:
        line(console, ("  no journey: ", "yellow"), one.sentence)


def _print_timeline(console: Console, found: PersonView) -> None:
    made = table("Timeline (UTC)", "Event", "Properties")
    for when, name, values in found.timeline:
        made.add_row(at(when), name or "(attributes)", pairs(values))
    console.print()
    console.print(made)


def _print_journeys(console: Console, found: PersonView) -> None:
    console.print()
    if not found.journeys:
        line(console, "no journeys")
        return
    made = table("Journey", "Started (UTC)", "Actions", "State")
    for one in found.journeys:
        made.add_row(
            Text.assemble(one.rule, (" (removed)" if one.removed else "", "dim")),
            at(one.start),
            _actions(one),
            _state(one),
        )
    console.print(made)


def _actions(one: JourneyView) -> str:
    return "\n".join(f"{name} {at(when)} {status}" for name, when, status in one.actions)


def _state(one: JourneyView) -> str:
    held = " (holdout)" if one.held_out else ""
    if one.ended_at is None:
        until = f" until {at(one.due_at)}" if one.due_at is not None else ""
        return f"waiting{until}{held}"
    why = "finished" if one.reason == "finished" and one.actions else reason(one.reason)
    goal = f", goal reached {at(one.goal_at)}" if one.goal_at is not None else ""
    return f"ended {at(one.ended_at)}: {why}{goal}{held}"
