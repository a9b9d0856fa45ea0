"""The read face: events of a person or of all, newest first, page by page; and how often each came about."""

from __future__ import annotations

from itertools import product
from typing import Any, Final, Literal

from sqlalchemy import Connection, Select, func, literal_column, or_, select

from engine.store.prepared import Prepared, bound
from engine.store.rows import Bucket, Shown
from engine.store.schema import event_types, events, people

Every = Literal["hour", "day", "week"]

_HOUR: Final = 3_600_000_000
_LENGTHS: Final[dict[Every, int]] = {"hour": _HOUR, "day": 24 * _HOUR, "week": 7 * 24 * _HOUR}
_MONDAY: Final = 4 * 24 * _HOUR
"""1970 began on a Thursday; its first Monday was the 5th. Weeks begin on Mondays, all in UTC."""

_ALWAYS: Final = 2**63 - 1

_workspace = bound("workspace")
_type = (
    select(event_types.c.id)
    .where(event_types.c.workspace_id == _workspace, event_types.c.name == bound("name"))
    .scalar_subquery()
)
_own = {"person_public_id": people.c.public_id, "name": event_types.c.name}
_between = (events.c.at >= bound("since"), events.c.at < bound("until"))


def _page(of_person: bool, of_name: bool) -> Prepared:
    """A page of events behind a cursor, by the index of what is asked for."""
    wanted: Select[Any] = (
        select(events.c.id, *(_own.get(one, events.c.get(one)) for one in Shown._fields))
        .join(event_types, event_types.c.id == events.c.type_id)
        .join(people, people.c.id == events.c.person_id)
        .where(
            *_between,
            events.c.at <= bound("at"),
            or_(events.c.at < bound("at"), events.c.id < bound("behind")),
        )
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(bound("limit"))
    )
    names = ["since", "until", "at", "behind", "limit"]
    if of_person:
        wanted = wanted.where(events.c.person_id == bound("person"))
        names.append("person")
    else:
        wanted = wanted.where(events.c.workspace_id == _workspace)
    if of_name:
        wanted = wanted.where(events.c.type_id == _type)
        names.append("name")
    if of_name or not of_person:
        names.append("workspace")
    return Prepared(wanted, *names)


PAGES: Final = {(person, name): _page(person, name) for person, name in product((False, True), repeat=2)}


def _counts(of_name: bool) -> Prepared:
    """Counts by index alone; whole division of integers is the same on every database, and ``at`` is never negative."""
    offset, length = bound("offset"), bound("length")
    start = (((events.c.at - offset) // length) * length + offset).label("start")
    asked = select(start, events.c.type_id, func.count().label("times")).where(
        events.c.workspace_id == _workspace, *_between
    )
    names = ["workspace", "since", "until", "offset", "length"]
    if of_name:
        asked = asked.where(events.c.type_id == _type)
        names.append("name")
    found = asked.group_by(literal_column("1"), events.c.type_id).subquery()
    return Prepared(
        select(found.c.start, event_types.c.name, found.c.times)
        .join(event_types, event_types.c.id == found.c.type_id)
        .order_by(found.c.start, event_types.c.name),
        *names,
    )


COUNTS: Final = {name: _counts(name) for name in (False, True)}


def page(
    connection: Connection,
    workspace: int,
    *,
    person: int | None = None,
    name: str | None = None,
    since: int | None = None,
    until: int | None = None,
    after: str | None = None,
    limit: int = 100,
) -> tuple[list[Shown], str | None]:
    """A page of events, newest first, and the cursor of the next one; None where there is none.

    ``since`` is included, ``until`` is not; microseconds UTC. ``person`` is a row, as ``people.find`` gives it.
    Events that come in between two pages change nothing about those behind the cursor. One statement.
    """
    at, behind = _place(after)
    values: list[object] = [since or 0, _ALWAYS if until is None else until, at, behind, limit + 1]
    if person is not None:
        values.append(person)
    if name is not None:
        values.append(name)
    if name is not None or person is None:
        values.append(workspace)
    rows = PAGES[person is not None, name is not None].rows(connection, *values)
    shown = [Shown._make(row[1:]) for row in rows[:limit]]
    more = len(rows) > limit > 0
    return shown, f"{rows[limit - 1][4]}.{rows[limit - 1][0]}" if more else None


def counts(
    connection: Connection,
    workspace: int,
    *,
    since: int,
    until: int,
    name: str | None = None,
    by: Every = "day",
) -> list[Bucket]:
    """How often each event came about in every UTC hour, day or week (from Monday) that saw any. One statement."""
    length = _LENGTHS[by]
    offset = _MONDAY - length if by == "week" else 0
    values: list[object] = [workspace, since, until, offset, length]
    if name is not None:
        values.append(name)
    return list(map(Bucket._make, COUNTS[name is not None].rows(connection, *values)))


def _place(cursor: str | None) -> tuple[int, int]:
    """Where a cursor points: a moment and a row. Raises ValueError for one that is none."""
    if cursor is None:
        return _ALWAYS, _ALWAYS
    at, dot, row = cursor.partition(".")
    if not (dot and at.isdecimal() and row.isdecimal() and int(at) <= _ALWAYS and int(row) <= _ALWAYS):
        raise ValueError(f"'{cursor}' is no cursor; pass on what the page before gave, unchanged")
    return int(at), int(row)
