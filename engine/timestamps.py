"""ISO 8601 to integer microseconds since 1970 UTC, exactly and the same on every Python."""

from __future__ import annotations

import datetime
import operator
from typing import Final

from engine.clock import micros
from engine.errors import RefusedError
from engine.iso8601 import IsoTime, read_iso, read_usual
from engine.strict_json import kind, shown

_ADVICE: Final = "write it like 2026-03-01T12:00:00Z or 2026-03-01T14:00:00+02:00"

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)


def parse_timestamp(value: object) -> int:
    """``value`` in microseconds since 1970 UTC; may be negative.

    Takes an aware ``datetime``, or ISO 8601 text with a time and an offset, in every spelling that
    :func:`~engine.iso8601.read_iso` reads.

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


def parse_local(text: str, zone: datetime.tzinfo) -> int:
    """Return ``text`` as :func:`parse_timestamp` does, where it has no offset by the clock of ``zone``.

    A time that a change of clocks skips or repeats is the one before the change. Raises RefusedError.
    """
    written = read_iso(text)
    if written is None or written.offset is not None:
        return _from_text(text)
    return operator.index(micros(written.wall.replace(tzinfo=zone)))


def _from_text(text: str) -> int:
    usual = read_usual(text)
    if usual is not None:
        since = usual - _EPOCH
    else:
        written = read_iso(text)
        if written is None or written.offset is None:
            raise _unreadable(text, written)
        since = written.wall - _NAIVE_EPOCH - written.offset
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _from_datetime(value: datetime.datetime) -> int:
    try:
        if value.utcoffset() is not None:
            return operator.index(micros(value))
    except (ArithmeticError, NotImplementedError, TypeError, ValueError):
        reason = f"timestamp is {kind(value)} whose offset or time cannot be read; {_ADVICE}"
        raise RefusedError("timestamp_invalid", reason, "timestamp") from None
    raise RefusedError("timestamp_no_offset", "timestamp is a naive datetime; give it a tzinfo", "timestamp")


def _unreadable(text: str, written: IsoTime | None) -> RefusedError:
    if written is not None:
        reason = f"timestamp '{text}' has no offset; add 'Z' for UTC, or one such as '+02:00'"
        return RefusedError("timestamp_no_offset", reason, "timestamp")
    return RefusedError("timestamp_invalid", f"timestamp '{shown(text)}' is not ISO 8601; {_ADVICE}", "timestamp")
