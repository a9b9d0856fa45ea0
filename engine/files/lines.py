"""Bytes to numbered lines of text, each good or with its own reason why not."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from engine.errors import InputFileError, RefusedError

LONGEST_LINE: Final = 1024 * 1024
"""Bytes of a line that are read at all: an event at its limit, spelt as wastefully as JSON allows, is shorter."""

NumberedLine = tuple[int, str | RefusedError]
"""A line's number, from 1, and its text with its line end, or what is wrong with it."""

_BOM: Final = "\ufeff"
DAMAGE: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a damaged gzip file raises."""


def numbered_lines(stream: BinaryIO, first: int = 1) -> Iterator[NumberedLine]:
    """The lines of ``stream``, numbered from ``first`` on.

    A damaged gzip stream ends with a ``broken_file`` in place of the next line.

    Raises :class:`~engine.errors.InputFileError` for a file in UTF-16 or UTF-32.
    """
    number = first - 1
    while True:
        number += 1
        try:
            raw = stream.readline(LONGEST_LINE + 1)
            too_long = len(raw) > LONGEST_LINE and _skip_line(stream, raw)
        except DAMAGE as error:
            yield number, _damage(error)
            return
        if not raw:
            return
        if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\0\0\xfe\xff")):
            raise InputFileError("line 1: the file is UTF-16 or UTF-32; save it as UTF-8")
        yield number, _too_long() if too_long else _text(raw, number)


def _skip_line(stream: BinaryIO, raw: bytes) -> bool:
    """Reads on to the end of a line of which ``raw`` is the beginning."""
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(LONGEST_LINE)
    return True


def _text(raw: bytes, number: int) -> str | RefusedError:
    try:
        text = str(raw, "utf-8")
    except UnicodeDecodeError as error:
        return RefusedError("not_utf8", f"byte {error.start + 1} of the line is not UTF-8; save the file as UTF-8")
    return text[1:] if number == 1 and text.startswith(_BOM) else text


def _too_long() -> RefusedError:
    return RefusedError("event_too_large", f"the line is longer than {LONGEST_LINE:,} bytes; write one event a line")


def _damage(error: Exception) -> RefusedError:
    what = "ends too early" if isinstance(error, EOFError) else "is damaged"
    return RefusedError("broken_file", f"the gzip file {what} here ({error}); fetch or pack it again")
