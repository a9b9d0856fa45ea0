"""The floor: the very rows Lapse stored, inserted bare into a table of the same columns and indexes."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any


def seconds(store: Path, target: Path, batch: int) -> tuple[float, float, int]:
    """Wall and CPU seconds of ``executemany`` for the events of ``store``, in batches with a durable commit each."""
    source = sqlite3.connect(store)
    rows = source.execute("SELECT * FROM events ORDER BY id").fetchall()
    schema = source.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'events' AND sql IS NOT NULL ORDER BY type DESC"
    ).fetchall()
    source.close()
    floor = sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 0", "cache_size = -65536"):
        floor.execute(f"PRAGMA {pragma}")
    for (statement,) in schema:
        floor.execute(statement)
    places = ", ".join("?" * len(rows[0]))
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(rows), batch):
        floor.execute("BEGIN IMMEDIATE")
        floor.executemany(f"INSERT INTO events VALUES ({places})", rows[start : start + batch])
        floor.execute("COMMIT")
    result = time.perf_counter() - wall, time.process_time() - cpu, len(rows)
    _check(floor, rows, schema)
    floor.close()
    return result


def _check(floor: sqlite3.Connection, rows: list[tuple[Any, ...]], schema: list[tuple[str]]) -> None:
    """The floor is one only if it did the same: the rows, the indexes, commits that reach the disk."""
    assert floor.execute("SELECT * FROM events ORDER BY id").fetchall() == rows
    kept = {sql for (sql,) in floor.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    assert kept == {sql for (sql,) in schema}
    assert floor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert floor.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
