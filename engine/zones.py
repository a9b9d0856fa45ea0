"""Time zones by their names, as people's data and settings write them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, in whatever case and with blanks around; None for a name nobody knows."""
    written = name.strip()
    try:
        return ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = _zone_names().get(written.casefold())
    return None if known is None else ZoneInfo(known)


@cache
def _zone_names() -> Mapping[str, str]:
    """Return the names of the IANA list by their folded spelling."""
    return {name.casefold(): name for name in available_timezones()}
