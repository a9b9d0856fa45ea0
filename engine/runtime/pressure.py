"""Pressure on people: consent, caps over all rules, and addresses that bounced, asked of what is about to leave.

Asked in the claiming transaction, so that no two actions take the last place under a cap.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from engine.delivery.addresses import destination, own_address
from engine.delivery_settings import Cap
from engine.journeys import consent
from engine.language.program import TRANSACTIONAL
from engine.runtime.addressees import consents
from engine.runtime.faults import keep
from engine.runtime.reasons import CAP
from engine.store import Connection, addresses, outbox
from engine.store.rows import OutboxRow

EMAIL: Final = "email"
"""The kind of channel that has addresses."""


class Way(Protocol):
    """How an action goes: the channel's name, and its kind."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...


class Left(NamedTuple):
    """An action that left: when its first attempt began (microseconds UTC), and the caps it counts under."""

    at: int
    names: frozenset[str]


class Goes(NamedTuple):
    """Where an action goes; ``foreign`` is that again where it is not its person's own address."""

    address: str | None
    foreign: str | None


class Pressure:
    """What may be asked of a page of actions, read in a constant number of statements."""

    def __init__(self, connection: Connection, workspace: int, caps: Mapping[str, Cap], now: int) -> None:
        self._connection = connection
        self._workspace = workspace
        self._caps = caps
        self._now = now
        self._left: dict[int, list[Left]] = defaultdict(list)
        self._going: dict[int, Goes] = {}
        self._bounced: set[str] = set()
        self._others: dict[str, list[Any]] = {}

    def load(self, rows: Iterable[OutboxRow], way_of: Callable[[OutboxRow], Way], failed: dict[int, Exception]) -> None:
        """Read what bears on some actions; those of which it cannot be read have ``failed``."""
        asked = []
        for row in rows:
            try:
                self._goes(row)
                asked.append((row, way_of(row)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this action's
                keep(failed, row.id, error)
        if self._caps and asked:
            self._load_left([row for row, _ in asked], failed)
        mails = [row for row, route in asked if route.kind == EMAIL]
        named = {address for row in mails if (address := self._goes(row).address) is not None}
        self._bounced = addresses.unreachable_among(self._connection, self._workspace, EMAIL, named)
        foreign = {address for row, _ in asked if (address := self._goes(row).foreign) is not None}
        self._others = consents(self._connection, self._workspace, foreign) if foreign else {}

    def _load_left(self, rows: Sequence[OutboxRow], failed: dict[int, Exception]) -> None:
        """Read what left for the people of some actions, as far back as caps reach."""
        since = self._now - max(cap.duration for cap in self._caps.values())
        broken: dict[int, Exception] = {}
        for person, at, purpose, tags in outbox.left(self._connection, {row.person_id for row in rows}, since):
            try:
                self._left[person].append(Left(at, _names(purpose, tags)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this person's
                keep(broken, person, error)
        failed |= {row.id: broken[row.person_id] for row in rows if row.person_id in broken} if broken else {}

    def refusal(self, row: OutboxRow, route: Way, unsubscribed: Any) -> str | None:
        """Why an action is suppressed, or nothing: ``unreachable``, ``unsubscribed``, ``cap: NAME``.

        ``unsubscribed`` is the person's attribute as it stands.
        """
        if route.kind == EMAIL and self._goes(row).address in self._bounced:
            return "unreachable"
        if row.purpose == TRANSACTIONAL:
            return None
        others = self._others.get((self._goes(row).foreign or "").lower(), ()) if self._others else ()
        said = (unsubscribed, *others)
        if any(consent.refuses(one, row.purpose, (route.name, route.kind)) for one in said):
            return "unsubscribed"
        capped = _names(row.purpose, row.tags) & self._caps.keys() if self._caps else frozenset()
        full = (name for name in sorted(capped) if self._is_full(row, name))
        return next((f"{CAP}{name}" for name in full), None)

    def _goes(self, row: OutboxRow) -> Goes:
        """Read from the row once, however often it is asked for."""
        if row.id not in self._going:
            self._going[row.id] = _goes(row)
        return self._going[row.id]

    def _is_full(self, row: OutboxRow, name: str) -> bool:
        """Whether others have taken every place; a row that was given back after it was claimed has one itself."""
        cap = self._caps[name]
        after = self._now - cap.duration
        own = row.left_at is not None and after < row.left_at
        return sum(after < one.at and name in one.names for one in self._left[row.person_id]) - own >= cap.number

    def leaves(self, row: OutboxRow) -> None:
        """An action leaves now, and counts for those behind it."""
        if self._caps:
            self._left[row.person_id].append(Left(self._now, _names(row.purpose, row.tags)))


def address_of(row: OutboxRow) -> str | None:
    """The address of an action, checked by nobody: the one its mail is for once it is made, else by its variables."""
    return row.recipient or _goes(row).address


def foreign_address(row: OutboxRow) -> str | None:
    """The address of an action that does not go to its person's own; nothing where it does. Capitals do not count."""
    return _goes(row).foreign


def _goes(row: OutboxRow) -> Goes:
    variables = json.loads(row.variables)
    address, own = destination(variables), own_address(variables)
    if not isinstance(address, str):
        return Goes(None, None)
    return Goes(address, None if address.lower() == str(own).lower() else address)


def _names(purpose: str, tags: str) -> frozenset[str]:
    """The caps that hold for an action. What is transactional is under none."""
    return frozenset() if purpose == TRANSACTIONAL else frozenset((purpose, *json.loads(tags)))
