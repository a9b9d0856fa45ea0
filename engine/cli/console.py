"""Where text goes and how it looks: two consoles, exit codes, JSON, and the phrases several verbs share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.cli.tamed import TamedConsole, TamedTable, on_one_line, tamed, tamed_json

PROBLEMS = 1
"""The exit code for: done, and problems were found."""

FAILED = 2
"""The exit code for: it could not be done."""

WIDTH = 100
"""Columns where there is no terminal to ask."""


class Format(StrEnum):
    """Who reads the output: people or programs."""

    TEXT = "text"
    JSON = "json"


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    return TamedConsole(stderr=stderr, highlight=False, markup=False, emoji=False, width=None if known else WIDTH)


def out() -> Console:
    """What was asked for."""
    return _console(stderr=False)


def err() -> Console:
    """What is said beside it: progress, warnings, errors."""
    return _console(stderr=True)


def line(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print one line, never wrapped; a part may be text with its style."""
    clean = (on_one_line(one) if isinstance(one, str) else (on_one_line(one[0]), one[1]) for one in parts)
    console.print(Text.assemble(*clean), soft_wrap=True)


def say_older(after: str | None) -> None:
    """Say how to ask for the next page, where there is one."""
    if after is not None:
        line(out(), ("older ones: ", "dim"), f"--after {after}")


def fail(text: str) -> typer.Exit:
    """Say plainly why it could not be done; raise what this returns."""
    _say(("error: ", "bold red"), (text, "red"))
    return typer.Exit(FAILED)


def warn(text: str) -> None:
    _say(("warning: ", "bold yellow"), (text, ""))


def _say(*parts: tuple[str, str]) -> None:
    """Print what may have several lines beside what was asked for."""
    err().print(Text.assemble(*((tamed(text), style) for text, style in parts)), soft_wrap=True)


def ask(question: str) -> None:
    """End the command unless the answer is yes. Asks beside what was asked for, which may be for programs."""
    typer.confirm(tamed(question), abort=True, err=True)


def print_json(data: Any) -> None:
    """The whole output of ``--format json``."""
    typer.echo(tamed_json(json.dumps(data, ensure_ascii=False, indent=2)))


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An open table without frame; columns named in ``right`` hold numbers."""
    made = TamedTable(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        if name in right:
            made.add_column(name, justify="right", no_wrap=True)
        else:
            made.add_column(name, overflow="fold")
    return made


def number(count: int) -> Text:
    """A figure with its thousands set apart; nothing to see is grey."""
    return Text(f"{count:,}", style="dim" if count == 0 else "")


def of(count: int, one: str, many: str | None = None) -> str:
    """``1 event``, ``2 events``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listing(words: Iterable[str]) -> str:
    """``a, b and c``."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last
