"""Events as vendors list them: one by one, by arrival, by time, and how many they are. Not those of actions."""

from __future__ import annotations

from itertools import product
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, exists, func, literal_column, select

from engine.store.prepared import Prepared, bound
from engine.store.schema import event_types, events, idempotency, people


class Record(NamedTuple):
    """An event, with its type's public id and name, and the key under which it came in, if it has one."""

    id: int
    public_id: bytes
    person_id: int
    type_id: bytes
    name: str
    at: int
    received_at: int
    source: str
    message_id: str | None
    properties: str
    key: str | None


_workspace, _limit = bound("workspace"), bound("limit")
_told: Final = events.c.source != literal_column("'action'")
_gone = people.alias("gone")
_of_somebody = ~exists().where(_gone.c.id == events.c.person_id, _gone.c.erased_at.is_not(None))
"""Rows of somebody erased are dropped page by page, and nobody sees those that are still there."""
_type = (
    select(event_types.c.id)
    .where(event_types.c.workspace_id == _workspace, event_types.c.public_id == bound("type"))
    .scalar_subquery()
)
_type_named = (
    select(event_types.c.id)
    .where(event_types.c.workspace_id == _workspace, event_types.c.name == bound("name"))
    .scalar_subquery()
)
_key = (
    select(idempotency.c.key)
    .where(
        idempotency.c.public_id == events.c.public_id,
        idempotency.c.namespace != literal_column("'message'"),
        idempotency.c.namespace == bound("namespace"),
        idempotency.c.workspace_id == _workspace,
    )
    .scalar_subquery()
)
_OTHER: Final[dict[str, ColumnElement[Any]]] = {
    "type_id": event_types.c.public_id, "name": event_types.c.name, "key": _key.label("key"),
}  # fmt: skip
_given: Final = ("workspace", "namespace")


def _records() -> Select[Any]:
    columns = [_OTHER[one] if one in _OTHER else events.c[one] for one in Record._fields]
    return select(*columns).join(event_types, event_types.c.id == events.c.type_id)


ONE = Prepared(
    _records().where(
        events.c.workspace_id == _workspace, events.c.public_id == bound("public_id"), _told, _of_somebody
    ),
    *_given, "public_id",
)  # fmt: skip

# The sum keeps SQLite from walking the whole table by row to a person's few events.
_row = events.c.id + literal_column("0")


def _arrivals(of_person: bool, of_type: bool) -> Prepared:
    """A page behind a row, newest first."""
    order = [*_given, "behind", "limit"]
    if of_person:
        wanted = _records().where(events.c.person_id == bound("person"), _told, _row < bound("behind"))
        wanted = wanted.order_by(_row.desc()).limit(_limit)
        if of_type:
            return Prepared(wanted.where(events.c.type_id == _type), *order, "person", "type")
        return Prepared(wanted, *order, "person")
    newest = select(events.c.id).where(
        events.c.workspace_id == _workspace, _told, events.c.id < bound("behind"), _of_somebody
    )
    newest = newest.order_by(events.c.id.desc()).limit(_limit)
    page = _records().order_by(events.c.id.desc()).limit(_limit)
    if of_type:
        return Prepared(page.where(events.c.id.in_(newest.where(events.c.type_id == _type))), *order, "type")
    return Prepared(page.where(events.c.id.in_(_newest_of_each(newest))), *order)


def _newest_of_each(newest: Select[Any]) -> Select[Any]:
    """A page of each type: what is asked for is among them, and each is read from its index's end."""
    kinds = event_types.alias("kinds")
    found = events.alias("found")
    of_kind = newest.where(events.c.type_id == kinds.c.id).correlate(kinds)
    return (
        select(found.c.id).select_from(kinds).join(found, found.c.id.in_(of_kind)).where(
            kinds.c.workspace_id == _workspace
        )
    )  # fmt: skip


def _total(of_person: bool, of_type: bool) -> Prepared:
    wanted, order = select(func.count()).select_from(events).where(_told), []
    if of_person:
        wanted, order = wanted.where(events.c.person_id == bound("person")), ["person"]
    else:
        wanted, order = wanted.where(events.c.workspace_id == _workspace), ["workspace"]
    if not of_type:
        return Prepared(wanted, *order)
    order += ["type"] if "workspace" in order else ["workspace", "type"]
    return Prepared(wanted.where(events.c.type_id == _type), *order)


ARRIVALS: Final = {(person, kind): _arrivals(person, kind) for person, kind in product((False, True), repeat=2)}
TOTALS: Final = {(person, kind): _total(person, kind) for person, kind in product((False, True), repeat=2)}


def _happenings(of_name: bool) -> tuple[Prepared, Prepared]:
    """A person's events between two moments, the latest first, and how many they are."""
    between = (
        events.c.person_id == bound("person"), events.c.at > bound("since"), events.c.at < bound("until"), _told,
    )  # fmt: skip
    wanted, count = _records().where(*between), select(func.count()).select_from(events).where(*between)
    names, given = ["person", "since", "until"], [*_given]
    if of_name:
        wanted, count = wanted.where(events.c.type_id == _type_named), count.where(events.c.type_id == _type_named)
        names += ["name"]
    page = wanted.order_by(events.c.at.desc(), events.c.id.desc()).limit(_limit).offset(bound("offset"))
    counted = [*(["workspace"] if of_name else []), *names]
    return Prepared(page, *given, *names, "limit", "offset"), Prepared(count, *counted)


HAPPENINGS: Final = {name: _happenings(name) for name in (False, True)}


def one(connection: Connection, workspace: int, public_id: bytes, namespace: str) -> Record | None:
    """The event of a public id; ``namespace`` is the one whose key it may have come with."""
    row = ONE.row(connection, workspace, namespace, public_id)
    return None if row is None else Record._make(row)


def arrivals(
    connection: Connection,
    workspace: int,
    *,
    person: int | None,
    type_id: bytes | None,
    behind: int,
    limit: int,
    namespace: str,
) -> list[Record]:
    """Events that arrived before the row ``behind``, newest first. One statement."""
    values = [workspace, namespace, behind, limit, *_filters(person, type_id)]
    rows = ARRIVALS[person is not None, type_id is not None].rows(connection, *values)
    return list(map(Record._make, rows))


def total(connection: Connection, workspace: int, *, person: int | None, type_id: bytes | None) -> int:
    """How many events a filter has. Counts by index; a person's by their timeline."""
    if person is None:
        values: list[object] = [workspace, *_filters(None, type_id)]
    else:
        values = [person] if type_id is None else [person, workspace, type_id]
    row = TOTALS[person is not None, type_id is not None].row(connection, *values)
    assert row is not None
    return int(row[0])


def _filters(person: int | None, type_id: bytes | None) -> list[object]:
    return [one for one in (person, type_id) if one is not None]


def happenings(
    connection: Connection,
    workspace: int,
    person: int,
    *,
    name: str | None,
    since: int,
    until: int,
    limit: int,
    offset: int,
    namespace: str,
) -> tuple[list[Record], int]:
    """A person's events after ``since`` and before ``until``, the latest first, and how many they are in all."""
    page, count = HAPPENINGS[name is not None]
    asked: list[object] = [person, since, until, *([] if name is None else [name])]
    rows = page.rows(connection, workspace, namespace, *asked, limit, offset)
    found = count.row(connection, *([] if name is None else [workspace]), *asked)
    assert found is not None
    return list(map(Record._make, rows)), int(found[0])
