"""Addresses that take no mail any more, for those who look; and how one is let go.

The store knows them by digests alone. An address is shown as long as the bounce stands on somebody's timeline: that
names the action that went there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.clock import iso
from engine.runtime import cursors
from engine.runtime.pressure import EMAIL, address_of
from engine.runtime.reports import BOUNCED
from engine.store import Connection, addresses, outbox
from engine.store.addresses import UnreachableRow

_DIGITS: Final = 15
"""Hex digits of a digest in a cursor: as many as a place holds, and enough to tell any two apart."""


@dataclass(frozen=True)
class Unreachable:
    """An address that takes no mail any more, ``since`` its bounce (microseconds UTC), and by whose words.

    ``address`` is None once nobody's timeline tells of it, as after its person was erased. ``channel_type`` is the kind
    of channel that sends nothing there.
    """

    address: str | None
    channel_type: str
    since: int
    reason: str

    def plain(self) -> dict[str, Any]:
        return {**self.__dict__, "since": iso(self.since)}


@dataclass(frozen=True)
class UnreachablePage:
    """Addresses, the latest bounce first. ``after`` is what to ask the next page with; None: there is none."""

    items: tuple[Unreachable, ...] = ()
    after: str | None = None

    def plain(self) -> dict[str, Any]:
        return {"addresses": [one.plain() for one in self.items], "after": self.after}


def page(connection: Connection, workspace: int, limit: int, after: str | None) -> UnreachablePage:
    """A page of addresses behind ``after``, in a constant number of statements.

    Raises ConfigError for an ``after`` that no page gave.
    """
    place = cursors.behind(connection, workspace, "addresses", after)
    rows = addresses.unreachable_page(connection, workspace, place.at, f"{place.row:0{_DIGITS}x}", limit + 1)
    found = rows[:limit]
    known = _known(connection, workspace, found)
    items = tuple(Unreachable(known.get(row.digest), row.kind, row.at, row.reason) for row in found)
    following = None
    if len(rows) > limit:
        last = found[-1]
        following = cursors.cursor(connection, workspace, "addresses", (last.at, int(last.digest[:_DIGITS], 16)))
    return UnreachablePage(items, following)


def forget(connection: Connection, workspace: int, address: str) -> bool:
    """Let mail go to an address again; False where nothing kept it."""
    return addresses.forget_unreachable(connection, workspace, EMAIL, address)


def _known(connection: Connection, workspace: int, rows: Sequence[UnreachableRow]) -> dict[str, str]:
    """Addresses by their digests: those that the actions went to which the bounces name."""
    told = addresses.told_at(connection, workspace, BOUNCED, {row.at for row in rows}) if rows else []
    keys = sorted({key for one in told if isinstance(key := one.get("key"), str)})
    sent = outbox.by_key(connection, workspace, keys) if keys else []
    return {addresses.digest(one): one.strip() for row in sent if (one := address_of(row)) is not None}
