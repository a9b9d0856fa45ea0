"""Mail addresses: whose they are, and which take no mail any more.

The latter are kept as digests: enough to know one again, and not to read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, and_, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import attribute_changes, unreachable

_digests = batch("digests", digest=str)
_known = and_(
    unreachable.c.workspace_id == bound("workspace"),
    unreachable.c.kind == bound("of_kind"),
    unreachable.c.digest == _digests["digest"],
)
FOUND = Prepared(
    select(unreachable.c.digest).select_from(_digests.joined(unreachable, _known)), "workspace", "of_kind", "digests"
)
FORGET = Prepared(
    unreachable.delete().where(
        unreachable.c.workspace_id == bound("workspace"),
        unreachable.c.kind == bound("of_kind"),
        unreachable.c.digest == bound("of_digest"),
    ),
    "workspace", "of_kind", "of_digest",
)  # fmt: skip
_emails = batch("emails", email=str)
_has = and_(attribute_changes.c.workspace_id == bound("workspace"), attribute_changes.c.email == _emails["email"])
OWNERS = Prepared(
    select(attribute_changes.c.email, attribute_changes.c.person_id)
    .select_from(_emails.joined(attribute_changes, _has))
    .distinct(),
    "workspace", "emails",
)  # fmt: skip
_INSERT = inserting(unreachable, "workspace_id", "kind", "digest", "at", "reason")


def owners(connection: Connection, workspace: int, emails: Iterable[str]) -> list[tuple[str, int]]:
    """Addresses, in small letters, with everybody whose attribute ``email`` has ever been that. One statement."""
    wanted = sorted({one.lower() for one in emails})
    return [(email, person) for email, person in OWNERS.rows(connection, workspace, listed(wanted))]


def add_unreachable(connection: Connection, workspace: int, kind: str, addresses: Mapping[str, str], now: int) -> None:
    """Note addresses that a kind of channel cannot reach, each with the reason; the first reason stands."""
    known = unreachable_among(connection, workspace, kind, addresses)
    fresh = {digest(one): reason for one, reason in addresses.items() if one not in known}
    _INSERT.many(connection, [(workspace, kind, one, now, reason) for one, reason in fresh.items()])


def unreachable_among(connection: Connection, workspace: int, kind: str, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that cannot be reached. One statement."""
    digests = {one: digest(one) for one in addresses}
    if not digests:
        return set()
    found = {one for (one,) in FOUND.rows(connection, workspace, kind, listed(sorted(set(digests.values()))))}
    return {one for one, known in digests.items() if known in found}


def forget_unreachable(connection: Connection, workspace: int, kind: str, address: str) -> bool:
    """Let an address be tried again; False where it was not noted."""
    return FORGET.run(connection, workspace, kind, digest(address)) > 0


def digest(address: str) -> str:
    """What an address is known by. Capitals do not count."""
    return hashlib.blake2b(address.strip().lower().encode(errors="replace"), digest_size=16).hexdigest()
