"""``lapse doctor``: is everything fit?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from engine.cli.console import PROBLEMS, Format, line, out, print_json
from engine.cli.opening import opened
from engine.cli.options import FormatOption, StoreOption
from engine.doctor import Diagnosis, examine

_WIDTH = 30
"""Of the names of facts: room for the longest."""

_KEPT_CLEAR_OF = (
    "yes; it may damage a file where a writer and a checkpoint meet, and Lapse keeps them apart: nothing to do"
)
"""What there is to know where SQLite has its WAL-reset bug: see :class:`engine.store.gate.Gate`."""


def doctor(
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the whole store, and compare all that has to agree.")
    ] = False,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Look whether everything is fit to run.

    \b
    lapse doctor
    lapse doctor --deep
    lapse doctor --format json

    The store and its settings, the clock, time zones, the daemon, what is due, what waits to be sent, and
    whether the channels can work that actions are bound to: their settings, their secrets and what has
    to be installed. Takes one event in and decides it, in memory. Changes nothing and connects to
    nothing. Exits with 1 when there is a problem.
    """
    with opened(store) as engine:
        found = examine(engine, deep=deep)
    if format is Format.JSON:
        print_json(found.plain())
    else:
        _print(found)
    if not found.ok:
        raise typer.Exit(PROBLEMS)


def _print(found: Diagnosis) -> None:
    console = out()
    for room, facts in found.facts.items():
        line(console, (room, "bold"))
        for name, value in _channels(facts) if room == "channels" else _flat(facts):
            line(console, (f"  {name.replace('_', ' '):<{_WIDTH}}", "dim"), _shown(name, value))
        if not facts:
            line(console, ("  empty", "dim"))
    line(console)
    for problem in found.problems:
        line(console, ("problem: ", "bold red"), problem)
    for warning in found.warnings:
        line(console, ("warning: ", "bold yellow"), warning)
    if found.ok:
        line(console, ("all is well", "green"))


def _channels(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A line for each channel."""
    verdicts = {True: "can work", False: "cannot work", None: "known to its program alone"}
    return [
        (name, f"{one['type']}, for {', '.join(one['actions'])}: {verdicts[one['works']]}")
        for name, one in facts.items()
    ]


def _flat(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Facts inside facts, named by both."""
    found: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found += [(f"{name} {one}", more) for one, more in _flat(value)]
        else:
            found.append((name, value))
    return found


def _shown(name: str, value: Any) -> str:
    if name == "wal_reset_bug" and value:
        return _KEPT_CLEAR_OF
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
