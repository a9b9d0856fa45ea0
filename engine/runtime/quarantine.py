"""Refused items that are kept with the call they came in: listed, tried again, let go.

A tracker that is told of one bad message sends the whole batch again, for ever. So its door answers well and keeps what
was refused, in the very transaction that stores the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final

from ulid import ULID

from engine.clock import iso
from engine.config import QuarantineSettings
from engine.receipt import NEEDS_SERVER_KEY, Accepted, Outcome, Receipt, Rejection
from engine.runtime import cursors, erasing
from engine.runtime.intake import public_ids
from engine.runtime.provenance import Outvoted
from engine.runtime.submission import Originals
from engine.store import Connection, counters, people, quarantine
from engine.store.quarantine import QuarantineRow
from engine.strict_json import shown

TOO_LARGE: Final = "quarantine_too_large"
"""What is counted, of no rule, when a refused item is too large to be kept."""

DROPPED: Final = "quarantine_dropped"
"""What is counted, of no rule, when the oldest item had to make room."""

_PREFIX: Final = "qua_"
_WHO: Final = ("type", "user_id", "anonymous_id", "contact_id", "previous_id", "timestamp")
"""What is kept of an item whose traits were withheld in part; its message id is taken by the rest."""
_WITHHELD: Final = "set by a server's key before, and not a page's to change; the rest of the item is stored"
_OUTVOTED: Final = "set by a page before it was known who this is, and by a server otherwise, whose values stay"

Written = tuple[Rejection, Any, str]
"""Why an item was refused, the item, and its JSON."""


@dataclass(frozen=True)
class Quarantined:
    """An item that was refused, as it came; ``received_at`` is microseconds UTC."""

    row: QuarantineRow

    @property
    def id(self) -> str:
        """``qua_`` and a ULID."""
        return _PREFIX + str(ULID(self.row.public_id))

    @property
    def received_at(self) -> int:
        return self.row.received_at

    @property
    def source(self) -> str:
        """The door it came through."""
        return self.row.source

    @cached_property
    def item(self) -> Any:
        """The item itself."""
        return json.loads(self.row.body)

    def plain(self) -> dict[str, Any]:
        row = self.row
        why = {"code": row.code, "reason": row.reason, "field": row.field}
        return {"id": self.id, "received_at": iso(row.received_at), "source": row.source, **why, "item": self.item}


@dataclass(frozen=True)
class QuarantinePage:
    """Items, newest first; what to ask the next page with (None: there is none), and how many there are."""

    items: tuple[Quarantined, ...]
    after: str | None
    total: int

    def plain(self) -> dict[str, Any]:
        return {"items": [one.plain() for one in self.items], "after": self.after, "total": self.total}


def keep(
    connection: Connection, workspace: int, settings: QuarantineSettings, originals: Originals, receipt: Receipt
) -> None:
    """Keep what a call's receipt refuses. Items that their door refused by itself, or that no JSON can say, are not."""
    pairs = zip(receipt.outcomes, originals.items, strict=True)
    refused = [found for outcome, item in pairs if (found := _refused(outcome, item, originals.every)) is not None]
    written = [(one, item, text) for one, item in refused if (text := _written(item)) is not None]
    _add(connection, workspace, settings, written, originals.received_at, [originals.source] * len(written))


def keep_outvoted(
    connection: Connection, workspace: int, settings: QuarantineSettings, lost: Sequence[Outvoted], now: int
) -> None:
    """Keep what pages had set of people who became one with somebody, and lost by it, as changes of who they are."""
    written, sources = [], []
    for one in lost:
        item = {"type": "identify", **_named(connection, one.person), "traits": one.traits}
        why = Rejection(0, NEEDS_SERVER_KEY, f"{_OUTVOTED}: {', '.join(map(shown, one.traits))}", "traits")
        written.append((why, item, json.dumps(item, separators=(",", ":"))))
        sources.append(one.source)
    _add(connection, workspace, settings, written, now, sources)


def _named(connection: Connection, person: int) -> dict[str, str]:
    """The id of somebody that says most."""
    kind, value = people.identifiers(connection, person)[0]
    return {f"{kind}_id": value}


def _add(
    connection: Connection,
    workspace: int,
    settings: QuarantineSettings,
    written: Sequence[Written],
    received_at: int,
    sources: Sequence[str],
) -> None:
    """Keep items that are not too large, and name nobody who was erased."""
    fitting = [
        (*one, source) for one, source in zip(written, sources, strict=True) if len(one[2]) <= settings.item_bytes
    ]
    ids = sorted(public_ids(len(fitting), received_at))
    rows = [_row(id, received_at, *found) for id, found in zip(ids, fitting, strict=True)]
    rows = _of_the_living(connection, workspace, rows)
    notes = {(counters.NO_RULE, TOO_LARGE): len(written) - len(fitting)}
    if rows:
        notes[counters.NO_RULE, DROPPED] = quarantine.add(
            connection, workspace, rows, settings.items, settings.total_bytes
        )
    counters.count(connection, workspace, {note: times for note, times in notes.items() if times})


def _refused(outcome: Outcome, item: Any, every: bool) -> tuple[Rejection, Any] | None:
    """What is refused of an item, with why, if it is to be kept."""
    if isinstance(outcome, Rejection):
        return (outcome, item) if every or outcome.code == NEEDS_SERVER_KEY else None
    if isinstance(outcome, Accepted) and outcome.withheld and isinstance(item, dict):
        names = ", ".join(map(shown, outcome.withheld))
        why = Rejection(outcome.index, NEEDS_SERVER_KEY, f"{_WITHHELD}: {names}", "traits")
        traits = {name: item["traits"][name] for name in outcome.withheld}
        return why, {**{name: item[name] for name in _WHO if name in item}, "traits": traits}
    return None


def _of_the_living(connection: Connection, workspace: int, rows: Sequence[QuarantineRow]) -> list[QuarantineRow]:
    """Those that name nobody who was erased."""
    named = [quarantine.names(row) for row in rows]
    now = max((row.received_at for row in rows), default=0)
    buried = erasing.buried_among(connection, workspace, chain.from_iterable(named), now)
    return [row for row, keys in zip(rows, named, strict=True) if buried.isdisjoint(keys)]


def _written(item: Any) -> str | None:
    """An item as JSON; half a character is written as what it is."""
    try:
        return None if isinstance(item, Rejection) else json.dumps(item, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return None


def _row(id: bytes, received_at: int, refused: Rejection, item: Any, text: str, source: str) -> QuarantineRow:
    given = item if isinstance(item, dict) else {}
    return QuarantineRow(
        id=0,
        public_id=id,
        received_at=received_at,
        source=source,
        code=refused.code,
        reason=_storable(refused.reason) or "",
        field=_storable(refused.field),
        event=_storable(refused.event),
        user_id=_storable(given.get("user_id")),
        anonymous_id=_storable(given.get("anonymous_id")),
        contact_id=_storable(given.get("contact_id")),
        previous_id=_storable(given.get("previous_id")),
        body=text,
    )


def _storable(value: Any) -> str | None:
    """A text that every database takes; anything else is left out."""
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else None


def page(connection: Connection, workspace: int, limit: int, after: str | None) -> QuarantinePage:
    """A page of items behind ``after``. Raises ConfigError for an ``after`` that no page gave."""
    behind = cursors.behind(connection, workspace, "quarantine", after)
    found = quarantine.page(connection, workspace, behind.row, limit + 1)
    shown = tuple(map(Quarantined, found[:limit]))
    following = cursors.following(connection, workspace, "quarantine", found, limit)
    return QuarantinePage(shown, following, quarantine.total(connection, workspace))


def discard(connection: Connection, workspace: int, ids: Iterable[str]) -> int:
    """Let items go; gives how many of the ids were there."""
    return quarantine.delete(connection, [one.row.id for one in items_of(connection, workspace, ids)])


def items_of(connection: Connection, workspace: int, ids: Iterable[str]) -> list[Quarantined]:
    """The items of those ids that are there."""
    known = (_public_id(id) for id in ids)
    found = quarantine.by_public_id(connection, workspace, [id for id in known if id is not None])
    return [Quarantined(row) for row in found]


def tried_again(connection: Connection, items: Sequence[Quarantined], receipt: Receipt) -> None:
    """What is good by now goes; of the others it is noted why they are refused today."""
    pairs = [(item.row, one) for item, one in zip(items, receipt.outcomes, strict=True)]
    quarantine.delete(connection, [row.id for row, one in pairs if not isinstance(one, Rejection)])
    again = (
        row._replace(code=one.code, reason=_storable(one.reason) or "", field=_storable(one.field))
        for row, one in pairs
        if isinstance(one, Rejection)
    )
    quarantine.refuse(connection, again)


def _public_id(text: str) -> bytes | None:
    try:
        return ULID.from_str(text.removeprefix(_PREFIX).upper()).bytes
    except ValueError:
        return None
