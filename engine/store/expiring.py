"""Up to which moment what expires is dropped in one transaction: that of a page of it, the earliest first."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, select

from engine.store.prepared import Prepared, bound
from engine.store.schema import answers, idempotency, tombstones


def _last_of_page(expiry: Column[int]) -> Prepared:
    return Prepared(
        select(expiry).where(expiry <= bound("now")).order_by(expiry).limit(1).offset(bound("before")), "now", "before"
    )


PAGES: Final = {
    "idempotency": _last_of_page(idempotency.c.expires_at),
    "answers": _last_of_page(answers.c.expires_at),
    "tombstones": _last_of_page(tombstones.c.until),
}


def until(connection: Connection, table: str, now: int, page: int) -> int:
    """Return the moment at which a page of a table's rows has expired; ``now`` where fewer have."""
    row = PAGES[table].row(connection, now, page - 1)
    return now if row is None else int(row[0])
