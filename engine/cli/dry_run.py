"""``lapse ingest --dry-run``: the first lines of files as they would be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import typer

from engine.cli.console import PROBLEMS, Format, err, line, out, print_json, table
from engine.cli.file_notes import print_notes
from engine.cli.opening import settings_of
from engine.cli.rejected import print_rejected
from engine.clock import WallClock, iso
from engine.files import EventFile
from engine.model import Limits, ValidEvent, ValidIdentify, validate
from engine.receipt import Rejection, plain_rejection
from engine.strict_json import kind

SHOWN = 10
"""Lines of a file that are shown."""

Verdict = ValidEvent | ValidIdentify | Rejection


def dry_run(files: Sequence[EventFile], store: str | None, format: Format) -> None:
    """Show the first lines of each file, and store nothing. Exits with 1 where one of them would be refused."""
    limits = settings_of(store, new=True).limits
    verdicts = {file: _verdicts(file, limits) for file in files}
    if format is Format.JSON:
        pages = [
            {"file": str(file.path), "lines": [_plain(number, verdict) for number, verdict in lines]}
            for file, lines in verdicts.items()
        ]
        print_json({"files": pages})
    else:
        for file, lines in verdicts.items():
            _print(file, lines)
    if any(isinstance(verdict, Rejection) for lines in verdicts.values() for _, verdict in lines):
        raise typer.Exit(PROBLEMS)


def _verdicts(file: EventFile, limits: Limits) -> list[tuple[int, Verdict]]:
    now = WallClock().now()
    return [
        (number, item if isinstance(item, Rejection) else validate(item, number, now, limits, require_timestamp=True))
        for number, item in islice(file, SHOWN)
    ]


def _print(file: EventFile, lines: Sequence[tuple[int, Verdict]]) -> None:
    line(out(), (str(file.path), "bold"), f": the first {len(lines)} lines as they would be stored; nothing is")
    page = table("Line", "What", "Who", "When", "Properties", right=("Line",))
    for number, verdict in lines:
        if not isinstance(verdict, Rejection):
            page.add_row(str(number), _name(verdict), _who(verdict), _when(verdict), _values(_body(verdict)))
    if page.row_count:
        out().print(page)
    print_rejected(err(), str(file.path), [verdict for _, verdict in lines if isinstance(verdict, Rejection)])
    print_notes(err(), str(file.path), file.notes)


def _name(verdict: ValidEvent | ValidIdentify) -> str:
    return verdict.name if isinstance(verdict, ValidEvent) else "(a person)"


def _who(verdict: ValidEvent | ValidIdentify) -> str:
    return "\n".join(f"{name}: {value}" for name, value in _ids(verdict).items())


def _when(verdict: ValidEvent | ValidIdentify) -> str:
    return iso(verdict.at) if verdict.timestamp_given else "(now)"


def _values(body: Mapping[str, Any]) -> str:
    return "\n".join(f"{key} = {value} ({kind(value)})" for key, value in body.items())


def _ids(verdict: ValidEvent | ValidIdentify) -> dict[str, str]:
    names = ("user_id", "anonymous_id", "contact_id", "previous_id")
    ids = {name: getattr(verdict, name) for name in names}
    return {name: value for name, value in ids.items() if value is not None}


def _body(verdict: ValidEvent | ValidIdentify) -> dict[str, Any]:
    return verdict.properties if isinstance(verdict, ValidEvent) else verdict.traits


def _plain(number: int, verdict: Verdict) -> dict[str, Any]:
    if isinstance(verdict, Rejection):
        return {"status": "rejected", **plain_rejection(verdict)}
    name = {"event": verdict.name} if isinstance(verdict, ValidEvent) else {"type": "identify"}
    body = {"properties" if isinstance(verdict, ValidEvent) else "traits": _body(verdict)}
    kinds = {key: kind(value) for key, value in _body(verdict).items()}
    at = iso(verdict.at) if verdict.timestamp_given else None
    return {"status": "taken", "line": number, **name, **_ids(verdict), "timestamp": at, **body, "kinds": kinds}
