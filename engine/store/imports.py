"""Files of events that come in parts: how far each has come, and what became of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, literal_column, or_, select, update

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.prepared import next_id as _next_id
from engine.store.schema import import_lines, imports


class ImportRow(NamedTuple):
    """A file that comes in parts. Moments are microseconds UTC, places in the file are bytes from its beginning."""

    id: int
    workspace_id: int
    public_id: bytes
    kind: str
    """``csv`` or ``jsonl``."""
    mapping: str
    """JSON: the file's own name of a field, by field."""
    historical: int
    created_at: int
    updated_at: int
    completed_at: int | None = None
    received: int = 0
    """How much of the file has come."""
    settled: int = 0
    """How much of it is done with; between the two lies what waits for its end."""
    waiting: bytes = b""
    """What lies between them."""
    line: int = 1
    """The line that begins at ``settled``."""
    header: str | None = None
    """The first line of a CSV file, once that is settled."""
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    rejections: str = "[]"
    """JSON: the first of the lines that were refused."""


_CHANGES = (
    "updated_at", "completed_at", "received", "settled", "waiting", "line", "header", "stored", "duplicates",
    "conflicts", "rejected", "rejections",
)  # fmt: skip

_digests = batch("digests", digest=int)
BY_PUBLIC_ID = Prepared(
    select(*(imports.c[one] for one in ImportRow._fields)).where(
        imports.c.workspace_id == bound("workspace"), imports.c.public_id == bound("public_id")
    ),
    "workspace", "public_id",
)  # fmt: skip
SAVE = Prepared(
    update(imports)
    .where(
        imports.c.id == bound("row"),
        imports.c.received == bound("before"),
        imports.c.rejections == bound("told"),
        imports.c.completed_at.is_(None),
    )
    .values({one: bound(f"new_{one}") for one in _CHANGES}),
    *(f"new_{one}" for one in _CHANGES), "row", "before", "told",
)  # fmt: skip
SEEN = Prepared(
    select(import_lines.c.digest, import_lines.c.times)
    .select_from(_digests.joined(import_lines, import_lines.c.digest == _digests["digest"]))
    .where(import_lines.c.workspace_id == bound("workspace"), import_lines.c.import_id == bound("row")),
    "workspace", "row", "digests",
)  # fmt: skip
AGAIN = Prepared(
    update(import_lines)
    .where(
        import_lines.c.workspace_id == bound("workspace"),
        import_lines.c.import_id == bound("row"),
        import_lines.c.digest == bound("line"),
    )
    .values(times=bound("now")),
    "now", "workspace", "row", "line",
)  # fmt: skip
FORGET = Prepared(
    import_lines.delete().where(
        import_lines.c.workspace_id == bound("workspace"), import_lines.c.import_id == bound("row")
    ),
    "workspace", "row",
)  # fmt: skip
FORGET_WORDS = Prepared(
    update(imports)
    .where(
        imports.c.workspace_id == bound("workspace"),
        or_(imports.c.waiting != bound("nothing"), imports.c.rejections != literal_column("'[]'")),
    )
    .values(received=imports.c.settled, waiting=bound("nothing"), rejections=literal_column("'[]'")),
    "nothing", "workspace",
)  # fmt: skip
_stale = (imports.c.completed_at.is_(None), imports.c.updated_at <= bound("before"))
STALE_LINES = Prepared(
    import_lines.delete().where(import_lines.c.import_id.in_(select(imports.c.id).where(*_stale))), "before"
)
STALE = Prepared(imports.delete().where(*_stale), "before")
_DELETE = Prepared(imports.delete().where(imports.c.id == bound("row")), "row")
_INSERT = inserting(imports, *ImportRow._fields)
_FIRST = inserting(import_lines, "workspace_id", "import_id", "digest", "times")


def insert(connection: Connection, row: ImportRow) -> ImportRow:
    """Begin one; gives it with its id."""
    added = row._replace(id=_next_id(connection, imports))
    _INSERT.many(connection, [added])
    return added


def by_public_id(connection: Connection, workspace: int, public_id: bytes) -> ImportRow | None:
    """The one of a public id."""
    found = BY_PUBLIC_ID.row(connection, workspace, public_id)
    return None if found is None else ImportRow._make(found)


def save(connection: Connection, row: ImportRow, before: ImportRow) -> bool:
    """Write down how far one has come. False, and nothing is written, when it no longer is as it was ``before``."""
    values = [getattr(row, one) for one in _CHANGES]
    return SAVE.run(connection, *values, row.id, before.received, before.rejections) == 1


def forget_words(connection: Connection, workspace: int) -> None:
    """Forget what the files of a workspace said: what waits, which is to come again, and why lines were refused."""
    FORGET_WORDS.run(connection, b"", workspace)


def seen(connection: Connection, row: ImportRow, digests: Iterable[int]) -> dict[int, int]:
    """How often lines of these digests stood in the file before. One statement."""
    return dict(SEEN.rows(connection, row.workspace_id, row.id, listed(digests)))


def note_seen(connection: Connection, row: ImportRow, times: Mapping[int, int], known: Mapping[int, int]) -> None:
    """Write down how often they have stood there by now; ``known`` is what was written before."""
    _FIRST.many(
        connection,
        [(row.workspace_id, row.id, digest, count) for digest, count in times.items() if digest not in known],
    )
    AGAIN.many(
        connection,
        [(count, row.workspace_id, row.id, digest) for digest, count in times.items() if digest in known],
    )


def forget_seen(connection: Connection, row: ImportRow) -> None:
    """Its lines need not be counted any more."""
    FORGET.run(connection, row.workspace_id, row.id)


def delete(connection: Connection, row: ImportRow) -> None:
    """Forget one of which nothing was stored."""
    _DELETE.run(connection, row.id)


def expire(connection: Connection, before: int) -> int:
    """Forget those of all workspaces of which nothing has come since ``before`` and that are not complete."""
    STALE_LINES.run(connection, before)
    return STALE.run(connection, before)
