"""``lapse person``: one person's ids, attributes, timeline and journeys."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from engine.cli.console import PROBLEMS, Format, err, line, out, print_json, table
from engine.cli.opening import opened
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at, pairs, reason, shown
from engine.runtime.sight import JourneyView, PersonView


def person(
    id: Annotated[str, typer.Argument(metavar="ID", help="A user id, else an anonymous id, else a contact.")],
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show one person.

    \b
    lapse person u123
    lapse person u123 --format json

    Ids, attributes, the timeline and the journeys. Exits with 1 when nobody has this id.
    """
    with opened(store) as engine:
        found = engine.person(id)
    if found is None:
        line(err(), f"nobody has the id '{id}'")
        raise typer.Exit(PROBLEMS)
    if format is Format.JSON:
        print_json(found.plain())
    else:
        _print(out(), found)


def _print(console: Console, found: PersonView) -> None:
    for kind, value in found.identifiers:
        line(console, (f"{kind} ", "dim"), (value, "bold"))
    for name, value in sorted(found.attributes.items()):
        line(console, (f"  {name} = ", "dim"), shown(value))
    _print_timeline(console, found)
    _print_journeys(console, found)


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
        made.add_row(one.rule, at(one.start), _actions(one), _state(one))
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
