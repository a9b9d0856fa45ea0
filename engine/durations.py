"""Durations in settings: text such as ``72 hours`` for people, ``timedelta`` for Python."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Final

from pydantic import BeforeValidator

UNITS: Final[dict[str, int]] = {
    "ms": 1,
    "millisecond": 1,
    "s": 1_000,
    "second": 1_000,
    "m": 60_000,
    "minute": 60_000,
    "h": 3_600_000,
    "hour": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "w": 604_800_000,
    "week": 604_800_000,
}
"""Milliseconds in each unit; the plural of a whole word is the same unit. Days have 24 hours."""

_PART = re.compile(r"\s*([0-9]{1,9})\s*([a-z]+)", re.ASCII)
_HINT = "write a number and a unit, such as '5 minutes', '72 hours', '1h30m' or '0'"


def parse_duration(value: object) -> datetime.timedelta:
    """A ``timedelta``, or text such as ``90 seconds``, ``24h``, ``1h30m``; zero alone needs no unit.

    Raises ``ValueError`` for anything else: a bare number has no unit, and a duration is never negative.
    """
    if isinstance(value, datetime.timedelta):
        if value < datetime.timedelta(0):
            raise ValueError("a duration cannot be negative")
        return value
    if value in (0, "0") and value is not False:
        return datetime.timedelta(0)
    if isinstance(value, str):
        return datetime.timedelta(milliseconds=_milliseconds(value.strip().lower()))
    raise ValueError(f"{value!r} is no duration; {_HINT}")


def _milliseconds(text: str) -> int:
    total, end = 0, 0
    while end < len(text):
        part = _PART.match(text, end)
        unit = part and (UNITS.get(part[2]) or (UNITS.get(part[2][:-1]) if len(part[2]) > 3 else None))
        if part is None or unit is None:
            break
        total += int(part[1]) * unit
        end = part.end()
    if end == 0 or end < len(text):
        raise ValueError(f"{text!r} is no duration; {_HINT}")
    return total


def in_micros(duration: datetime.timedelta) -> int:
    """``duration`` in microseconds, as the engine counts time."""
    return duration // datetime.timedelta(microseconds=1)


def duration_text(duration: datetime.timedelta) -> str:
    """``duration`` in its largest whole unit, for messages: ``5 minutes``; below a millisecond as Python shows it."""
    milliseconds, rest = divmod(duration, datetime.timedelta(milliseconds=1))
    if rest:
        return f"{duration}"
    for unit in ("day", "hour", "minute", "second", "millisecond"):
        number, left = divmod(milliseconds, UNITS[unit])
        if not left and number:
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "0 seconds"


Duration = Annotated[datetime.timedelta, BeforeValidator(parse_duration)]
"""A setting's type: a ``timedelta`` that may be written as text."""
