"""A person's end: what is theirs goes, what is counted stays without them, and their ids are refused for a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from engine.store.outbox import ERASED
from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import (
    answers,
    attribute_changes,
    events,
    idempotency,
    identifiers,
    journeys,
    outbox,
    people,
    rules,
    set_aside,
    tombstones,
    watches,
)

_workspace, _person = bound("workspace"), bound("person")
_erased: ColumnElement[str] = literal_column(f"'{ERASED}'")
_ids = batch("ids", id=int)

# ------------------------------------------------------------------------------------------ whose ids are refused

_digests = batch("digests", digest=str)
ANY = Prepared(select(tombstones.c.digest).where(tombstones.c.workspace_id == _workspace).limit(literal_column("1")),
               "workspace")  # fmt: skip
BURIED = Prepared(
    select(tombstones.c.digest)
    .select_from(_digests.joined(tombstones, tombstones.c.digest == _digests["digest"]))
    .where(tombstones.c.workspace_id == _workspace, tombstones.c.until > bound("now")),
    "workspace", "digests", "now",
)  # fmt: skip
_FREE = Prepared(
    tombstones.delete().where(tombstones.c.workspace_id == _workspace, tombstones.c.digest == bound("of")),
    "workspace", "of",
)  # fmt: skip
_BURY = inserting(tombstones, "workspace_id", "digest", "until")
EXPIRE = Prepared(tombstones.delete().where(tombstones.c.until <= bound("now")), "now")


def any_buried(connection: Connection, workspace: int) -> bool:
    """Whether any ids are refused."""
    return ANY.row(connection, workspace) is not None


def buried(connection: Connection, workspace: int, digests: Iterable[str], now: int) -> set[str]:
    """Those of the digests that are refused. One statement."""
    return {digest for (digest,) in BURIED.rows(connection, workspace, listed(digests), now)}


def bury(connection: Connection, workspace: int, digests: Sequence[str], until: int) -> None:
    """Refuse ids until a moment."""
    _FREE.many(connection, [(workspace, one) for one in digests])
    _BURY.many(connection, [(workspace, one, until) for one in digests])


def expire(connection: Connection, now: int) -> int:
    """Refuse no longer, in any workspace, what was to be refused until ``now``; gives how many ids."""
    return EXPIRE.run(connection, now)


# ------------------------------------------------------------------------------------------ what is theirs

MERGED = Prepared(select(people.c.id, people.c.public_id).where(people.c.merged_into == _person), "person")

_message_ids = union_all(
    *(
        select(one.c.message_id).where(one.c.person_id == _person, one.c.message_id.is_not(None))
        for one in (events, attribute_changes)
    )
)
_public_ids = union_all(
    *(select(one.c.public_id).where(one.c.person_id == _person) for one in (events, attribute_changes))
)
FORGET_MESSAGES = Prepared(
    idempotency.delete().where(
        idempotency.c.workspace_id == _workspace,
        idempotency.c.namespace == literal_column("'message'"),
        idempotency.c.key.in_(_message_ids),
    ),
    "workspace", "person",
)  # fmt: skip
FORGET_KEYS = Prepared(
    idempotency.delete().where(
        idempotency.c.namespace != literal_column("'message'"),
        idempotency.c.public_id.in_(_public_ids),
        idempotency.c.workspace_id == _workspace,
    ),
    "workspace", "person",
)  # fmt: skip


def _gone(table: Table) -> Prepared:
    return Prepared(table.delete().where(table.c.person_id == _person), "person")


GONE = {table.name: _gone(table) for table in (answers, events, attribute_changes, identifiers)}
UNWATCH = Prepared(
    watches.delete().where(watches.c.workspace_id == _workspace, watches.c.person_id == _person),
    "workspace", "person",
)  # fmt: skip
_rules = select(rules.c.id).where(rules.c.workspace_id == _workspace)
TAKE_UP = Prepared(
    set_aside.delete().where(
        set_aside.c.workspace_id == _workspace,
        set_aside.c.rule.in_(_rules),
        set_aside.c.person_id.in_(select(_ids["id"])),
    ),
    "workspace", "ids",
)  # fmt: skip
FORGET_PEOPLE = Prepared(people.delete().where(people.c.id.in_(select(_ids["id"]))), "ids")

# ------------------------------------------------------------------------------------------ what stays, without them

_waits = journeys.c.ended_at.is_(None)
_undone = and_(
    journeys.c.acted_at.is_(None),
    exists().where(
        outbox.c.person_id == journeys.c.person_id,
        outbox.c.rule == journeys.c.rule,
        outbox.c.journey_id == journeys.c.id,
        outbox.c.status.in_([literal_column("'held'"), literal_column("'pending'")]),
    ),
)
BLANK_JOURNEYS = Prepared(
    journeys.update()
    .where(journeys.c.person_id == _person)
    .values(
        reason=case((or_(_waits, _undone), _erased), else_=journeys.c.reason),
        ended_at=case((_waits, bound("now")), else_=journeys.c.ended_at),
        due_at=None,
        value=literal_column("''"),
        trigger_key=literal_column("''"),
        limit_values=literal_column("'[]'"),
        state=literal_column("''"),
    ),
    "person", "now",
)  # fmt: skip


def _one_of(*states: str) -> ColumnElement[bool]:
    return outbox.c.status.in_([literal_column(f"'{state}'") for state in states])


_unsent, _left = _one_of("held", "pending"), _one_of("sending", "failed")
BLANK_ACTIONS = Prepared(
    outbox.update()
    .where(outbox.c.person_id == _person)
    .values(
        status=case((_unsent, literal_column("'cancelled'")), (_left, literal_column("'dead'")), else_=outbox.c.status),
        reason=case((or_(_unsent, _left), _erased), else_=outbox.c.reason),
        ready_at=None,
        error=None,
        recipient=None,
        body=None,
        variables=literal_column("'{}'"),
    ),
    "person",
)
ON_THE_WIRE = Prepared(
    select(func.count()).where(outbox.c.person_id == _person, _one_of("sending")),
    "person",
)
BLANK_PERSON = Prepared(
    people.update()
    .where(people.c.id == _person)
    .values(public_id=bound("new_id"), first_seen=None, erased_at=bound("now")),
    "person", "new_id", "now",
)  # fmt: skip


def merged(connection: Connection, person: int) -> dict[int, bytes]:
    """The people who turned out to be this one: their rows and public ids."""
    return dict(MERGED.rows(connection, person))


def erase(
    connection: Connection, workspace: int, person: int, others: Sequence[int], now: int, new_id: bytes
) -> dict[str, int]:
    """Take out what is a person's; ``others`` are those merged into them. Gives how many rows of each kind.

    Journeys and actions stay as rows of somebody unknown, so that what rules did stays counted: those that waited have
    ended, those on their way are given up. ``on_the_wire`` are those that a sender had taken up, and may be handing
    over now; nothing else leaves. A constant number of statements, each by an index.
    """
    keys = FORGET_MESSAGES.run(connection, workspace, person) + FORGET_KEYS.run(connection, workspace, person)
    counts = {name: statement.run(connection, person) for name, statement in GONE.items()}
    TAKE_UP.run(connection, workspace, listed([person, *others]))
    watched = UNWATCH.run(connection, workspace, person)
    ended = BLANK_JOURNEYS.run(connection, person, now)
    on_the_wire = ON_THE_WIRE.row(connection, person)
    actions = BLANK_ACTIONS.run(connection, person)
    FORGET_PEOPLE.run(connection, listed(others))
    BLANK_PERSON.run(connection, person, new_id, now)
    told = {"keys": keys, "watches": watched, "journeys": ended, "actions": actions}
    return {**counts, **told, "on_the_wire": on_the_wire[0] if on_the_wire else 0}
