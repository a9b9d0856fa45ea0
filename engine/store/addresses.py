"""Mail addresses: whose they are, and which take no mail any more.

The latter are kept as digests: enough to know one again, and not to read it. The events that tell of their bounces are
found by the moment, as long as they are there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, and_, or_, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import attribute_changes, event_types, events, unreachable


class Bounce(NamedTuple):
    """When an address turned out to take no mail (microseconds UTC), and by whose words."""

    at: int
    reason: str


class UnreachableRow(NamedTuple):
    """An address that cannot be reached by a kind of channel, as it is kept."""

    kind: str
    digest: str
    at: int
    reason: str


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
_own = unreachable.c.workspace_id == bound("workspace")
_at, _digest = unreachable.c.at, unreachable.c.digest
PAGE = Prepared(
    select(*(unreachable.c[one] for one in UnreachableRow._fields))
    .where(_own, or_(_at < bound("before"), and_(_at == bound("before"), _digest < bound("of_digest"))))
    .order_by(_at.desc(), _digest.desc())
    .limit(bound("limit")),
    "workspace", "before", "of_digest", "limit",
)  # fmt: skip
_moments = batch("moments", at=int)
_named = (
    select(event_types.c.id)
    .where(event_types.c.workspace_id == bound("workspace"), event_types.c.name == bound("name"))
    .scalar_subquery()
)
_told = and_(events.c.workspace_id == bound("workspace"), events.c.type_id == _named, events.c.at == _moments["at"])
TOLD = Prepared(select(events.c.properties).select_from(_moments.joined(events, _told)), "workspace", "name", "moments")
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


def add_unreachable(connection: Connection, workspace: int, kind: str, bounces: Mapping[str, Bounce]) -> None:
    """Note addresses that a kind of channel cannot reach; the first bounce stands, its reason without the address."""
    known = unreachable_among(connection, workspace, kind, bounces)
    fresh = {
        digest(one): (bounce.at, _without(one, bounce.reason)) for one, bounce in bounces.items() if one not in known
    }
    _INSERT.many(connection, [(workspace, kind, one, at, reason) for one, (at, reason) in fresh.items()])


def unreachable_among(connection: Connection, workspace: int, kind: str, addresses: Iterable[str]) -> set[str]:
    """Those of the addresses that cannot be reached. One statement."""
    digests = {one: digest(one) for one in addresses}
    if not digests:
        return set()
    found = {one for (one,) in FOUND.rows(connection, workspace, kind, listed(sorted(set(digests.values()))))}
    return {one for one, known in digests.items() if known in found}


def unreachable_page(
    connection: Connection, workspace: int, before: int, of_digest: str, limit: int
) -> list[UnreachableRow]:
    """Addresses that cannot be reached, the latest bounce first: those that bounced before a moment, and of that moment
    those with a lesser digest. One statement, which reads all of the workspace: they are few.
    """
    return list(map(UnreachableRow._make, PAGE.rows(connection, workspace, before, of_digest, limit)))


def told_at(connection: Connection, workspace: int, name: str, moments: Iterable[int]) -> list[dict[str, Any]]:
    """What the events of a name say that happened at some moments. One statement."""
    found = TOLD.rows(connection, workspace, name, listed(sorted(set(moments))))
    return [orjson.loads(properties) for (properties,) in found]


def forget_unreachable(connection: Connection, workspace: int, kind: str, address: str) -> bool:
    """Let an address be tried again; False where it was not noted."""
    return FORGET.run(connection, workspace, kind, digest(address)) > 0


def digest(address: str) -> str:
    """What an address is known by. Capitals do not count."""
    return hashlib.blake2b(address.strip().lower().encode(errors="replace"), digest_size=16).hexdigest()


def _without(address: str, reason: str) -> str:
    written = address.strip()
    return re.sub(re.escape(written), "…", reason, flags=re.IGNORECASE) if written else reason
