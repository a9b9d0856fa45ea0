"""Which characters nobody sees, and which look like those of the keyboard."""

from __future__ import annotations

import re
import unicodedata

from . import words

UNSEEN_RANGES = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_JOINERS = "\u200c\u200d"
"""Zero-width characters that the spelling of some languages needs inside a word."""

DASHES = "‐‑‒–—―−﹘﹣－"

UNSEEN = re.compile(f"[{UNSEEN_RANGES}]")
DASH = re.compile(f"[{DASHES}]")


def seen(text: str) -> str:
    """Return ``text`` without the characters that nobody sees."""
    return UNSEEN.sub("", text)


def unseen_at(text: str) -> int | None:
    """Return the place of the first character of an unquoted value that nobody sees and no spelling needs."""
    inside = range(1, len(text) - 1)
    places = (match.start() for match in UNSEEN.finditer(text))
    return next((at for at in places if text[at] not in _JOINERS or at not in inside), None)


def is_odd(text: str) -> bool:
    """Whether an unquoted value has to be written otherwise, or in quotes."""
    return unseen_at(text) is not None or plain_number(text) is not None


def plain_number(text: str) -> str | None:
    """Return the number that ``text`` spells in other digits or with another minus, in plain ones."""
    digits = (str(unicodedata.digit(char, char)) for char in DASH.sub("-", text[:1]) + text[1:])
    plain = "".join(digits).replace("\uff0e", ".").replace("\u066b", ".")
    return plain if plain != text and words.NUMBER.match(plain) else None
