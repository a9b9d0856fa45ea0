"""Where pages of a list go on: behind a row, whatever comes in meanwhile."""

from __future__ import annotations

from typing import Final

from engine.errors import ConfigError

LAST: Final = 2**63 - 1
"""Behind this lie all rows."""


def behind(after: str | None) -> int:
    """The row behind which a page begins. Raises ConfigError for an ``after`` that no page gave."""
    if after is None:
        return LAST
    if not (after.isascii() and after.isdecimal() and len(after) < 20 and int(after) <= LAST):
        raise ConfigError(f"'{after}' is no cursor; pass on what the page before gave, unchanged")
    return int(after)
