"""``lapse ingest``: files of events into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from engine.cli.console import PROBLEMS, Format, err, line, number, out, print_json, table
from engine.cli.opening import opened_with_rules
from engine.cli.options import FormatOption, MapOption, RulesOption, StoreOption, mapping_of
from engine.cli.progress import bars
from engine.cli.rejected import print_conflicts, print_rejected
from engine.durations import duration_text
from engine.files import EventFile
from engine.ingesting import Summary, ingest_file
from engine.runtime.engine import Engine


def ingest(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="JSON lines or CSV, .gz too; - reads standard input.")
    ],
    history: Annotated[
        bool, typer.Option("--history", help="Take the events as history: they count, and start no journeys.")
    ] = False,
    map: MapOption = None,
    store: StoreOption = None,
    rules: RulesOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Take files of events in.

    \b
    lapse ingest events.jsonl
    lapse ingest 2025-*.csv.gz --history --map timestamp=Date --map user_id=Customer
    zcat events.jsonl.gz | lapse ingest -

    Running a file again stores nothing twice. Events older than max_event_age, 72 hours unless set, are
    history even without --history. Rule files are made live first; with an error in
    them the rules that were live stay live, and where none was nothing is taken in. Exits with 1
    when lines were rejected, or lost because their message id is taken.
    """
    mapping = mapping_of(map)
    with opened_with_rules(store, rules) as engine, bars() as progress:
        summaries = [_ingest(engine, path, mapping, history, progress) for path in files]
        oldest = duration_text(engine.settings.max_event_age)
    if format is Format.JSON:
        print_json({"files": [one.plain() for one in summaries]})
    else:
        _print(summaries)
        _print_history(summaries, "as --history says" if history else f"being older than {oldest} (max_event_age)")
    if not all(one.ok for one in summaries):
        raise typer.Exit(PROBLEMS)


def _ingest(engine: Engine, path: Path, mapping: Mapping[str, str], history: bool, progress: Progress) -> Summary:
    """One file, its bar moving by the bytes read."""
    with EventFile(path, mapping) as file:
        task = progress.add_task(path.name, total=file.total or None, unit="")
        return ingest_file(
            engine, file, historical=history, progress=lambda: progress.update(task, completed=file.done)
        )


def _print(summaries: Sequence[Summary]) -> None:
    for one in summaries:
        print_rejected(err(), one.file, one.rejected)
        print_conflicts(err(), one.file, one.conflicts)
    figures = ("Stored", "Duplicates", "Conflicts", "Rejected")
    made = table("File", *figures, right=figures)
    for one in summaries:
        counts = (one.stored, one.duplicates, len(one.conflicts), len(one.rejected))
        made.add_row(one.file, *map(number, counts))
    out().print(made)


def _print_history(summaries: Sequence[Summary], why: str) -> None:
    for one in summaries:
        if one.historical:
            told = f"{one.historical:,} of {one.stored:,} stored count as history, {why}: they start no journey"
            line(err(), (f"{one.file}: ", "bold"), told)
