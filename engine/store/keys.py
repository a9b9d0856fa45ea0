"""Keys of the HTTP service, as rows. A secret is never stored: only its digest, under the key's public id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, literal_column, or_, select, update

from engine.store.prepared import Prepared, bound, inserting, next_id
from engine.store.schema import api_keys


class KeyRow(NamedTuple):
    """A key. ``scopes`` is a JSON list; moments are microseconds UTC. ``id`` is the store's to give."""

    id: int
    workspace_id: int
    public_id: bytes
    digest: bytes
    name: str | None
    role: str | None
    scopes: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None


_columns = [api_keys.c[one] for one in KeyRow._fields]
BY_PUBLIC_ID = Prepared(select(*_columns).where(api_keys.c.public_id == bound("public_id")), "public_id")
OF_WORKSPACE = Prepared(
    select(*_columns).where(api_keys.c.workspace_id == bound("workspace")).order_by(api_keys.c.id), "workspace"
)
ANY_USABLE = Prepared(
    select(api_keys.c.id)
    .where(api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > bound("now")))
    .limit(literal_column("1")),
    "now",
)
_INSERT = inserting(api_keys, *KeyRow._fields)
_REVOKE = Prepared(
    update(api_keys)
    .where(
        api_keys.c.workspace_id == bound("workspace"),
        api_keys.c.public_id == bound("key"),
        api_keys.c.revoked_at.is_(None),
    )
    .values(revoked_at=bound("now")),
    "workspace", "key", "now",
)  # fmt: skip
_USED = Prepared(update(api_keys).where(api_keys.c.id == bound("row")).values(last_used_at=bound("at")), "row", "at")


def insert(connection: Connection, row: KeyRow) -> KeyRow:
    """Add a key; gives it with its id."""
    added = row._replace(id=next_id(connection, api_keys))
    _INSERT.many(connection, [added])
    return added


def by_public_id(connection: Connection, public_id: bytes) -> KeyRow | None:
    """The key of a public id, whatever its workspace and whether or not it is still good."""
    found = BY_PUBLIC_ID.row(connection, public_id)
    return None if found is None else KeyRow._make(found)


def of_workspace(connection: Connection, workspace: int) -> list[KeyRow]:
    """All keys of a workspace, oldest first, revoked ones too."""
    return list(map(KeyRow._make, OF_WORKSPACE.rows(connection, workspace)))


def any_usable(connection: Connection, now: int) -> bool:
    """Whether there is a key, of any workspace, that would be let in now."""
    return ANY_USABLE.row(connection, now) is not None


def revoke(connection: Connection, workspace: int, public_id: bytes, now: int) -> bool:
    """Take a key of this workspace out of use for good. False when there is none that was in use."""
    return _REVOKE.run(connection, workspace, public_id, now) > 0


def note_used(connection: Connection, used: Iterable[tuple[int, int]]) -> None:
    """Write down when keys were last used: rows and moments."""
    _USED.many(connection, used)
