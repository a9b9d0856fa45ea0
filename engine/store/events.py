"""Events and attribute changes: taking them in, and reading timelines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count

import orjson
from sqlalchemy import Connection, literal_column, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed, next_id
from engine.store.rows import ChangeRow, EventRow, Holder, NewEvent
from engine.store.schema import attribute_changes, event_types, events, idempotency, people

NewIds = Callable[[int, int], Iterable[bytes]]
"""Makes public ids: how many, and when (microseconds UTC)."""

_names = batch("names", name=str)
TYPES = Prepared(
    select(event_types.c.name, event_types.c.id)
    .select_from(_names.joined(event_types, event_types.c.name == _names["name"]))
    .where(event_types.c.workspace_id == bound("workspace")),
    "workspace", "names",
)  # fmt: skip
_ADD_TYPE = inserting(event_types, "id", "workspace_id", "public_id", "name", "predefined", "created_at")

_keys = batch("keys", key=str)
HOLDERS = Prepared(
    select(idempotency.c.key, idempotency.c.digest, idempotency.c.public_id, idempotency.c.expires_at)
    .select_from(_keys.joined(idempotency, idempotency.c.key == _keys["key"]))
    .where(idempotency.c.workspace_id == bound("workspace"), idempotency.c.namespace == bound("namespace")),
    "workspace", "namespace", "keys",
)  # fmt: skip
_CLAIM = inserting(idempotency, "workspace_id", "namespace", "key", "digest", "public_id", "expires_at")
_FORGET = Prepared(
    idempotency.delete().where(
        idempotency.c.workspace_id == bound("workspace"),
        idempotency.c.namespace == bound("namespace"),
        idempotency.c.key.in_(select(_keys["key"])),
    ),
    "workspace", "namespace", "keys",
)  # fmt: skip
EXPIRE = Prepared(idempotency.delete().where(idempotency.c.expires_at <= bound("now")), "now")

_INSERT = inserting(events, *NewEvent._fields)
_INSERT_CHANGE = inserting(attribute_changes, "workspace_id", *ChangeRow._fields[1:], "email")

_wants = batch("wants", person=int, since=int)
_types = batch("types", id=int)
_columns = [event_types.c.name if one == "name" else events.c[one] for one in EventRow._fields]
_timelines = (
    select(*_columns)
    .select_from(_wants.joined(events, (events.c.person_id == _wants["person"]) & (events.c.at >= _wants["since"])))
    .join(event_types, event_types.c.id == events.c.type_id)
)
TIMELINES = Prepared(_timelines, "wants")
SHOWN_BY_HISTORY = Prepared(
    select(_wants["person"])
    .select_from(
        _wants.joined(people, people.c.id == _wants["person"]).join(
            events, (events.c.person_id == people.c.id) & (events.c.at == people.c.first_seen)
        )
    )
    .where(events.c.historical == literal_column("1"), events.c.received_at >= _wants["since"])
    .distinct(),
    "wants",
)
TIMELINES_OF = Prepared(_timelines.where(events.c.type_id.in_(select(_types["id"]))), "wants", "types")

_ids = batch("ids", id=int)
CHANGES = Prepared(
    select(*(attribute_changes.c[one] for one in ChangeRow._fields)).select_from(
        _ids.joined(attribute_changes, attribute_changes.c.person_id == _ids["id"])
    ),
    "ids",
)


def known_types(connection: Connection, workspace: int, names: Iterable[str]) -> dict[str, int]:
    """The rows of those event types that are known."""
    return dict(TYPES.rows(connection, workspace, listed(names)))


def intern(
    connection: Connection,
    workspace: int,
    names: Iterable[str],
    now: int,
    new_ids: Callable[[int, int], Iterable[bytes]],
) -> dict[str, int]:
    """The rows of event types by name; names not met before become types."""
    wanted = sorted(set(names))
    known = known_types(connection, workspace, wanted) if wanted else {}
    fresh = [name for name in wanted if name not in known]
    if fresh:
        rows = list(zip(count(next_id(connection, event_types)), new_ids(len(fresh), now), fresh, strict=False))
        _ADD_TYPE.many(connection, [(row, workspace, public_id, name, 0, now) for row, public_id, name in rows])
        known |= {name: row for row, _, name in rows}
    return known


def claim_messages(
    connection: Connection,
    workspace: int,
    namespace: str,
    rows: Iterable[tuple[str, bytes, bytes]],
    *,
    now: int | None = None,
    expires_at: int | None = None,
) -> dict[str, Holder]:
    """Claim keys for events, given as (key, digest, public id); gives whoever holds each key now.

    A key whose holder has the caller's own public id was free. Within a call, too, the first wins. ``now``
    frees keys that have expired by then; without it none has.
    """
    first: dict[str, Holder] = {}
    for key, digest, public_id in rows:
        first.setdefault(key, Holder(digest, public_id))
    if not first:
        return {}
    held, expired = {}, []
    for key, digest, public_id, end in HOLDERS.rows(connection, workspace, namespace, listed(first)):
        if now is not None and end is not None and end <= now:
            expired.append(key)
        else:
            held[key] = Holder(digest, public_id)
    if expired:
        _FORGET.run(connection, workspace, namespace, listed(expired))
    _CLAIM.many(
        connection,
        [(workspace, namespace, key, *one, expires_at) for key, one in first.items() if key not in held],
    )
    return first | held


def expire_claims(connection: Connection, now: int) -> int:
    """Drop the keys that have expired by ``now``; gives how many."""
    return EXPIRE.run(connection, now)


def insert(connection: Connection, rows: Sequence[NewEvent]) -> None:
    """Append events."""
    _INSERT.many(connection, rows)


def insert_changes(connection: Connection, workspace: int, rows: Sequence[ChangeRow]) -> None:
    """Append attribute changes."""
    _INSERT_CHANGE.many(connection, [(workspace, *row[1:], _email(row)) for row in rows])


def _email(row: ChangeRow) -> str | None:
    """What a change sets the attribute ``email`` to, in small letters."""
    found = orjson.loads(row.properties) if '"email"' in row.properties else None
    email = found.get("email") if isinstance(found, dict) else None
    return email.lower() if isinstance(email, str) else None


def timelines(
    connection: Connection, wants: Iterable[tuple[int, int]], type_ids: Iterable[int] | None = None
) -> list[EventRow]:
    """The events of (person, from when on), each person once; of some types or of all. One statement, no order."""
    if type_ids is None:
        found = TIMELINES.rows(connection, listed(wants))
    else:
        found = TIMELINES_OF.rows(connection, listed(wants), listed(type_ids))
    return list(map(EventRow._make, found))


def shown_by_history(connection: Connection, wants: Iterable[tuple[int, int]]) -> set[int]:
    """Return those of (person, since when) whom a historical event shows first that arrived since. One statement."""
    return {person for (person,) in SHOWN_BY_HISTORY.rows(connection, listed(wants))}


def changes(connection: Connection, ids: Iterable[int]) -> list[ChangeRow]:
    """All attribute changes of people, in no order. One statement."""
    return list(map(ChangeRow._make, CHANGES.rows(connection, listed(ids))))
