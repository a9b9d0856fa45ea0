"""ISO 8601 to integer microseconds since 1970 UTC, exactly and the same on every Python."""

from __future__ import annotations

import datetime
import operator
import re
from typing import Final

from engine.clock import micros
from engine.errors import RefusedError
from engine.strict_json import kind, shown

_WITH_OFFSET = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"
).fullmatch
_WITHOUT_OFFSET = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}(?:[Tt ][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?)?)?"
).fullmatch
_LONGEST: Final = 64
_ADVICE: Final = "write it like 2026-03-01T12:00:00Z or 2026-03-01T14:00:00+02:00"

_from_iso = datetime.datetime.fromisoformat
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def parse_timestamp(value: object) -> int:
    """``value`` in microseconds since 1970 UTC; may be negative.

    Takes an aware ``datetime``, or text: a date, ``T`` or a blank, hours and minutes, perhaps seconds with a
    fraction (digits after the sixth are cut off), and an offset (``Z``, ``+02:00``, ``+0200``).

    Raises :class:`~engine.errors.RefusedError` with ``timestamp_no_offset`` or ``timestamp_invalid``.
    """
    if type(value) is str:
        return _from_text(value)
    if isinstance(value, str):
        return _from_text(str.__str__(value))
    if isinstance(value, datetime.datetime):
        return _from_datetime(value)
    what = "a date without a time" if isinstance(value, datetime.date) else kind(value)
    raise RefusedError("timestamp_invalid", f"timestamp is {what}; {_ADVICE}", "timestamp")


def _from_text(text: str) -> int:
    if len(text) > _LONGEST or _WITH_OFFSET(text) is None:
        raise _unreadable(text)
    try:
        since = _from_iso(text.upper()) - _EPOCH
    except ValueError:
        raise _unreadable(text) from None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _from_datetime(value: datetime.datetime) -> int:
    try:
        if value.utcoffset() is not None:
            return operator.index(micros(value))
    except (ArithmeticError, NotImplementedError, TypeError, ValueError):
        reason = f"timestamp is {kind(value)} whose offset or time cannot be read; {_ADVICE}"
        raise RefusedError("timestamp_invalid", reason, "timestamp") from None
    raise RefusedError("timestamp_no_offset", "timestamp is a naive datetime; give it a tzinfo", "timestamp")


def _unreadable(text: str) -> RefusedError:
    if len(text) <= _LONGEST and _WITHOUT_OFFSET(text) is not None:
        reason = f"timestamp '{text}' has no offset; add 'Z' for UTC, or one such as '+02:00'"
        return RefusedError("timestamp_no_offset", reason, "timestamp")
    return RefusedError("timestamp_invalid", f"timestamp '{shown(text)}' is not ISO 8601; {_ADVICE}", "timestamp")
