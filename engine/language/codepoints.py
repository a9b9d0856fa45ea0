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

_OF_EMOJI = "\ufe0e\ufe0f\u200d" + "".join(map(chr, range(0xE0020, 0xE0080)))
"""Characters that choose the picture of the one before them."""
_WIDE_BLANK = "\u3000"
"""The blank of Chinese and Japanese, which is as wide as their letters."""

DASHES = "‐‑‒–—―−﹘﹣－"

UNSEEN = re.compile(f"[{UNSEEN_RANGES}]")
DASH = re.compile(f"[{DASHES}]")
_ODD_IN_QUOTES = re.compile(f"[{UNSEEN_RANGES}\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


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


def odd_in_quotes(text: str, blanks: bool = True) -> int | None:
    """Return the place of the first character of a quoted text that nobody sees, or tells from a plain blank.

    ``blanks``: whether blanks other than the keyboard's count, which sentences may well have.
    """
    for match in _ODD_IN_QUOTES.finditer(text) if not text.isascii() or not text.isprintable() else ():
        at, char = match.start(), match[0]
        inside = 0 < at < len(text) - 1
        of_emoji = char in _OF_EMOJI and at and unicodedata.category(text[at - 1])[0] in "SMC"
        belongs = of_emoji or (inside and char in (*_JOINERS, _WIDE_BLANK))
        if not belongs and (blanks or UNSEEN.match(char)):
            return at
    return None


def is_blank(char: str) -> bool:
    """Whether a character is seen as a blank, if not a plain one."""
    return UNSEEN.match(char) is None
