"""What to write for a turn of English that the language says otherwise.

It is asked only about a clause that cannot be read, and only about the words at the place where reading stopped. A
turn either says the same in the language, and then the repair is offered, or it does not, and then a sentence says
what there is. What an advice quotes has to read, and with the meaning that was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from . import words
from .codes import finding
from .diagnostics import Diagnostic, Fix

LOGIC = frozenset({
    "no", "not", "none", "nobody", "nothing", "never", "neither", "nor", "without", "has", "have", "had",
    "hasn", "haven", "hadn", "did", "didn", "does", "doesn", "do", "don", "done", "is", "isn", "are", "aren",
    "was", "wasn", "were", "be", "been", "will", "won", "would", "should", "must", "can", "cannot", "could",
    "may", "becomes", "became", "become", "changes", "changed", "change", "turns", "turned", "gets", "contain",
    "contains", "includes", "include", "excludes", "lacks", "equals", "equal", "greater", "less", "fewer",
    "more", "higher", "lower", "over", "under", "above", "below", "than", "exists", "exist", "missing",
    "matches", "match", "like", "if", "unless", "when", "whenever", "while", "because", "provided", "but",
    "also", "either", "both", "every", "each", "any", "all", "some", "only", "just", "yet", "already", "still",
    "ever", "again", "else", "otherwise", "during", "by", "for", "ago", "today", "yesterday", "tomorrow",
    "tonight", "recently", "lately", "followed", "happens", "happened", "happen", "occurs", "occurred",
    "enters", "leaves", "whose", "having", "who", "which", "that", "times", "of", "within", "through",
    "between", "whether", "daily", "weekly", "monthly", "hourly", "weekday", "weekdays", "weekend",
    "day", "days", "week", "weeks", "month", "months", "year", "years", "hour", "hours", "minute", "minutes",
    "and", "or", "half", "percent",
}) | frozenset(words.NUMBER_WORDS)  # fmt: skip
"""Words of English logic and time: beside them, two words are hardly one name."""

DETERMINERS = frozenset(
    {"a", "an", "the", "this", "these", "his", "her", "their", "first", "last", "next", "past", "user"}
)
"""Words that begin no event's name, though a value may begin with one, as 'The Hague' does."""

Written = re.Match[str]
Writer = Callable[[Written], str | None]

_KEYWORD = rf"(?:{'|'.join(sorted(words.KEYWORDS))})(?![\w.-])"
_LOGICAL = rf"(?:{'|'.join(sorted(LOGIC))})(?![\w.-])"
_NAME = rf'(?<![\w.])(?:"[^"\n]+"|(?!{_KEYWORD}|{_LOGICAL})[^\W\d](?:\w|[.-](?=\w))*(?!\w))'
_VALUE = r'(?:"[^"\n]+"|[^\s,;()=<>!"]+)'
_UNITS = "|".join(words.UNIT_WORDS)
_PIECES = {
    "<start>": r"(?P<lead>\A\s*|\(\s*|\b(?:and|or|not|then)\s+)",
    "<event>": f"(?P<event>{_NAME})",
    "<other>": f"(?P<other>{_NAME})",
    "<path>": f"(?P<path>{_NAME})",
    "<value>": f"(?P<value>{_VALUE})",
    "<number>": r"(?P<value>-?\d+(?:\.\d+)?)(?![\w.]|\s*(?!(?:and|or|within|in|since)\b)[^\W\d])",
    "<list>": rf"(?:\((?P<list>[^()]+)\)|(?P<bare>{_VALUE}(?:\s*,\s*{_VALUE})*))",
    "<names>": rf"(?:\((?P<list>[^()]+)\)|(?P<bare>{_NAME}(?:\s*(?:,\s*n?or|,|n?or)\s+{_NAME})*))",
    "<length>": rf"(?P<length>(?:\d+\s*|an?\s+)(?:{_UNITS})(?!\w))",
    "<time>": r"(?P<time>\d{1,2}:\d{2})",
    "<day>": (
        r"(?P<day>(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?"
        r"|sun(?:day)?)s?\b)"
    ),
    "<end>": r"(?![\w.-])",
    "n't": r"(?:n['’]?t|\s+not)",
    " ": r"\s+",
}
_PIECE = re.compile(rf"(?<!\(\?P)(?:{'|'.join(map(re.escape, _PIECES))})")
_WINDOW = re.compile(r"\s+(?:within|in\s+the\s+(?:next|last))\s+(?:(?:\d+|an?)\s*)?[^\W\d]+|\s+since\s+trigger", re.I)
_DANGLING = re.compile(
    rf"\s*(?:,\s*|,?\s*(?:and|n?or)\s+)(?!not\b){_VALUE}\s*(?:\Z|[),]|(?:and|n?or)\b)", re.IGNORECASE
)
"""One more name or value behind a turn, which may belong to it: joined by itself it would be read as an event."""

_APART = "say each part of it by itself, joined with AND or OR; brackets say what belongs together"
_WHERE_OR_END = re.compile(r"\b(?:where|and|or)\b", re.IGNORECASE)
_AROUND = 400
"""Characters on both sides of the place that are looked at."""
_MORE_BEHIND = re.compile(r"\A\s*(?:,|and\b)|\bn?or\b", re.IGNORECASE)


class Turn(NamedTuple):
    """A turn of English in the clauses of some start rules.

    ``write`` gives what says the same in the language, or nothing where nothing surely does; then ``help`` is the
    advice. A group ``lead`` of the pattern is no part of what is replaced.
    """

    grammars: frozenset[str]
    pattern: str
    message: str
    write: Writer
    help: str


def turn(grammars: str, pattern: str, message: str, write: str | Writer | None = None, help: str = "") -> Turn:
    """Return a row of the table; a blank of ``pattern`` stands for any blanks, ``<event>`` and the like for pieces."""
    return Turn(frozenset(grammars.split()), pattern, message, _writer(write), help)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern of a row; most processes never meet a clause that needs it."""
    return re.compile(_PIECE.sub(lambda piece: _PIECES[piece[0]], pattern), re.IGNORECASE)


def in_english(turns: tuple[Turn, ...], body: str, at: int, grammar: str) -> Diagnostic | None:
    """Return the finding of the first turn around the place ``at``, where reading stopped."""
    for known in turns:
        if grammar in known.grammars:
            for match in _compiled(known.pattern).finditer(body, max(0, at - _AROUND), at + _AROUND):
                if match.start() <= at <= match.end() and known.write(match) != match[0]:
                    return _finding(known, match)
    return None


def _finding(known: Turn, match: Written) -> Diagnostic:
    start = match.end("lead") if "lead" in match.re.groupindex else match.start()
    span = (start, match.end())
    message = known.message.format(" ".join(match.string[start : match.end()].split()))
    text = None if _DANGLING.match(match.string, match.end()) else known.write(match)
    if text is None:
        return finding("syntax", message, span, known.help.format(**match.groupdict()) or _APART)
    window = _WINDOW.match(match.string, match.end())
    shown = " ".join(f"{text} {window[0] if window else ''}".split())
    return finding("syntax", message, span, f"write '{shown}'", Fix(span, text))


# ------------------------------------------------------------------------------------------------- writers


def _writer(write: str | Writer | None) -> Writer:
    if write is None:
        return lambda _: None
    if isinstance(write, str):
        return lambda match: write.format(**match.groupdict())
    return write


def absent(template: str) -> Writer:
    """Return a writer of a NOT; where more may belong under it than one event, nothing is sure."""
    return lambda match: None if _MORE_BEHIND.search(match.string[match.end() :]) else _writer(template)(match)


def beside(template: str) -> Writer:
    """Return a writer of an ``AND``, which might bind wrongly beside an OR."""
    return lambda match: None if re.search(r"\bor\b", match.string, re.I) else _writer(template)(match)


def outside_where(write: str | Writer) -> Writer:
    """Return a writer of what cannot stand in a ``where``."""
    return lambda match: None if in_where(match) else _writer(write)(match)


def in_where(match: Written) -> bool:
    """Whether a ``where`` is open at the beginning of the match."""
    words_before = _WHERE_OR_END.findall(match.string[: match.start()])
    return bool(words_before) and words_before[-1].casefold() == "where"


def inside_where(template: str) -> Writer:
    """Return a writer of what continues a ``where``."""
    return lambda match: _writer(template)(match) if in_where(match) else None


def choice(operator: str) -> Writer:
    """Return a writer of a comparison with a list."""
    return lambda match: f"{match['path']} {operator} ({', '.join(listed(match))})"


def each(template: str, word: str, item: str = "{item}") -> Writer:
    """Return a writer of every item of a list, joined by ``word``, inside ``template``."""

    def write(match: Written) -> str | None:
        items = listed(match)
        if not all(items) or any(_MANY.search(name) for name in items):
            return None
        groups = match.groupdict()
        return template.format(f" {word} ".join(item.format(item=name, **groups) for name in items))

    return write


_MANY = re.compile(r"\A[^\"].*\s")
_BETWEEN = re.compile(r"\s*,\s*(?:(?:n?or|and)\s+)?|\s+(?:n?or|and)\s+", re.IGNORECASE)


def listed(match: Written) -> list[str]:
    """Return the items of the list in a match."""
    return _BETWEEN.split((match["list"] or match["bare"]).strip())


def on_day(template: str) -> Writer:
    """Return a writer of a day of the week in full."""

    def write(match: Written) -> str | None:
        day = next((day for day in words.WEEKDAYS if day.startswith(match["day"][:3].casefold())), None)
        return day and template.format(**{**match.groupdict(), "day": day})

    return write
