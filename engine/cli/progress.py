"""How far long work has come, on stderr: bars where a terminal shows them, else a line a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from engine.cli.console import err, line, of
from engine.files import EventFile
from engine.ingesting import Summary

EVERY: Final = 60.0
"""Seconds between two lines where nothing shows a bar."""


def bars() -> Progress:
    """A display of bars that goes when its work is done."""
    console = err()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def followed() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows what is being done, how much of it is done, and how much there is in all."""
    with bars() as shown:
        tasks: dict[str, TaskID] = {}

        def follow(work: str, done: int, total: int) -> None:
            if work not in tasks:
                tasks[work] = shown.add_task(work, total=total or None, unit="")
            shown.update(tasks[work], completed=done, total=total or None)

        yield follow


class ImportProgress:
    """How far one file has come: a bar by the bytes read, or a line a minute with counts and rate.

    Lines that are held already fly by: they are counted apart, and the time left is estimated anew once lines are
    stored.
    """

    def __init__(self, progress: Progress, file: EventFile, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._progress = progress
        self._file = file
        self._monotonic = monotonic
        self._task = progress.add_task(file.path.name, total=file.total or None, unit="")
        self._stored = 0
        self._said_at = monotonic()
        self._said_lines = 0

    def advance(self, summary: Summary) -> None:
        """Show what has become of the file so far."""
        if summary.stored and not self._stored and summary.duplicates:
            self._progress.reset(self._task)
        self._stored = summary.stored
        unit = f"{summary.stored:,} stored"
        if summary.duplicates:
            unit += f", {summary.duplicates:,} held already"
        self._progress.update(self._task, completed=self._file.done, unit=unit)
        now = self._monotonic()
        if self._progress.disable and now - self._said_at >= EVERY:
            self._say(summary, now)

    def decide(self, decided: int, total: int) -> None:
        """Show how many of those whom history concerns were decided, of how many."""
        unit = f"deciding whom it concerns: {decided:,}"
        self._progress.update(self._task, completed=decided, total=max(total, decided, 1), unit=unit)
        now = self._monotonic()
        if self._progress.disable and now - self._said_at >= EVERY:
            line(err(), (f"{self._file.path}: ", "bold"), f"{unit} of {total:,} pairs of person and rule")
            self._said_at = now

    def _say(self, summary: Summary, now: float) -> None:
        rate = (summary.lines - self._said_lines) / (now - self._said_at)
        share = f", {self._file.done / self._file.total:.0%} of the file" if self._file.total else ""
        counts = f"{of(summary.lines, 'line')}{share}: {summary.stored:,} stored, {summary.duplicates:,} held already"
        rejected = len(summary.rejected) + len(summary.conflicts)
        line(err(), (f"{self._file.path}: ", "bold"), f"{counts}, {rejected:,} lost; {rate:,.0f} lines/s")
        self._said_at, self._said_lines = now, summary.lines
