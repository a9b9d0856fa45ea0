"""Lines of a file that were not taken, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from engine.cli.console import line, of
from engine.receipt import Rejection

SHOWN = 10
"""How many of them people see; ``--format json`` has them all."""


def print_rejected(console: Console, file: str, rejected: Sequence[Rejection]) -> None:
    """The first refused lines with their numbers and reasons, and how many more there are."""
    for one in rejected[:SHOWN]:
        line(console, (f"{file}:{one.index}: ", "bold"), ("rejected", "bold red"), f": {one.reason} [{one.code}]")
    if len(rejected) > SHOWN:
        line(console, f"... and {of(len(rejected) - SHOWN, 'line')} more; --format json names them all")
