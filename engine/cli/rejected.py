"""Lines of a file that were not taken, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from engine.cli.console import line, of
from engine.receipt import Duplicate, Rejection

SHOWN = 10
"""How many of them people see; ``--format json`` has them all."""


def print_rejected(console: Console, file: str, rejected: Sequence[Rejection]) -> None:
    """The first refused lines with their numbers and reasons, and how many more there are."""
    for one in rejected[:SHOWN]:
        line(console, (f"{file}:{one.index}: ", "bold"), ("rejected", "bold red"), f": {one.reason} [{one.code}]")
    _print_rest(console, len(rejected), "line")


def print_conflicts(console: Console, file: str, conflicts: Sequence[Duplicate]) -> None:
    """The first lines that are lost because their message id is taken, and how many more there are."""
    for one in conflicts[:SHOWN]:
        told = f": another event with the message_id '{one.message_id}' is held; this one is lost"
        line(console, (f"{file}:{one.index}: ", "bold"), ("conflict", "bold red"), told)
    _print_rest(console, len(conflicts), "conflict")


def _print_rest(console: Console, count: int, what: str) -> None:
    if count > SHOWN:
        line(console, f"... and {of(count - SHOWN, what)} more; --format json names them all")
