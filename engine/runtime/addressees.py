"""Whose an address is, and what they said about being written to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from engine.journeys.consent import ATTRIBUTE
from engine.runtime.loading import attributes_of
from engine.store import Connection, events
from engine.store import addresses as store
from engine.store.rows import ChangeRow


def consents(connection: Connection, workspace: int, addresses: Iterable[str]) -> dict[str, list[Any]]:
    """By address, in small letters, the attribute ``unsubscribed`` of everybody whose ``email`` it is.

    A constant number of statements.
    """
    changes: dict[int, list[ChangeRow]] = defaultdict(list)
    owners = store.owners(connection, workspace, addresses)
    for change in events.changes(connection, {person for _, person in owners}):
        changes[change.person_id].append(change)
    found: dict[str, list[Any]] = defaultdict(list)
    for address, person in owners:
        own = attributes_of(changes[person])
        if str(own.get("email")).lower() == address:
            found[address].append(own.get(ATTRIBUTE))
    return found
