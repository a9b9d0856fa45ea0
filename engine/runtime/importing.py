"""Files of events that come in parts: taken in as they come, each line once, however often the sending is cut short.

How far a file has come is written in the transaction that stores its events. So wherever it stops, it goes on from
there, and the counts are those of what is stored. Lines get the ids that ``lapse ingest`` gives them: a file that was
taken in before, in whichever way, is not stored again. Whom history concerns is gathered as by ``lapse ingest
--history``, and decided once by whoever works on the store, when the file is complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from engine.errors import ImportMoved, RefusedError
from engine.files.line_ids import digest_of, line_id, shortened
from engine.files.parts import Entry, Part, waiting
from engine.files.reading import Kind, Reading
from engine.receipt import Receipt, Rejection, plain_rejection
from engine.runtime import gathering
from engine.runtime.engine import CHUNK, Engine
from engine.runtime.intake import public_ids
from engine.store import Connection, imports
from engine.store.imports import ImportRow

Times = dict[int, int]
"""How often lines stood in the file, by their shortened digests."""

SOURCE: Final = "file"


def begin(engine: Engine, kind: Kind, reading: Reading, *, historical: bool) -> ImportRow:
    """Return a file of which nothing has come yet; ``reading`` is kept with it, for all its parts."""
    now = engine.clock.now()
    row = ImportRow(0, engine.workspace, public_ids(1, now)[0], kind, _written(reading), int(historical), now, now)
    return engine.writer.run(lambda connection: imports.insert(connection, row))


def find(engine: Engine, public_id: bytes) -> ImportRow | None:
    """The file of an id, if the workspace has it."""
    with engine.store.read() as connection:
        return imports.by_public_id(connection, engine.workspace, public_id)


def drop(engine: Engine, row: ImportRow) -> None:
    """Forget a file of which nothing was stored."""
    engine.writer.run(lambda connection: imports.delete(connection, row))


def add(
    engine: Engine, row: ImportRow, data: bytes, *, last: bool = False, counted: Callable[[Receipt], None]
) -> ImportRow:
    """Take in the next bytes of a file; gives how far it has come. ``last`` says that it ends with them.

    ``counted`` is told what became of the lines, piece by piece. Raises InputFileError for a file that cannot be read
    at all, and ImportMoved when somebody else sends it too and was quicker, or it was set back
    because somebody was erased.
    """
    came = row.received + len(data)
    part = _part(row, data, last)
    entries, moving = part.entries(), _Moving(row, part)
    while piece := list(islice(entries, CHUNK)):
        row = _store(engine, row, moving.to(row, piece[-1].end), piece, counted)
    rest = row._replace(received=came, waiting=waiting(part.data[moving.end :]))
    return engine.writer.run(partial(_end, row=row, rest=rest, last=last, now=engine.clock.now()))


def _part(row: ImportRow, data: bytes, last: bool) -> Part:
    kind: Kind = "csv" if row.kind == "csv" else "jsonl"
    return Part(kind, _read(row.mapping), row.waiting + data, row.line, row.header, last)


def _written(reading: Reading) -> str:
    return json.dumps({"reading": reading.model_dump(mode="json", exclude_defaults=True)})


def _read(text: str) -> Reading:
    """Return the reading of a stored file; one from before there were readings has a mapping alone."""
    stored = json.loads(text)
    if "reading" in stored:
        return Reading.model_validate_json(json.dumps(stored["reading"]))
    return Reading(map=stored)


class _Moving:
    """Places in a part, and what they are in the file."""

    def __init__(self, before: ImportRow, part: Part) -> None:
        self._before = before
        self._part = part
        self.end = 0
        """Up to where the part is done with."""

    def to(self, row: ImportRow, end: int) -> ImportRow:
        """``row`` when everything up to ``end`` is done with and nothing waits."""
        lines = self._part.data.count(b"\n", self.end, end)
        header = row.header
        if row.kind == "csv" and header is None:
            header = self._part.header_line()
        self.end = end
        place = self._place(end)
        return row._replace(received=place, settled=place, waiting=b"", line=row.line + lines, header=header)

    def _place(self, end: int) -> int:
        """Of what waits of a line too long, the file has more than the part."""
        kept = len(self._before.waiting)
        return self._before.settled + end if end < kept else self._before.received + end - kept


def _store(
    engine: Engine, before: ImportRow, after: ImportRow, piece: Sequence[Entry], counted: Callable[[Receipt], None]
) -> ImportRow:
    """Store some lines, and with them how far the file has come."""
    good = [(one.line, one.item) for one in piece if isinstance(one.item, dict)]
    bad = [
        Rejection(one.line, one.item.code, one.item.reason, one.item.field)
        for one in piece
        if isinstance(one.item, RefusedError)
    ]
    known, times = _name(engine, before, [item for _, item in good])
    written: list[ImportRow] = []

    def beside(connection: Connection, receipt: Receipt) -> None:
        refused = [replace(one, index=good[one.index][0]) for one in receipt.rejected] + bad
        row = _tallied(after, receipt, refused, engine.settings.api.import_rejections)
        row = row._replace(updated_at=engine.clock.now())
        _save(connection, row, before)
        imports.note_seen(connection, row, times, known)
        written[:] = [row]

    items = [item for _, item in good]
    receipt = engine.submit(
        items, historical=bool(before.historical), source=SOURCE, dated=True, beside=beside, gather=True
    ).result()
    counted(Receipt((*receipt.outcomes, *bad)))
    return written[0]


def _name(engine: Engine, row: ImportRow, items: Sequence[dict[str, Any]]) -> tuple[Times, Times]:
    """Give ids to the items that have none; gives how often such lines stood before these, and with them."""
    digests = [digest_of(item) for item in items]
    with engine.store.read() as connection:
        known = imports.seen(connection, row, {shortened(one) for one in digests if one is not None})
    times: Times = {}
    for item, digest in zip(items, digests, strict=True):
        if digest is not None:
            short = shortened(digest)
            times[short] = times.get(short, known.get(short, 0)) + 1
            item["message_id"] = line_id(digest, times[short])
    return known, times


def _tallied(row: ImportRow, receipt: Receipt, refused: Sequence[Rejection], most: int) -> ImportRow:
    """``row`` with what became of more lines, the refused ones told one by one up to ``most``."""
    told: list[dict[str, Any]] = json.loads(row.rejections)
    first = sorted(refused, key=attrgetter("index"))
    told += [plain_rejection(one) for one in first[: max(most - len(told), 0)]]
    return row._replace(
        stored=row.stored + receipt.stored,
        duplicates=row.duplicates + len(receipt.duplicates) - len(receipt.conflicts),
        conflicts=row.conflicts + len(receipt.conflicts),
        rejected=row.rejected + len(refused),
        rejections=json.dumps(told),
    )


def _end(connection: Connection, row: ImportRow, rest: ImportRow, last: bool, now: int) -> ImportRow:
    """What has come and waits is kept; a file that is complete needs its lines counted no more."""
    rest = rest._replace(updated_at=now)
    if last:
        rest = rest._replace(settled=rest.received, waiting=b"", completed_at=now)
        imports.forget_seen(connection, rest)
        if rest.historical:
            gathering.release(connection, rest.workspace_id, now)
    _save(connection, rest, row)
    return rest


def _save(connection: Connection, row: ImportRow, before: ImportRow) -> None:
    if not imports.save(connection, row, before):
        raise ImportMoved("this file moved on or was set back meanwhile; ask how far it has come, and go on from there")
