"""Inserts of many rows: all of them, in order, few at a time enough for any SQLite."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from engine.store import prepared
from engine.store.columns import metadata
from engine.store.prepared import inserting
from engine.store.schema import meta, watches
from tests.store.rows import WORKSPACE

BOUND_BY_ANY_SQLITE = 32_766


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 499, 500, 501, 525, 1_000, 1_526])
def test_every_row_is_inserted_once_and_in_order(connection: Connection, count: int) -> None:
    insert = inserting(watches, "workspace_id", "rule", "person_id", "due_at", "followed", "state")
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    insert.many(connection, ((WORKSPACE, 1, person, None, -1, f"{person}") for person in range(count)))
    found = connection.exec_driver_sql("SELECT person_id, state FROM watches ORDER BY id").fetchall()
    assert [tuple(row) for row in found] == [(person, f"{person}") for person in range(count)]
    connection.exec_driver_sql("DELETE FROM watches")


def test_values_given_in_another_order_than_the_table_has_them_arrive_where_they_belong(connection: Connection) -> None:
    insert = inserting(meta, "value", "key", "workspace_id")
    insert.many(connection, [(f"v{one}", f"k{one}", WORKSPACE) for one in range(30)])
    found = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'k29'").fetchall()
    assert [tuple(row) for row in found] == [("v29",)]


def test_the_widest_insert_binds_no_more_than_any_sqlite_takes() -> None:
    widest = max(len(table.columns) for table in metadata.tables.values())
    assert prepared.TOGETHER[0] * widest <= BOUND_BY_ANY_SQLITE
    assert prepared.TOGETHER[-1] == 1
