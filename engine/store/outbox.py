"""The outbox: what was decided to happen, until it has.

A row's key is unique: whatever decides an action again meets the same row. Statuses: ``held``, ``pending``,
``sending``, ``sent``, ``failed`` (to be tried again), ``dead``, ``parked``, ``cancelled``, ``suppressed``,
``skipped_late``.

A sender may take a row up while it is pending, failed or, once the claim on it is over, sending: then, and only
then, ``ready_at`` repeats ``due_at``. One partial index serves them all, and no list of states can miss it. It goes by
the action's name first, so that a channel that takes nothing holds up none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, literal_column, or_, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed, updating
from engine.store.rows import OutboxRow
from engine.store.schema import outbox

READY = frozenset({"pending", "failed", "sending"})
"""States in which a sender may take an action up."""

OPEN = frozenset({"held", "pending"})
"""States in which an action can still be withdrawn."""

ERASED = "erased"
"""The reason of what can no longer leave because the person was erased."""

RETAKEN = frozenset({"held", "pending", "cancelled", "suppressed", "skipped_late"})
"""States in which an action has not left, so that deciding it again replaces it."""

_workspace, _limit = bound("workspace"), bound("limit")
_columns = [outbox.c[one] for one in OutboxRow._fields]
_stored = (*OutboxRow._fields, "ready_at")
_INSERT = inserting(outbox, *_stored[1:])
_RETAKE = updating(outbox, *_stored)
_alive = outbox.c.reason.is_distinct_from(literal_column(f"'{ERASED}'"))
_progress = ("status", "reason", "attempts", "due_at", "left_at", "error", "channel", "ready_at")
SAVE = Prepared(
    outbox.update()
    .where(outbox.c.id == bound("row"), or_(_alive, bound("new_status") == literal_column("'sent'")))
    .values({one: bound(f"new_{one}") for one in _progress}),
    "row", *(f"new_{one}" for one in _progress),
)  # fmt: skip
SEAL = Prepared(
    outbox.update()
    .where(outbox.c.id == bound("row"), _alive)
    .values(body=bound("new_body"), recipient=bound("new_recipient"), sealed_as=bound("new_kind")),
    "row", "new_body", "new_recipient", "new_kind",
)  # fmt: skip

CLAIMED = Prepared(
    select(outbox.c.id).where(
        outbox.c.id == bound("row"),
        outbox.c.status == literal_column("'sending'"),
        outbox.c.attempts == bound("of_attempt"),
    ),
    "row",
    "of_attempt",
)
_persons = batch("persons", person=int)
LEFT = Prepared(
    select(outbox.c.person_id, outbox.c.left_at, outbox.c.purpose, outbox.c.tags).select_from(
        _persons.joined(
            outbox, and_(outbox.c.person_id == _persons["person"], outbox.c.left_at > bound("since"))
        )
    ),
    "persons", "since",
)  # fmt: skip
_ids = batch("ids", id=int)
BY_ID = Prepared(select(*_columns).select_from(_ids.joined(outbox, outbox.c.id == _ids["id"])), "ids")
_keys = batch("keys", key=str)
_known = _keys.joined(outbox, and_(outbox.c.workspace_id == _workspace, outbox.c.key == _keys["key"]))
KNOWN = Prepared(
    select(outbox.c.key, outbox.c.id, outbox.c.status, outbox.c.reason).select_from(_known), "workspace", "keys"
)
BY_KEY = Prepared(select(*_columns).select_from(_known), "workspace", "keys")


def _one_of(*states: str) -> ColumnElement[bool]:
    return outbox.c.status.in_([literal_column(f"'{state}'") for state in states])


_cancelled: dict[str, Any] = {"status": literal_column("'cancelled'"), "reason": bound("why"), "ready_at": None}
CANCEL = Prepared(outbox.update().where(outbox.c.id == bound("row")).values(_cancelled), "row", "why")

_names = batch("names", name=str)
_named = outbox.alias()
_of_name = (
    select(_named.c.id)
    .where(_named.c.workspace_id == _workspace, _named.c.name == _names["name"], _named.c.ready_at <= bound("now"))
    .order_by(_named.c.ready_at, _named.c.moment, _named.c.person_id, _named.c.id)
    .limit(_limit)
    .correlate(_names.rows)
)
CLAIMABLE = Prepared(
    select(*_columns)
    .select_from(_names.joined(outbox, outbox.c.id.in_(_of_name)))
    .order_by(outbox.c.ready_at, outbox.c.moment, outbox.c.person_id, outbox.c.id)
    .limit(_limit),
    "workspace", "names", "now", "limit",
)  # fmt: skip


def _ready(holder: FromClause) -> ColumnElement[bool]:
    return and_(holder.c.workspace_id == _workspace, holder.c.ready_at.is_not(None))


# Steps from name to name by the index: as many steps as there are names, however many actions wait.
_found = select(func.min(outbox.c.name).label("name")).where(_ready(outbox)).cte("found", recursive=True)
_next_name = select(func.min(_named.c.name)).where(_ready(_named), _named.c.name > _found.c.name).correlate(_found)
_found = _found.union_all(select(_next_name.scalar_subquery()).where(_found.c.name.is_not(None)))
_first = select(func.min(_named.c.ready_at)).where(_ready(_named), _named.c.name == _found.c.name).correlate(_found)
NEXT = Prepared(select(_found.c.name, _first.scalar_subquery()).where(_found.c.name.is_not(None)), "workspace")
# The sum keeps SQLite from taking an index on the workspace, and sorting all of it, for a page by row.
LISTING = Prepared(
    select(*_columns)
    .where(outbox.c.workspace_id + literal_column("0") == _workspace, outbox.c.id > bound("after"))
    .order_by(outbox.c.id)
    .limit(_limit),
    "workspace", "after", "limit",
)  # fmt: skip
OF_PERSON = Prepared(
    select(*_columns).where(outbox.c.person_id == bound("person")).order_by(outbox.c.moment, outbox.c.id), "person"
)
BEYOND = Prepared(
    select(*_columns)
    .where(outbox.c.workspace_id == _workspace, outbox.c.status == bound("state"), outbox.c.ready_at > bound("latest"))
    .limit(_limit),
    "workspace", "state", "latest", "limit",
)  # fmt: skip
OF_PEOPLE = Prepared(
    select(*_columns).select_from(_persons.joined(outbox, outbox.c.person_id == _persons["person"])), "persons"
)
COUNTS = Prepared(
    select(outbox.c.rule, outbox.c.status, func.count())
    .where(outbox.c.workspace_id == _workspace)
    .group_by(outbox.c.status, outbox.c.rule),
    "workspace",
)


def insert(connection: Connection, rows: Iterable[OutboxRow]) -> None:
    """Add actions. One that is there already and has not left takes the new state; one that has left stands.

    A key may come more than once in a call: the last one counts. All rows are of one workspace.
    """
    wanted = {row.key: row for row in rows}
    if not wanted:
        return
    workspace = next(iter(wanted.values())).workspace_id
    known = {key: (id, state) for key, id, *state in KNOWN.rows(connection, workspace, listed(wanted))}
    _INSERT.many(connection, [_stored_row(row)[1:] for key, row in wanted.items() if key not in known])
    taken = [_retaken(wanted[key], id, *state) for key, (id, state) in known.items() if state[0] in RETAKEN]
    _RETAKE.many(connection, map(_stored_row, taken))


def _retaken(row: OutboxRow, id: int, status: str, reason: str | None) -> OutboxRow:
    """The row in the place of one that is there; where it is suppressed as before, for the reason it was."""
    return row._replace(id=id, reason=reason if row.status == status and row.reason is None else row.reason)


def save(connection: Connection, rows: Iterable[OutboxRow]) -> None:
    """Write how far actions are: claimed, sent, failed and so on; what they carry stays as it was decided.

    Of one whose person was erased meanwhile nothing is written but that it was sent all the same.
    """
    SAVE.many(
        connection,
        [
            (
                row.id,
                row.status,
                row.reason,
                row.attempts,
                row.due_at,
                row.left_at,
                row.error,
                row.channel,
                _ready_at(row),
            )
            for row in rows
        ],
    )


def seal(connection: Connection, sealed: Iterable[tuple[int, bytes, str | None, str]]) -> None:
    """Keep what actions are sent as: rows, bytes, addresses, kinds of channels. Erased people keep nothing."""
    SEAL.many(connection, sealed)


def is_claimed(connection: Connection, row: OutboxRow) -> bool:
    """Whether an action is still claimed as it was: its person may have been erased since, or the claim be another."""
    return CLAIMED.row(connection, row.id, row.attempts) is not None


def left(connection: Connection, persons: Iterable[int], since: int) -> list[tuple[int, int, str, str]]:
    """What left for people after a moment: person, when its first attempt began, purpose and tags. One statement."""
    return [(one, at, purpose, tags) for one, at, purpose, tags in LEFT.rows(connection, listed(persons), since)]


def by_id(connection: Connection, ids: Iterable[int]) -> list[OutboxRow]:
    """Actions by their rows."""
    return list(map(OutboxRow._make, BY_ID.rows(connection, listed(ids))))


def withdraw(connection: Connection, workspace: int, keys: Iterable[str], reason: str) -> list[str]:
    """Cancel those of the actions that no sender has taken up; gives their keys."""
    wanted = list(keys)
    if not wanted:
        return []
    known = KNOWN.rows(connection, workspace, listed(wanted))
    found = [(key, row) for key, row, status, _ in known if status in OPEN]
    CANCEL.many(connection, [(row, reason) for _, row in found])
    return [key for key, _ in found]


def claimable(connection: Connection, workspace: int, names: Iterable[str], now: int, limit: int) -> list[OutboxRow]:
    """Actions of some names that may be sent now, the oldest first: new, to be tried again, or claimed so long ago that
    their sender is gone.

    To claim them, :func:`save` them in the same transaction as ``sending``, with ``due_at`` the end of the claim.
    """
    return list(map(OutboxRow._make, CLAIMABLE.rows(connection, workspace, listed(names), now, limit)))


def next_due(connection: Connection, workspace: int) -> dict[str, int]:
    """By the action's name, the earliest moment at which something may be sent, or a claim is over."""
    return dict(NEXT.rows(connection, workspace))


def beyond(connection: Connection, workspace: int, state: str, latest: int, limit: int) -> list[OutboxRow]:
    """Return actions in a state that may be taken up again only after ``latest`` (microseconds UTC)."""
    return list(map(OutboxRow._make, BEYOND.rows(connection, workspace, state, latest, limit)))


def by_key(connection: Connection, workspace: int, keys: Iterable[str]) -> list[OutboxRow]:
    """Actions by their keys."""
    return list(map(OutboxRow._make, BY_KEY.rows(connection, workspace, listed(keys))))


def listing(connection: Connection, workspace: int, after: int, limit: int) -> list[OutboxRow]:
    """Actions in the order in which they were first decided, behind the row ``after``."""
    return list(map(OutboxRow._make, LISTING.rows(connection, workspace, after, limit)))


def of_people(connection: Connection, persons: Iterable[int]) -> list[OutboxRow]:
    """Return all actions of some people. One statement."""
    return list(map(OutboxRow._make, OF_PEOPLE.rows(connection, listed(persons))))


def of_person(connection: Connection, person: int) -> list[OutboxRow]:
    """All actions of a person, by moment."""
    return list(map(OutboxRow._make, OF_PERSON.rows(connection, person)))


def counts(connection: Connection, workspace: int) -> dict[tuple[int, str], int]:
    """How many actions of each rule are in each state. Reads an index only."""
    return {(rule, status): number for rule, status, number in COUNTS.rows(connection, workspace)}


def _stored_row(row: OutboxRow) -> Sequence[object]:
    return (*row, _ready_at(row))


def _ready_at(row: OutboxRow) -> int | None:
    return row.due_at if row.status in READY else None
