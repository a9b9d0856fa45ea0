"""The closed vocabularies of the language, each a table.

The reader, the formatter, the suggestions, the documentation and editor support all read these tables, so
a word is added in one place only. (What a diagnostic code means stands in :mod:`.codes`.)
"""

from __future__ import annotations

import re
from typing import NamedTuple, get_args

from .nodes import Weekday

# -------------------------------------------------------------------------------------------- clauses


class ClauseWord(NamedTuple):
    """A word that may stand before a colon.

    ``grammar`` is the start rule that reads what follows it (``None``: nothing may follow), ``field`` the
    attribute of the rule it fills (``None``: it is a step), ``many`` whether it may stand more than once.
    """

    word: str
    grammar: str | None
    field: str | None
    many: bool
    meaning: str


CLAUSES: dict[str, ClauseWord] = {
    entry.word.casefold(): entry
    for entry in (
        ClauseWord("Rule", "identity", "id", False, "the name that keeps state and history when the title changes"),
        ClauseWord("Trigger", "trigger", "trigger", False, "what starts a journey"),
        ClauseWord("Only while", "expression", "only_while", False, "what must stay true until the last action"),
        ClauseWord("For each", "for_each", "for_each", False, "one journey per person and value of this field"),
        ClauseWord("Existing people", "existing", "existing", False, "whether people already in this state start"),
        ClauseWord("Condition", "expression", None, True, "a gate the journey must pass"),
        ClauseWord("Wait", "wait", None, True, "time passes"),
        ClauseWord("Action", "action", None, True, "something is done"),
        ClauseWord("If", "expression", None, True, "steps for some people only"),
        ClauseWord("Else if", "expression", None, True, "another branch"),
        ClauseWord("Else", None, None, True, "the branch for everyone else"),
        ClauseWord("Split", "split", None, True, "a weighted arm"),
        ClauseWord("End", None, None, True, "the end of a branch or split"),
        ClauseWord("Exit", "exit", "exit", False, "events that end the journey"),
        ClauseWord("Limit", "limit", "limits", True, "how many journeys may act"),
        ClauseWord("Triggered again", "again", "again", False, "what a new trigger does to a journey under way"),
        ClauseWord("Zone", "zone", "zone", False, "the zone of every wall-clock moment"),
        ClauseWord("Quiet hours", "quiet", "quiet", True, "when nothing is sent"),
        ClauseWord("Purpose", "purpose", "purpose", False, "what consent and caps apply"),
        ClauseWord("Goal", "goal", "goal", False, "the conversion that is counted"),
        ClauseWord("Holdout", "holdout", "holdout", False, "the share that does not act, for comparison"),
        ClauseWord("Active", "active", "active", False, "the days on which the rule works"),
        ClauseWord("Late", "late", "late", False, "what becomes of an action whose moment was missed"),
        ClauseWord("Tags", "tags", "tags", True, "names for lists and shared caps"),
    )
}

CASE_CLAUSES: dict[str, ClauseWord] = {
    entry.word.casefold(): entry
    for entry in (
        ClauseWord("Rule", "identity", "rule", False, "the rule under test"),
        ClauseWord("With", "companions", None, True, "other rules that are live beside it"),
        ClauseWord("Start", "start", None, False, "the day on which the test's clock stands at 0h"),
        ClauseWord("Person", "draws", None, True, "which arm, sample or comparison group the person is in"),
        ClauseWord("Cap", "cap", None, True, "a cap over all rules of a tag or purpose"),
        ClauseWord("Quiet hours", "quiet", None, True, "quiet hours over all rules"),
        ClauseWord("Given", "given", None, True, "what is known of the person beforehand"),
        ClauseWord("At", "at", None, True, "what happens, and when"),
        ClauseWord("Expect", "expect", None, True, "what Lapse does, and when"),
    )
}

RESERVED_CLAUSES = frozenset({"for everyone with"})

# -------------------------------------------------------------------------------------------- keywords

RESERVED_WORDS = frozenset({
    "and", "or", "not", "where", "same", "then", "within", "between", "contains", "in", "is", "except", "last",
    "since", "until", "before", "after", "at", "with", "to", "from", "any", "once", "twice", "per",
})  # fmt: skip
"""Words that never stand bare for a name: too much hangs on them. In quotes they are names like any other."""

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

KEYWORDS = RESERVED_WORDS | frozenset(WEEKDAYS) | frozenset({
    "for", "more", "than", "least", "most", "exactly", "fewer", "times", "ago", "sample", "event", "events",
    "trigger", "person", "people", "sum", "average", "min", "max", "count", "different", "of", "every", "on", "set",
    "track", "none", "nothing", "now", "over", "all", "restart", "ignore", "each", "replace", "skip", "include",
    "always", "true", "false",
})  # fmt: skip
"""Every single word the language uses; the formatter puts names that read like one in quotes."""

AGGREGATES = {
    "SUM_OF": "sum",
    "AVERAGE_OF": "average",
    "MIN_OF": "min",
    "MAX_OF": "max",
    "COUNT_OF": "count",
    "COUNT_OF_DIFFERENT": "count of different",
}

# ----------------------------------------------------------------------------------------------- units


class Unit(NamedTuple):
    """A unit of time: so many microseconds, or so many calendar months."""

    name: str
    micros: int
    months: int
    words: tuple[str, ...]


_SECOND = 1_000_000

UNITS: tuple[Unit, ...] = (
    Unit("year", 0, 12, ("year", "years", "yr", "yrs", "y")),
    Unit("month", 0, 1, ("month", "months", "mo")),
    Unit("week", 7 * 86_400 * _SECOND, 0, ("week", "weeks", "wk", "wks", "w")),
    Unit("day", 86_400 * _SECOND, 0, ("day", "days", "d")),
    Unit("hour", 3_600 * _SECOND, 0, ("hour", "hours", "hr", "hrs", "h")),
    Unit("minute", 60 * _SECOND, 0, ("minute", "minutes", "min", "mins", "m")),
    Unit("second", _SECOND, 0, ("second", "seconds", "sec", "secs", "s")),
)
"""From long to short. ``m`` is minutes and ``mo`` months, whatever the case."""

UNIT_WORDS: dict[str, Unit] = {word: unit for unit in UNITS for word in unit.words}

# ---------------------------------------------------------------------------------------------- quotes

QUOTES: dict[str, str] = {'"': '"', "'": "'", "“": "”", "„": "”“", "‘": "’", "‚": "’‘", "«": "»"}
"""What opens a quoted text, and what may close it. There is no escape: take another pair of quotes."""

QUOTED = r'"[^"\n\r]*"|(?<!\w)\'[^\'\n\r]*\'|“[^”\n\r]*”|„[^”“\n\r]*[”“]|(?<!\w)‘[^’\n\r]*’|‚[^’‘\n\r]*[’‘]|«[^»\n\r]*»'
"""A quoted text, as a pattern. Inside a word ``'`` and ``‘`` are apostrophes."""

QUOTED_TO_THE_END = (
    r'"[^"\n\r]*"?|\'(?<!\w\')[^\'\n\r]*\'?|“[^”\n\r]*”?|„[^”“\n\r]*[”“]?'
    r"|‘(?<!\w‘)[^’\n\r]*’?|‚[^’‘\n\r]*[’‘]?|«[^»\n\r]*»?"
)
"""A quoted text; one that is not closed ends with its line, so that it cannot swallow the file."""

NAME = re.compile(r"[^\W\d]\w*(?:[.-]\w+)*\Z")
"""A name that needs no quotes."""

PART = re.compile(r"\w+(?:-\w+)*\Z")
"""One step of a path that needs no quotes."""

BARE = re.compile(r"[^\s,;()\"“”„«»=<>&|!'‘’‚#][^\s,;()\"“”„«»=<>&|]*\Z")
"""A text that needs no quotes on the right-hand side of a comparison."""

NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,29})(?:\.\d{1,30})?\Z", re.ASCII)
"""What reads as a number there: without leading zero or plus, and short enough to be an amount."""

# ---------------------------------------------------------------------------- what a marketer may mean

CLOCK_WORDS: dict[str, str | None] = {
    "noon": "12:00",
    "midday": "12:00",
    "midnight": "00:00",
    **dict.fromkeys(("today", "tomorrow", "tonight", "now", "morning", "afternoon", "evening", "night", "weekend")),
}
"""Words of English for a time of day, or for something near it, and the time that surely says the same."""

_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_ROUND = {"dozen": 12, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100}

NUMBER_WORDS: dict[str, int] = {word: number for number, word in enumerate(_TO_TWENTY)} | _ROUND | {"thousand": 1000}
"""Numbers in words, which the language takes for texts and names."""

OPERATORS_OF_PROGRAMMERS: dict[str, str] = {
    "&&": "AND",
    "||": "OR",
    "==": "=",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "=!": "!=",
    "!==": "!=",
    "===": "=",
    "&": "AND",
    "|": "OR",
    "!": "NOT",
    "≠": "!=",
    "≥": ">=",
    "≤": "<=",
}

# ----------------------------------------------------------------------- what the grammar's terminals are

PLAIN_WORDS: dict[str, str] = {
    "NAME": "a name",
    "STRING": "a name",
    "QUOTED_PATH": "a name",
    "PATH": "a field such as person.country",
    "VALUE": "a value",
    "WHOLE": "a whole number",
    "PERCENT": "a share such as 10%",
    "TIME": "a time such as 09:00",
    "DATE": "a date such as 2026-11-27",
    "DURATION": "a length of time such as '3 days'",
    "UNIT": "a length of time such as '3 days'",
    "ZONE_NAME": "a zone such as Europe/Warsaw",
    "WEEKDAY": "a day of the week",
    "LPAR": "an opening bracket",
    "RPAR": "a closing bracket",
    "COMMA": "a comma",
    "$END": "the end of the clause",
    **dict.fromkeys(
        ("WITHIN", "IN_THE_NEXT", "IN_THE_LAST", "SINCE_TRIGGER", "SINCE_LAST"), "a window such as 'within 3 days'"
    ),
    **dict.fromkeys(
        ("AT_LEAST", "AT_MOST", "EXACTLY", "FEWER_THAN", "MORE_THAN"), "a count such as 'at least 3 times'"
    ),
    **dict.fromkeys(("EQ", "NE", "GE", "LE", "GT", "LT", "IS", "IS_NOT"), "a comparison such as '='"),
    **dict.fromkeys(("NOT_IN", "BETWEEN", "CONTAINS", "STARTS_WITH", "ENDS_WITH"), "a comparison such as '='"),
    **dict.fromkeys(("IS_SET", "IS_NOT_SET"), "a comparison such as '='"),
    **dict.fromkeys(AGGREGATES, "a total such as 'sum of'"),
    "MORE_THAN_AGO": "an age such as 'more than 3 days ago'",
    "_TIMES": "'times'",
}
"""How the grammar's terminals are called in a message; every other terminal is the keyword it is named after."""


def phrase(terminal: str) -> str:
    """The keyword a terminal is named after: ``_FOR_AT_MOST`` is ``for at most``."""
    return terminal.strip("_").replace("_", " ").casefold()


def is_keyword(terminal: str) -> bool:
    """Whether a terminal is a keyword or a phrase of them."""
    return terminal not in _OPEN_TERMINALS and not terminal.startswith(("$", "__"))


_OPEN_TERMINALS = frozenset({
    "NAME", "STRING", "QUOTED_PATH", "PATH", "VALUE", "WHOLE", "PERCENT", "TIME", "DATE", "DURATION", "UNIT",
    "ZONE_NAME", "WEEKDAY", "LPAR", "RPAR", "COMMA", "EQ", "NE", "GE", "LE", "GT", "LT", "MORE_THAN_AGO",
})  # fmt: skip
