"""Characters that nobody sees, or that look like others: named by their code point, with what to write instead."""

from __future__ import annotations

import re
import unicodedata

from . import words
from .codepoints import DASH, DASHES, UNSEEN, UNSEEN_RANGES, is_blank, odd_in_quotes, plain_number, seen, unseen_at
from .codes import finding
from .diagnostics import Diagnostic, Fix

_CONTROLS = {"\x00": "null", "\x1b": "escape", "\x7f": "delete"}

_QUOTED = re.compile(words.QUOTED)
_MARK = re.compile(rf"{words.QUOTED_TO_THE_END}|(?P<unseen>[{UNSEEN_RANGES}])")
_TIMES = re.compile(rf"(\d{{1,2}}:\d{{2}})\s*[-{DASHES}]\s*(\d{{1,2}}:\d{{2}})")
_LETTER = re.compile(r"[^\W_]\Z")


def named(char: str) -> str:
    """Return the code point and the name of a character: ``U+200B (zero width space)``."""
    name = unicodedata.name(char, _CONTROLS.get(char, "control character"))
    return f"U+{ord(char):04X} ({name.casefold()})"


def unseen_in(text: str, start: int = 0) -> Diagnostic | None:
    """Return the finding of the first invisible character of ``text`` outside quotes; ``text`` begins at ``start``."""
    at = next((match.start() for match in _MARK.finditer(text) if match["unseen"]), None)
    return None if at is None else _unseen(text, at, start)


def odd_value(text: str, start: int) -> Diagnostic | None:
    """Return what is odd in an unquoted value: a character nobody sees, or a number in other characters."""
    at = unseen_at(text)
    if at is not None:
        return _unseen(text, at, start)
    number = plain_number(text)
    if number is None:
        return None
    odd = next(char for char in text if not char.isascii())
    span = (start, start + len(text))
    return finding(
        "odd-character",
        f"'{text}' is no number: its '{odd}' is {named(odd)}",
        span,
        f"write {number}, or quotes if it is a text",
        Fix(span, number),
    )


def odd_name(text: str, start: int) -> Diagnostic | None:
    """Return the finding of a letter in an unquoted name that nobody sees."""
    match = UNSEEN.search(text)
    return match and _unseen(text, match.start(), start)


def odd_quotes(text: str, blanks: bool) -> tuple[Diagnostic, ...]:
    """Return the warning of each quoted text of a clause that holds what nobody sees; ``blanks``: odd blanks too."""
    if text.isascii() and text.isprintable():
        return ()
    quotes = (match for match in _QUOTED.finditer(text) if not match[0].isascii() or not match[0].isprintable())
    places = ((match, odd_in_quotes(match[0][1:-1], blanks)) for match in quotes)
    return tuple(_in_quotes(match[0][1:-1], at, match.start() + 1) for match, at in places if at is not None)


def _in_quotes(text: str, at: int, start: int) -> Diagnostic:
    char, span = text[at], (start + at, start + at + 1)
    inside = 0 < at < len(text) - 1
    put = " " if is_blank(char) and inside else ""
    kind = "a blank that is none of the keyboard's" if is_blank(char) else "an invisible character"
    message = f"{kind} stands in this text, {named(char)}; without it the text is another"
    advice = "write a plain blank" if put else "delete it"
    return finding("odd-in-quotes", message, span, f"{advice}, unless what is meant has it", Fix(span, put))


def dash_at(body: str, at: int) -> Diagnostic | None:
    """Return what to write for a typographic dash right before, at or in the word at ``at``."""
    for times in _TIMES.finditer(body):
        if times.start() <= at <= times.end():
            message = "a span of time is written with 'to'"
            text = f"{times[1]} to {times[2]}"
            return finding("syntax", message, times.span(), f"write '{text}'", Fix(times.span(), text))
    found = DASH.search(body, at, at + 1) or DASH.search(body, max(0, at - 1), at)
    if found is None:
        return None
    span = found.span()
    message = f"'{found[0]}' is {named(found[0])}, not the hyphen of the keyboard"
    before, after = body[: span[0]], body[span[1] :]
    if _LETTER.search(before[-1:]) and _LETTER.match(after[:1]):
        return finding("odd-character", message, span, "write -, or put the name in quotes if it has this dash", None)
    if re.match(r"\d", after) and not before[-1:].isdigit():
        return finding("odd-character", message, span, "leave it out; a length of time is never below nothing")
    return finding("odd-character", message, span, "write what it stands for in words, or leave it out")


def combining_at(body: str, at: int) -> Diagnostic | None:
    """Return what to do about a letter whose accent is a character of its own."""
    mark = body[at : at + 1]
    if not mark or not at or not unicodedata.combining(mark):
        return None
    span = (at - 1, at + 1)
    composed = unicodedata.normalize("NFC", body[slice(*span)])
    message = f"the letter before this place has its accent as a character of its own, {named(mark)}"
    if len(composed) > 1:
        return finding("odd-character", message, span, "put the name in quotes")
    return finding("odd-character", message, span, f"write {composed} as one character", Fix(span, composed))


def _unseen(text: str, at: int, start: int) -> Diagnostic:
    span = (start + at, start + at + 1)
    where = f"behind '{shown}'" if (shown := _last_word(text[:at])) else "at the beginning"
    message = f"an invisible character stands here, {named(text[at])}, {where}"
    return finding(
        "odd-character", message, span, "delete it, or put the text in quotes if it belongs there", Fix(span, "")
    )


def _last_word(text: str) -> str:
    parts = seen(text).split()
    return parts[-1][-20:] if parts else ""
