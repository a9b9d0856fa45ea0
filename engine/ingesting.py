"""Taking a file of events in: piece by piece, in the memory of one piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from engine.files import EventFile
from engine.receipt import LeftOut, Rejection
from engine.runtime.engine import Engine

TOGETHER = 1_000
"""Lines stored in one transaction."""


@dataclass
class Summary(LeftOut):
    """What became of a file's lines."""

    file: str
    stored: int = 0
    lines: int = 0
    """How many were worked through."""
    historical: int = 0
    """How many of the lines stored count as history, and so start no journey."""
    before_live: Counter[str] = field(default_factory=Counter)
    """By rule, how many of the lines stored would start its journeys, and lie before the time it went live."""

    def plain(self) -> dict[str, Any]:
        counts = {"stored": self.stored, "historical": self.historical, "before_live": dict(self.before_live)}
        return {"file": self.file, **counts, **self.left_out()}


def ingest_file(
    engine: Engine,
    file: EventFile,
    *,
    historical: bool = False,
    progress: Callable[[Summary], None] = lambda _: None,
    deciding: Callable[[int, int], None] = lambda _decided, _of: None,
) -> Summary:
    """Take in every line of ``file``; an event without a timestamp is refused.

    Calls ``progress`` after each piece with what has become of the file so far. Whom history concerns is decided once,
    when all of the file is there; ``deciding`` is called meanwhile with how many pairs of person and rule were, of how
    many.

    Running a file again stores nothing twice.
    """
    summary = Summary(str(file.path))
    for items, numbers in _pieces(file, summary):
        receipt = engine.ingest(items, historical=historical, source="file", dated=True, gather=historical)
        summary.stored += receipt.stored
        summary.historical += receipt.historical
        summary.before_live.update(receipt.before_live)
        summary.duplicates += len(receipt.duplicates) - len(receipt.conflicts)
        summary.conflicts += [replace(one, index=numbers[one.index]) for one in receipt.conflicts]
        summary.rejected += [replace(one, index=numbers[one.index]) for one in receipt.rejected]
        progress(summary)
    if historical:
        engine.decide_gathered(deciding)
    summary.rejected.sort(key=lambda one: one.index)
    return summary


def _pieces(file: EventFile, summary: Summary) -> Iterator[tuple[list[dict[str, Any]], list[int]]]:
    """Lines that can be read, with their numbers; those that cannot go to the summary."""
    lines = iter(file)
    while piece := list(islice(lines, TOGETHER)):
        summary.lines += len(piece)
        items = [(number, item) for number, item in piece if not isinstance(item, Rejection)]
        summary.rejected += [item for _, item in piece if isinstance(item, Rejection)]
        yield [item for _, item in items], [number for number, _ in items]
