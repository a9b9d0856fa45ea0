"""``lapse ingest``: files of events into the store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from engine.cli.console import PROBLEMS, Format, err, line, number, out, print_json, table
from engine.cli.dry_run import dry_run
from engine.cli.file_notes import print_notes
from engine.cli.opening import opened_with_rules
from engine.cli.options import FormatOption, FromOption, MapOption, RulesOption, StoreOption, pairs_of
from engine.cli.progress import ImportProgress, bars
from engine.cli.rejected import print_conflicts, print_rejected
from engine.durations import duration_text
from engine.files import EventFile
from engine.files.reading import TimeUnit, Unknown, build_reading
from engine.ingesting import Summary, ingest_file
from engine.runtime.engine import Engine

_COLUMNS = "Several times if need be."


def ingest(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="JSON lines or CSV, .gz too; - reads standard input.")
    ],
    history: Annotated[
        bool, typer.Option("--history", help="Take the events as history: they count, and start no journeys.")
    ] = False,
    preset: FromOption = None,
    map: MapOption = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="A field that is the same in every line that has none: --constant event=order_paid.",
            show_default=False,
        ),
    ] = None,
    unknown: Annotated[
        Unknown | None,
        typer.Option(
            help="What becomes of keys and columns that are no field: refuse the line (JSON unless set), "
            "ignore them, or fold them into the properties (CSV unless set).",
            show_default=False,
        ),
    ] = None,
    time_unit: Annotated[
        TimeUnit | None,
        typer.Option(help="What a timestamp that is a number counts since 1970 UTC.", show_default=False),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Whose clock a timestamp without an offset is by: UTC, Europe/Warsaw.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help=f"A column of CSV that stays text. {_COLUMNS}", show_default=False),
    ] = None,
    number_: Annotated[
        list[str] | None,
        typer.Option(
            "--number", metavar="COLUMN", help=f"A column of CSV that holds numbers. {_COLUMNS}", show_default=False
        ),
    ] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="In CSV, a cell such as 12,50 is a number.")
    ] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Show the first lines as they would be stored, and store nothing.")
    ] = False,
    store: StoreOption = None,
    rules: RulesOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Take files of events in.

    \b
    lapse ingest events.jsonl
    lapse ingest 2025-*.csv.gz --history --map timestamp=Date --map user_id=Customer
    lapse ingest export.jsonl.gz --from mixpanel --history --dry-run
    zcat events.jsonl.gz | lapse ingest -

    Running a file again stores nothing twice. Events older than max_event_age, 72 hours unless set, are
    history even without --history; with it, whom they concern is decided when a file is done.
    Rule files are made live first; with an error in them the rules that were live stay live, and
    where none was nothing is taken in. Exits with 1 when lines were rejected, or lost because
    their message id is taken.
    """
    reading = build_reading(
        preset,
        map=pairs_of(map, "--map", "COLUMN"),
        constants=pairs_of(constant, "--constant", "VALUE"),
        unknown=unknown,
        time_unit=time_unit,
        zone=zone,
        text=tuple(text or ()),
        number=tuple(number_ or ()),
        decimal_comma=decimal_comma,
    )
    with ExitStack() as stack:
        opened = [stack.enter_context(EventFile(path, reading)) for path in files]
        for file in opened:
            file.check()  # a file that cannot be read stops it before rules go live
        if dry:
            dry_run(opened, store, format)
            return
        with opened_with_rules(store, rules) as engine, bars() as progress:
            summaries = [_ingest(engine, file, history, progress) for file in opened]
            oldest = duration_text(engine.settings.max_event_age)
    if format is Format.JSON:
        print_json({"files": [summary.plain() for summary in summaries]})
    else:
        _print(summaries)
        for file in opened:
            print_notes(err(), str(file.path), file.notes)
        _print_history(summaries, "as --history says" if history else f"being older than {oldest} (max_event_age)")
    if not all(summary.ok for summary in summaries):
        raise typer.Exit(PROBLEMS)


def _ingest(engine: Engine, file: EventFile, history: bool, bars: Progress) -> Summary:
    """One file, with how far it has come shown or told."""
    progress = ImportProgress(bars, file)
    return ingest_file(engine, file, historical=history, progress=progress.advance, deciding=progress.decide)


def _print(summaries: Sequence[Summary]) -> None:
    for summary in summaries:
        print_rejected(err(), summary.file, summary.rejected)
        print_conflicts(err(), summary.file, summary.conflicts)
    figures = ("Stored", "Duplicates", "Conflicts", "Rejected")
    page = table("File", *figures, right=figures)
    for summary in summaries:
        counts = (summary.stored, summary.duplicates, len(summary.conflicts), len(summary.rejected))
        page.add_row(summary.file, *map(number, counts))
    out().print(page)


def _print_history(summaries: Sequence[Summary], why: str) -> None:
    for summary in summaries:
        if summary.historical:
            text = f"{summary.historical:,} of {summary.stored:,} stored count as history, {why}: they start no journey"
            line(err(), (f"{summary.file}: ", "bold"), text)
        for rule, count in sorted(summary.before_live.items()):
            text = f"{count:,} of {summary.stored:,} stored lie before '{rule}' went live: they start no journey of it"
            line(err(), (f"{summary.file}: ", "bold"), text)
