"""Delivery reports: events that name the action they tell of, such as ``email_opened`` with its key as ``caused_by``.

They carry the action's template, rule and tags, where they say nothing else themselves, so that rules may ask for
``email_opened where template = "hello"``. A report of a hard bounce is the last that the action's address hears of us.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from engine.model import ValidEvent
from engine.runtime.live import Live
from engine.runtime.naming import rule_ids
from engine.runtime.pressure import EMAIL, address_of
from engine.store import Connection, addresses, outbox
from engine.store.addresses import Bounce
from engine.store.rows import OutboxRow

BOUNCED: Final = "email_bounced"

HARD: Final = frozenset({"hard", "permanent"})
"""What the property ``type`` of a bounce says when it is for good; ``hard`` may be true instead."""


class Reports:
    """The actions that the events of a batch name as their cause. A constant number of statements, none without any."""

    def __init__(self, connection: Connection, workspace: int, live: Live, items: Iterable[ValidEvent]) -> None:
        keys = sorted({item.caused_by for item in items if item.caused_by})
        self._actions = {row.key: row for row in outbox.by_key(connection, workspace, keys)} if keys else {}
        rules = {row.rule for row in self._actions.values()}
        self._rules = rule_ids(connection, workspace, live, rules) if rules else {}

    def told(self, item: ValidEvent) -> tuple[str | None, str]:
        """The rules behind the action an event names, and the event's properties with what the action adds; as JSON."""
        action = self._actions.get(item.caused_by or "")
        if action is None:
            return None, item.properties_json
        properties = {**about(action, self._rules[action.rule]), **item.properties}
        return action.causes, to_json(properties).decode()

    def bounced(self, items: Iterable[ValidEvent]) -> dict[str, Bounce]:
        """Addresses that take no mail any more by what the events say.

        Anybody may report with a key that only takes events in. So only what was handed to a channel can have bounced,
        and only at the address it went to: what an event itself says of addresses counts for nothing.
        """
        found = {}
        for item in items:
            action = self._actions.get(item.caused_by or "") if item.name == BOUNCED else None
            if action is None or action.left_at is None or not _is_hard(item.properties):
                continue
            address = address_of(action)
            if address is not None:
                reason = str(item.properties.get("reason") or "a hard bounce was reported")
                found[address] = Bounce(item.at, reason)
        return found


def about(action: OutboxRow, rule: str) -> dict[str, Any]:
    """What an event that comes of an action says of it."""
    return {"template": action.template, "rule": rule, "tag": json.loads(action.tags), "key": action.key}


def note_bounces(connection: Connection, workspace: int, bounced: Mapping[str, Bounce]) -> None:
    """Nothing goes by mail to these addresses any more."""
    if bounced:
        addresses.add_unreachable(connection, workspace, EMAIL, bounced)


def _is_hard(properties: Mapping[str, Any]) -> bool:
    return properties.get("hard") is True or str(properties.get("type")).lower() in HARD
