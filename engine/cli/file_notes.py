"""What was done to the lines of a file that its owner may not expect, for people."""

from __future__ import annotations

from rich.console import Console

from engine.cli.console import line, of
from engine.files.translate import Notes


def print_notes(console: Console, file: str, notes: Notes) -> None:
    """Print a line for each thing that happened at all."""
    if notes.skipped:
        line(console, (f"{file}: ", "bold"), f"{of(notes.skipped, 'line')} left out, as the preset says")
    for field, count in notes.trimmed.items():
        line(console, (f"{file}: ", "bold"), f"{of(count, 'cell')} of {field} had blanks around them: trimmed")
    for column, count in notes.commas.items():
        text = f"{of(count, 'cell')} of '{column}' such as 12,50 stay text; --decimal-comma reads them as numbers"
        line(console, (f"{file}: ", "bold"), text)
