"""Read ISO 8601 in every spelling that leaves no doubt: calendar, week and ordinal dates, basic and extended.

Pure: knows no clock, no zone database and no errors of Lapse. Sources: ISO 8601-1:2019 with its amendment of 2022
(``24:00``), and the two spellings of it that databases write: a blank before the time or the offset, and ``UTC``.
"""

from __future__ import annotations

import datetime
import re
from typing import Final, NamedTuple

LONGEST: Final = 64
"""Characters of a text that is looked at; every spelling is shorter."""

_USUAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])",
    re.ASCII,
).fullmatch
"""What nearly every client sends, and Python reads by itself."""

_DATE: Final = (
    r"(?P<year>\d{4})(?:"
    r"-(?P<month>\d\d)-(?P<day>\d\d)|(?P<basic_month>\d\d)(?P<basic_day>\d\d)"
    r"|-?[Ww](?P<week>\d\d)-?(?P<weekday>[1-7])|-?(?P<ordinal>\d{3}))"
)
_TIME: Final = r"(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d))?)?(?:[.,](?P<fraction>\d+))?"
_OFFSET: Final = (
    r" ?(?:(?P<utc>[Zz]|UTC)|(?P<sign>[+\-\N{MINUS SIGN}])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?)"
)
_ANY = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?:{_OFFSET})?)?", re.ASCII).fullmatch

_DAY: Final = 86_400_000_000
_UNITS: Final = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
_from_iso = datetime.datetime.fromisoformat


class IsoTime(NamedTuple):
    """A date, perhaps with a time, as it was written."""

    wall: datetime.datetime
    """The naive wall clock; midnight for a date alone."""
    has_time: bool
    offset: datetime.timedelta | None
    """East of UTC; None where the text does not say."""


def read_usual(text: str) -> datetime.datetime | None:
    """Return the aware moment of a text in the spelling that nearly all clients send, None for any other text."""
    if len(text) > LONGEST or _USUAL(text) is None:
        return None
    try:
        return _from_iso(text.upper())
    except ValueError:
        return None  # such as 10:00:60, which is read below


def read_iso(text: str) -> IsoTime | None:
    """Return what ``text`` says, or None where it is not ISO 8601 or no such moment exists.

    Digits after the sixth of a second are cut off. A leap second (``:60``) is the second after it.
    """
    usual = read_usual(text)
    if usual is not None:
        return IsoTime(usual.replace(tzinfo=None), True, usual.utcoffset())
    match = _ANY(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    parts = match.groupdict()
    try:
        wall = datetime.datetime.combine(_date(parts), datetime.time()) + _since_midnight(parts)
    except (ValueError, OverflowError):
        return None
    return IsoTime(wall, parts["hour"] is not None, _offset(parts))


def _date(parts: dict[str, str | None]) -> datetime.date:
    year = int(parts["year"] or 0)
    if parts["week"] is not None:
        return datetime.date.fromisocalendar(year, int(parts["week"]), int(parts["weekday"] or 0))
    if parts["ordinal"] is not None:
        date = datetime.date(year, 1, 1) + datetime.timedelta(days=int(parts["ordinal"]) - 1)
        if date.year != year:
            raise ValueError("no such day of the year")
        return date
    return datetime.date(
        year, int(parts["month"] or parts["basic_month"] or 0), int(parts["day"] or parts["basic_day"] or 0)
    )


def _since_midnight(parts: dict[str, str | None]) -> datetime.timedelta:
    """Return the time of day; a fraction belongs to the last element that is written."""
    hour, minute, second = (int(parts[name] or 0) for name in _UNITS)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no such time of day")
    unit = next((_UNITS[name] for name in ("second", "minute", "hour") if parts[name] is not None), 0)
    fraction = parts["fraction"] or ""
    micros = hour * _UNITS["hour"] + minute * _UNITS["minute"] + second * _UNITS["second"]
    micros += int(fraction or 0) * unit // 10 ** len(fraction)
    if hour == 24 and micros > _DAY:
        raise ValueError("24:00 is the last moment of a day")
    return datetime.timedelta(microseconds=micros)


def _offset(parts: dict[str, str | None]) -> datetime.timedelta | None:
    if parts["utc"] is not None:
        return datetime.timedelta()
    if parts["sign"] is None:
        return None
    offset = datetime.timedelta(hours=int(parts["hours"] or 0), minutes=int(parts["minutes"] or 0))
    return offset if parts["sign"] == "+" else -offset
