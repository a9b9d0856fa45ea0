"""Event types as rows."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from engine.store import changes, events, types
from engine.store.prepared import Prepared
from engine.store.types import TypeRow
from tests.store.rows import WORKSPACE, add_events, add_people, event, public_ids
from tests.store.test_plans import plan


def made(connection: Connection, *names: str, workspace: int = WORKSPACE) -> list[TypeRow]:
    rows = [TypeRow(0, bytes([place]) * 16, name, None, None, 0, 5) for place, name in enumerate(names, 1)]
    return types.insert(connection, workspace, rows)


def test_a_type_is_found_by_name_and_by_id_in_its_own_workspace(connection: Connection) -> None:
    (row,) = made(connection, "order.paid")
    assert types.by_name(connection, WORKSPACE, "order.paid") == row
    assert types.by_public_id(connection, WORKSPACE, row.public_id) == row
    assert types.by_name(connection, WORKSPACE + 1, "order.paid") is None
    assert types.by_public_id(connection, WORKSPACE + 1, row.public_id) is None
    assert events.intern(connection, WORKSPACE, ["order.paid"], 9, public_ids) == {"order.paid": row.id}


def test_pages_follow_one_another_and_stay_right_while_types_are_made(connection: Connection) -> None:
    first, second, third = made(connection, "a", "b", "c")
    made(connection, "x", workspace=WORKSPACE + 1)
    assert types.page(connection, WORKSPACE, b"", 2) == [first, second]
    (later,) = types.insert(connection, WORKSPACE, [TypeRow(0, b"\xff" * 16, "d", None, None, 0, 6)])
    assert types.page(connection, WORKSPACE, second.public_id, 2) == [third, later]
    assert types.total(connection, WORKSPACE) == 4
    assert types.names(connection, WORKSPACE) == ["a", "b", "c", "d"]


def test_a_change_is_counted_in_its_workspace(connection: Connection) -> None:
    assert types.changed(connection, WORKSPACE) == 0
    (row,) = made(connection, "a")
    assert types.changed(connection, WORKSPACE) == 1
    types.update(connection, WORKSPACE, [row._replace(name="b", schema="{}", updated_at=7)])
    assert types.changed(connection, WORKSPACE) == 2
    assert types.with_schemas(connection, WORKSPACE) == [row._replace(name="b", schema="{}", updated_at=7)]
    types.delete(connection, WORKSPACE, row.id)
    assert types.changed(connection, WORKSPACE) == 3
    assert types.by_name(connection, WORKSPACE, "b") is None
    assert types.changed(connection, WORKSPACE + 1) == 0
    assert changes.changes(connection, WORKSPACE, "other") == 0


def test_a_name_that_is_only_met_changes_nothing_for_anybody(connection: Connection) -> None:
    events.intern(connection, WORKSPACE, ["a"], 9, public_ids)
    assert types.changed(connection, WORKSPACE) == 0


def test_the_events_of_a_type_come_page_by_page_by_time(connection: Connection) -> None:
    (person,) = add_people(connection, "u1")
    add_events(
        connection, *(event(person, name, at) for name, at in [("a", 5), ("b", 1), ("a", 2), ("a", 5), ("a", 0)])
    )
    (row,) = [one for one in types.page(connection, WORKSPACE, b"", 9) if one.name == "a"]
    first = types.events_of(connection, WORKSPACE, row.id, None, 2)
    second = types.events_of(connection, WORKSPACE, row.id, first[-1], 2)
    assert [one.at for one in first + second] == [0, 2, 5, 5]
    assert types.events_of(connection, WORKSPACE, row.id, second[-1], 2) == []
    assert types.has_events(connection, WORKSPACE, row.id)
    assert not types.has_events(connection, WORKSPACE, row.id + 100)


def test_what_came_after_an_event_is_known_even_when_rows_are_used_again(connection: Connection) -> None:
    assert types.is_there(connection, types.newest_event(connection))
    (person,) = add_people(connection, "u1")
    add_events(connection, event(person, "a", 9))
    newest = types.newest_event(connection)
    assert types.is_there(connection, newest)
    add_events(connection, event(person, "b", 1), event(person, "a", 2))
    row = types.by_name(connection, WORKSPACE, "a")
    assert row is not None
    assert [one.at for one in types.events_after(connection, row.id, newest[0], 9)] == [2]
    connection.exec_driver_sql("DELETE FROM events")
    assert not types.is_there(connection, newest)
    add_events(connection, event(person, "a", 9))
    assert not types.is_there(connection, newest)


STATEMENTS: dict[str, tuple[Prepared, str]] = {
    "by_name": (types.BY_NAME, "(workspace_id=? AND name=?)"),
    "by_public_id": (types.BY_PUBLIC_ID, "(workspace_id=? AND public_id=?)"),
    "page": (types.PAGE, "(workspace_id=? AND public_id>?)"),
    "any_event": (types.ANY_EVENT, "ix_events_by_name (workspace_id=? AND type_id=?)"),
    "events": (types.EVENTS, "ix_events_by_name (workspace_id=? AND type_id=? AND at>?)"),
    "newest": (types.NEWEST, "SCAN events"),
    "public_id": (types.PUBLIC_ID, "INTEGER PRIMARY KEY (rowid=?)"),
    "arrived": (types.ARRIVED, "INTEGER PRIMARY KEY (rowid>?)"),
    "changes": (changes.CHANGES, "PRIMARY KEY"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_goes_by_its_index_and_sorts_nothing(connection: Connection, name: str) -> None:
    statement, index = STATEMENTS[name]
    found = plan(connection, statement)
    assert index in found, found
    assert "TEMP B-TREE" not in found, found
