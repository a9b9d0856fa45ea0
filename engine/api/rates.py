"""How often one may ask: a moving window for each workspace and limit, kept in memory."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from engine.api.dialect import Refused, Route

SET_BACK_SECONDS: Final = 1.0
"""How far the clock must go back to count as set back, and not as put right by a little."""

_NONE: Final = "none"


class Rates:
    """Counts requests. ``settings`` are the rates that overrule those the routes bring along."""

    def __init__(self, settings: Mapping[str, str], keyless: str) -> None:
        self._settings = settings
        self._keyless = parse(keyless)
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._seen = time.time()
        self._limits: dict[tuple[str, Route], tuple[str, RateLimitItem] | None] = {}

    def count(self, dialect: str, route: Route, workspace: int) -> dict[str, str]:
        """Count a request; gives the headers that say how many are left. Raises Refused (429)."""
        limit = self._limit(dialect, route)
        if limit is None:
            return {}
        name, item = limit
        return self._count(item, name, str(workspace))

    def count_keyless(self, address: str) -> None:
        """Count a request of nobody known yet. Raises Refused (429)."""
        self._count(self._keyless, "keyless", address)

    def _count(self, item: RateLimitItem, *who: str) -> dict[str, str]:
        self._forget_the_future()
        allowed = self._windows.hit(item, *who)
        reset, remaining = self._windows.get_window_stats(item, *who)
        headers = {
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": str(math.ceil(reset)),
        }
        if allowed:
            return headers
        wait = max(1, math.ceil(reset - time.time()))
        headers["Retry-After"] = str(wait)
        raise Refused(429, "rate_limited", f"too many requests; try again in {wait} seconds", headers=headers)

    def _forget_the_future(self) -> None:
        """Empty all windows where the clock was set back: what they hold would count until that time comes again."""
        now = time.time()
        if now < self._seen - SET_BACK_SECONDS:
            self._storage.reset()
        self._seen = now

    def _limit(self, dialect: str, route: Route) -> tuple[str, RateLimitItem] | None:
        found = (dialect, route)
        if found not in self._limits:
            name, rate = self._named(dialect, route)
            self._limits[found] = None if rate == _NONE else (name, parse(rate))
        return self._limits[found]

    def _named(self, dialect: str, route: Route) -> tuple[str, str]:
        """The limit of a route and its rate: its own, as the settings or the route have it, else its dialect's."""
        if route.limit is not None and (rate := self._settings.get(route.limit, route.rate)) is not None:
            return route.limit, rate
        return dialect, self._settings.get(dialect, _NONE)
