"""Counting the values of a JSON text before it is parsed: a parsed value takes up to 60 times its bytes.

The count is that of the commas and opening brackets outside texts, and one: never less than the values, and more only
by the empty lists and objects. Time is linear in the text; the interpreter's lock is let go between windows.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 1 << 16
"""Bytes looked at in one go."""

_SEPARATORS: Final = b",[{"
_OTHERS: Final = bytes(set(range(256)) - set(_SEPARATORS))
_BACKSLASH: Final = ord("\\")


def most_values(text: bytes) -> int:
    """Return how many values the JSON ``text`` holds at most: separators inside texts count too."""
    return 1 + sum(_separators(text[place : place + WINDOW]) for place in range(0, len(text), WINDOW))


def holds_more(text: bytes, most: int) -> bool:
    """Return whether the JSON ``text`` holds more than ``most`` values; stop reading it where that is sure."""
    count, place, inside = 1, 0, 0
    while place < len(text) and count <= most:
        end = min(place + WINDOW, len(text))
        while end < len(text) and text[end - 1] == _BACKSLASH:
            end += 1
        pieces = _without_escapes(text[place:end]).split(b'"')
        count += _separators(b"".join(pieces[inside::2]))
        inside = (inside + len(pieces) - 1) % 2
        place = end
    return count > most


def _separators(text: bytes) -> int:
    return len(text.translate(None, _OTHERS))


def _without_escapes(text: bytes) -> bytes:
    """``text`` with no quote but those that begin and end texts."""
    return text.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in text else text
