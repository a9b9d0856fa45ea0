"""The one place that reads the time.

Everything below takes ``now`` as an argument, in microseconds since 1970-01-01 UTC. A :class:`Clock` is
injected at the top; tests and replay inject one they move.
"""

from __future__ import annotations

import datetime
import time
from typing import Protocol

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> int:
        """The present moment in microseconds since 1970, UTC."""
        ...


class WallClock:
    """The machine's clock. Read through :func:`time.time`, which freezegun moves."""

    def now(self) -> int:
        return int(time.time() * SECOND)


def micros(moment: datetime.datetime) -> int:
    """``moment``, which must carry an offset, as microseconds since 1970 UTC, exactly."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset; 'Z' or '+00:00' makes it UTC")
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


def moment(at: int) -> datetime.datetime:
    """The aware UTC datetime ``at`` microseconds after 1970; beyond the calendar, its first or last moment."""
    try:
        return _EPOCH + datetime.timedelta(microseconds=at)
    except OverflowError:
        return _FIRST if at < 0 else _LAST


def iso_or_none(at: int | None) -> str | None:
    """:func:`iso` of a moment that may not have come about."""
    return None if at is None else iso(at)


def iso(at: int) -> str:
    """``at`` as ISO 8601 in UTC with a ``Z``; fractions only where there are some."""
    return moment(at).isoformat().replace("+00:00", "Z")
