"""``lapse replay``: what rules would have done to a log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from engine import replay as library
from engine.cli.console import PROBLEMS, Format, err, out, print_json
from engine.cli.opening import found_rules
from engine.cli.options import FormatOption, FromOption, MapOption, moment_of, pairs_of
from engine.cli.progress import bars
from engine.cli.rejected import print_conflicts, print_rejected
from engine.cli.replay_page import print_page
from engine.errors import ConfigError
from engine.files import EventFile, Reading
from engine.files.reading import build_reading
from engine.receipt import Rejection

Line = tuple[int, Mapping[str, Any] | Rejection]


def replay(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="JSON lines or CSV, .gz too; - reads standard input.")],
    rules: Annotated[
        list[Path],
        typer.Option("--rules", metavar="PATH", help="A rule file or a folder of them, several times if need be."),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Stop the clock here: 2026-03-01T12:00:00Z.", show_default="the last event's time"
        ),
    ] = None,
    actions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every action there, as JSON lines.", show_default=False)
    ] = None,
    preset: FromOption = None,
    map: MapOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what rules would have done to a log.

    \b
    lapse replay examples/shop/shop.events.jsonl.gz --rules examples/shop
    lapse replay orders.csv --map timestamp=Date --rules rules/ --until 2026-04-01T00:00:00Z
    lapse replay log.jsonl --rules rules/ --actions actions.jsonl --format json

    The engine itself runs under a virtual clock: every event arrives at its own time, and every
    action leaves at its moment. Nothing is stored and nothing is sent. Exits with 1 when
    lines of the log were rejected, or lost because their message id is taken.
    """
    end = moment_of(until, "--until")
    found = found_rules(rules)
    began = time.monotonic()
    with _opened(actions) as file:
        report = _replay(log, build_reading(preset, map=pairs_of(map, "--map", "COLUMN")), rules, end)
        if file is not None:
            _write(file, report)
    if format is Format.JSON:
        print_json(report.plain())
    else:
        print_rejected(err(), str(log), report.rejected)
        print_conflicts(err(), str(log), report.conflicts)
        titles = {program.id: program.rule.title for program in found.programs}
        print_page(out(), report, titles, time.monotonic() - began)
    if not report.ok:
        raise typer.Exit(PROBLEMS)


def _replay(log: Path, reading: Reading, rules: list[Path], until: int | None) -> library.Report:
    """The replay, behind a bar for reading and one for the events."""
    with EventFile(log, reading) as file, bars() as progress:
        reading_bar = progress.add_task("reading", total=file.total or None, unit="")
        replaying = progress.add_task("replaying", total=None, unit="events", visible=False)

        def lines() -> Iterator[Line]:
            count = 0
            for count, one in enumerate(file, 1):
                if count % 1_000 == 0:
                    progress.update(reading_bar, completed=file.done)
                yield one
            progress.update(reading_bar, visible=False)
            progress.update(replaying, total=count, visible=True)

        return library.replay(lines(), rules, until=until, progress=lambda taken: progress.advance(replaying, taken))


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """The file for actions, opened before the replay: one that cannot be written costs nobody the wait.

    What it held stays until there is something to take its place.
    """
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from None
    with file:
        yield file


def _write(file: TextIO, report: library.Report) -> None:
    path = Path(file.name)
    try:
        if path.is_file():
            file.truncate(0)
        file.writelines(json.dumps(one.plain(), ensure_ascii=False) + "\n" for one in report.actions)
        file.flush()
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{path} cannot be written: {error.strerror}")
