"""The event types every workspace has from the start, and what single doors demand of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

PREDEFINED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signed_up": "User created an account",
        "logged_in": "User authenticated",
        "logged_out": "User ended session",
        "purchase_completed": "User made a purchase",
        "subscription_started": "User started a subscription",
        "subscription_cancelled": "User cancelled subscription",
        "paywall_viewed": "User saw a paywall",
        "trial_started": "User started a trial",
    }
)
"""Names with their descriptions. The first six are Flameup's standard events in its own words; the last two and
``subscription_started`` are the events of FloKit's documents, which describe none of them."""

DOOR_SCHEMAS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = MappingProxyType(
    {("flokit", "subscription_started"): MappingProxyType({"type": "object", "required": ["currency"]})}
)
"""Schemas that hold at one door only, by door and event name: what one vendor's document demands and another's
does not."""
