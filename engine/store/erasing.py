"""A person's end: what is theirs goes, what is counted stays without them, and their ids are refused for a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    exists,
    literal_column,
    or_,
    select,
)

from engine.store import faults
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

_messages = batch("messages", key=str)
FORGET_MESSAGES = Prepared(
    idempotency.delete().where(
        idempotency.c.workspace_id == _workspace,
        idempotency.c.namespace == literal_column("'message'"),
        idempotency.c.key.in_(select(_messages["key"])),
    ),
    "workspace", "messages",
)  # fmt: skip


def _entries(table: Table) -> tuple[Prepared, Prepared, Prepared]:
    """Of a person: some rows with their message ids; the keys of doors under which rows came in; to drop rows."""
    of_rows = table.c.id.in_(select(_ids["id"]))
    return (
        Prepared(
            select(table.c.id, table.c.message_id).where(table.c.person_id == _person).limit(bound("limit")),
            "person", "limit",
        ),
        Prepared(
            idempotency.delete().where(
                idempotency.c.namespace != literal_column("'message'"),
                idempotency.c.public_id.in_(select(table.c.public_id).where(of_rows)),
                idempotency.c.workspace_id == _workspace,
            ),
            "workspace", "ids",
        ),
        Prepared(table.delete().where(of_rows), "ids"),
    )  # fmt: skip


EVENTS = _entries(events)
CHANGES = _entries(attribute_changes)
ANSWERS = Prepared(
    select(answers.c.namespace, answers.c.key).where(answers.c.person_id == _person).limit(bound("limit")),
    "person", "limit",
)  # fmt: skip
FORGET_ANSWER = Prepared(
    answers.delete().where(
        answers.c.workspace_id == _workspace,
        answers.c.namespace == bound("of_namespace"),
        answers.c.key == bound("of_key"),
    ),
    "workspace", "of_namespace", "of_key",
)  # fmt: skip
FORGET_IDENTIFIERS = Prepared(identifiers.delete().where(identifiers.c.person_id == _person), "person")
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


def _rows_of(table: Table) -> Prepared:
    """A page of a person's rows behind one of them, from the index alone."""
    behind = (table.c.person_id == _person, table.c.id > bound("after"))
    return Prepared(
        select(table.c.id).where(*behind).order_by(table.c.id).limit(bound("limit")), "person", "after", "limit"
    )


JOURNEYS = _rows_of(journeys)
BLANK_JOURNEYS = Prepared(
    journeys.update()
    .where(journeys.c.id.in_(select(_ids["id"])))
    .values(
        reason=case((or_(_waits, _undone), _erased), else_=journeys.c.reason),
        ended_at=case((_waits, bound("now")), else_=journeys.c.ended_at),
        due_at=None,
        value=literal_column("''"),
        trigger_key=literal_column("''"),
        limit_values=literal_column("'[]'"),
        state=literal_column("''"),
    ),
    "ids", "now",
)  # fmt: skip


def _one_of(*states: str) -> ColumnElement[bool]:
    return outbox.c.status.in_([literal_column(f"'{state}'") for state in states])


_unsent, _left = _one_of("held", "pending"), _one_of("sending", "failed")
ACTIONS = _rows_of(outbox)
BLANK_ACTIONS = Prepared(
    outbox.update()
    .where(outbox.c.id.in_(select(_ids["id"])))
    .values(
        status=case((_unsent, literal_column("'cancelled'")), (_left, literal_column("'dead'")), else_=outbox.c.status),
        reason=case((or_(_unsent, _left), _erased), else_=outbox.c.reason),
        ready_at=None,
        error=None,
        recipient=None,
        body=None,
        variables=literal_column("'{}'"),
    ),
    "ids",
)
ON_THE_WIRE = Prepared(select(outbox.c.id).where(outbox.c.person_id == _person, _one_of("sending")), "person")
OTHERS = Prepared(select(people.c.id).where(people.c.merged_into == _person).limit(bound("limit")), "person", "limit")
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
    """Make somebody unknown of a person; ``others`` are those merged into them. Gives how many rows of each kind.

    From here on nobody finds them by any id, nothing is decided of them and nothing leaves: ``on_the_wire`` are the
    actions that a sender had taken up, and may be handing over now. The rows that are theirs follow in :data:`STAGES`.
    """
    identifiers = FORGET_IDENTIFIERS.run(connection, person)
    TAKE_UP.run(connection, workspace, listed([person, *others]))
    faults.forget_people(connection, workspace, [person, *others])
    watched = UNWATCH.run(connection, workspace, person)
    on_the_wire = [row for (row,) in ON_THE_WIRE.rows(connection, person)]
    BLANK_ACTIONS.run(connection, listed(on_the_wire))
    BLANK_PERSON.run(connection, person, new_id, now)
    none = dict.fromkeys(("keys", "answers", "events", "attribute_changes", "journeys", "actions"), 0)
    return {**none, "identifiers": identifiers, "watches": watched, "on_the_wire": len(on_the_wire)}


Done = tuple[dict[str, int], int, int | None]
"""What a page has changed, how many rows it looked at, and behind which the next begins; nothing at the end."""

Stage = Callable[[Connection, int, int, int, int, int], Done]
"""A page of a person's rows: workspace, person, when they were erased, behind which row, how many."""


def _blank_journeys(connection: Connection, _workspace: int, person: int, now: int, after: int, limit: int) -> Done:
    """What rules did stays counted, without a word of content; what waited has ended."""
    rows = [row for (row,) in JOURNEYS.rows(connection, person, after, limit)]
    BLANK_JOURNEYS.run(connection, listed(rows), now)
    return {"journeys": len(rows)}, len(rows), rows[-1] if len(rows) == limit else None


def _blank_actions(connection: Connection, _workspace: int, person: int, _now: int, after: int, limit: int) -> Done:
    rows = [row for (row,) in ACTIONS.rows(connection, person, after, limit)]
    BLANK_ACTIONS.run(connection, listed(rows))
    return {"actions": len(rows)}, len(rows), rows[-1] if len(rows) == limit else None


def _dropping(kind: str, entries: tuple[Prepared, Prepared, Prepared]) -> Stage:
    """Drops a person's events, or changes of attributes, and the keys under which they came in."""
    page, doors, drop = entries

    def stage(connection: Connection, workspace: int, person: int, _now: int, _after: int, limit: int) -> Done:
        most = max(limit // 3, 1)  # with each entry may go its message id and the key of a door
        found = page.rows(connection, person, most)
        rows = listed(row for row, _ in found)
        keys = FORGET_MESSAGES.run(connection, workspace, listed(key for _, key in found if key is not None))
        keys += doors.run(connection, workspace, rows)
        drop.run(connection, rows)
        full = len(found) == most
        return {"keys": keys, kind: len(found)}, limit if full else len(found) + keys, 0 if full else None

    return stage


def _drop_answers(connection: Connection, workspace: int, person: int, _now: int, _after: int, limit: int) -> Done:
    found = ANSWERS.rows(connection, person, limit)
    FORGET_ANSWER.many(connection, [(workspace, *one) for one in found])
    return {"answers": len(found)}, len(found), 0 if len(found) == limit else None


def _drop_others(connection: Connection, _workspace: int, person: int, _now: int, _after: int, limit: int) -> Done:
    """Those who had been merged into the person."""
    found = [row for (row,) in OTHERS.rows(connection, person, limit)]
    FORGET_PEOPLE.run(connection, listed(found))
    return {}, len(found), 0 if len(found) == limit else None


STAGES: tuple[Stage, ...] = (
    _blank_journeys,
    _blank_actions,
    _dropping("events", EVENTS),
    _dropping("attribute_changes", CHANGES),
    _drop_answers,
    _drop_others,
)
"""The rows that are a person's, one kind after the other: an action says whether its journey was undone."""
