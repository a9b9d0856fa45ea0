"""The read face: events of a person or of all, newest first, page by page; and how often each came about."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, exists, func, literal_column, or_, select

from engine.store.prepared import Prepared, batch, bound, listed
from engine.store.rows import Bucket, Shown, Stretch
from engine.store.schema import event_types, events, people

_ALWAYS: Final = 2**63 - 1

_workspace = bound("workspace")
_names = batch("names", name=str)
_types = (
    select(event_types.c.id)
    .select_from(_names.joined(event_types, event_types.c.name == _names["name"]))
    .where(event_types.c.workspace_id == _workspace)
)
_own = {"person_public_id": people.c.public_id, "name": event_types.c.name}
_behind = (
    events.c.at >= bound("since"),
    events.c.at < bound("until"),
    events.c.at <= bound("at"),
    or_(events.c.at < bound("at"), events.c.id < bound("behind")),
)
_gone = people.alias("gone")
_of_somebody = ~exists().where(_gone.c.id == events.c.person_id, _gone.c.erased_at.is_not(None))
"""Rows of somebody erased are dropped page by page, and nobody sees those that are still there."""
_newest = (events.c.at.desc(), events.c.id.desc())
_page_of: Final = ("since", "until", "at", "behind", "limit")


def _page(of_person: bool, of_names: bool) -> Prepared:
    """A page of events behind a cursor, by the index of what is asked for."""
    wanted: Select[Any] = (
        select(events.c.id, *(_own.get(one, events.c.get(one)) for one in Shown._fields))
        .join(event_types, event_types.c.id == events.c.type_id)
        .join(people, people.c.id == events.c.person_id)
        .where(people.c.erased_at.is_(None))
        .order_by(*_newest)
        .limit(bound("limit"))
    )
    if of_person:
        wanted = wanted.where(*_behind, events.c.person_id == bound("person"))
        if not of_names:
            return Prepared(wanted, *_page_of, "person")
        return Prepared(wanted.where(events.c.type_id.in_(_types)), *_page_of, "person", "workspace", "names")
    if of_names:
        return Prepared(wanted.where(events.c.id.in_(_newest_of_each())), *_page_of, "workspace", "names")
    return Prepared(wanted.where(*_behind, events.c.workspace_id == _workspace), *_page_of, "workspace")


def _newest_of_each() -> Select[Any]:
    """A page of each event type: what is asked for is among them, and each is read from its index's end."""
    kinds = _types.subquery("kinds")
    newest = (
        select(events.c.id)
        .where(*_behind, events.c.workspace_id == _workspace, events.c.type_id == kinds.c.id, _of_somebody)
        .order_by(*_newest)
        .limit(bound("limit"))
        .correlate(kinds)
    )
    found = events.alias("found")
    return select(found.c.id).select_from(kinds).join(found, found.c.id.in_(newest))


PAGES: Final = {(person, names): _page(person, names) for person, names in product((False, True), repeat=2)}

_stretches = batch("stretches", since=int, until=int, ahead=int)


def _counts(of_names: bool) -> Prepared:
    """Counts by index alone; whole division of integers is the same on every database, and no moment is negative."""
    local = events.c.at + _stretches["ahead"] - bound("origin")
    start = ((local // bound("length")) * bound("length") + bound("origin") - _stretches["ahead"]).label("start")
    asked = (
        select(start, events.c.type_id, func.count().label("times"))
        .select_from(_stretches.joined(events, events.c.workspace_id == _workspace))
        .where(events.c.at >= _stretches["since"], events.c.at < _stretches["until"])
    )
    names = ["workspace", "origin", "length", "stretches"]
    if of_names:
        asked = asked.where(events.c.type_id.in_(_types))
        names.append("names")
    found = asked.group_by(literal_column("1"), events.c.type_id).subquery()
    return Prepared(
        select(found.c.start, event_types.c.name, found.c.times)
        .join(event_types, event_types.c.id == found.c.type_id)
        .order_by(found.c.start, event_types.c.name),
        *names,
    )


def _outermost(moment: ColumnElement[int]) -> ScalarSelect[int]:
    return select(events.c.at).where(events.c.workspace_id == _workspace).order_by(moment).limit(1).scalar_subquery()


SPAN: Final = Prepared(select(_outermost(events.c.at.asc()), _outermost(events.c.at.desc())), "workspace")

COUNTS: Final = {names: _counts(names) for names in (False, True)}


def page(
    connection: Connection,
    workspace: int,
    *,
    person: int | None = None,
    names: Iterable[str] | None = None,
    since: int | None = None,
    until: int | None = None,
    behind: tuple[int, int] = (_ALWAYS, _ALWAYS),
    limit: int = 100,
) -> tuple[list[Shown], tuple[int, int] | None]:
    """A page of events, newest first, and the moment and row behind which the next begins; None where there is none.

    ``since`` is included, ``until`` is not; microseconds UTC. ``person`` is a row, as ``people.find`` gives it;
    ``names`` are those of event types, None meaning all. Events that come in between two pages change nothing
    about those behind that place. One statement.
    """
    values: list[object] = [since or 0, _ALWAYS if until is None else until, *behind, limit + 1]
    if person is not None:
        values.append(person)
    if names is not None or person is None:
        values.append(workspace)
    if names is not None:
        values.append(listed(names))
    rows = PAGES[person is not None, names is not None].rows(connection, *values)
    shown = [Shown._make(row[1:]) for row in rows[:limit]]
    more = len(rows) > limit > 0
    return shown, (shown[-1].at, rows[limit - 1][0]) if more else None


def span(connection: Connection, workspace: int) -> tuple[int, int] | None:
    """The moments of the first and the last event, microseconds UTC; None where there is none. One statement."""
    row = SPAN.row(connection, workspace)
    return None if row is None or row[0] is None else (row[0], row[1])


def counts(
    connection: Connection,
    workspace: int,
    stretches: Iterable[Stretch],
    *,
    length: int,
    origin: int = 0,
    names: Iterable[str] | None = None,
) -> list[Bucket]:
    """How often each event came about in every stretch of ``length`` that saw any. One statement.

    The lengths are laid end to end on the local clock, from ``origin`` on, and a bucket's start is given in UTC. One
    that the local clock jumps in comes in two parts, each laid by the clock of its own stretch of time.
    """
    values: list[object] = [workspace, origin, length, listed(map(tuple, stretches))]
    if names is not None:
        values.append(listed(names))
    return list(map(Bucket._make, COUNTS[names is not None].rows(connection, *values)))
