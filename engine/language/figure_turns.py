"""Turns of English about figures: numbers, lengths and times in words, and several values of a comparison."""

from __future__ import annotations

import re

from . import words
from .english import Turn, Written, in_where, turn

NUMBERS = "|".join(words.NUMBER_WORDS)
_MANY = "(?:an? (?:few|couple(?: of)?)|some|several|many|few)"
_UNITS = "|".join(words.UNIT_WORDS)
_LENGTHS = "expression wait limit goal late again cap"
_CLOCK = "|".join(word for word, time in words.CLOCK_WORDS.items() if time)
_PART_OF_DAY = "|".join(word for word, time in words.CLOCK_WORDS.items() if not time)
_HALVES = {"hour": "30 minutes", "day": "12 hours", "minute": "30 seconds"}
_FIGURES = "numbers are written in figures"
_TIMES = "times are written in figures"
_VALUE = r'(?:"[^"\n]+"|[^\s,;()=<>!"]+)'
_NUMBER = r"-?\d+(?:\.\d+)?(?![\w.])"
_SEVERAL = "several values of one comparison stand in brackets"
_PARTING = re.compile(r"(?:\s*,\s*|\s+)(?:or\s+)?", re.IGNORECASE)


def _figure(match: Written) -> str:
    return str(words.NUMBER_WORDS[match["word"].casefold()])


def of_twelve(match: Written) -> str | None:
    """Return the time that ``9pm`` says, from its ``hour``, ``minute`` and ``half`` of the day."""
    hour = int(match["hour"])
    if not 1 <= hour <= 12:
        return None
    return f"{hour % 12 + 12 * (match['half'] in 'pP'):02}:{match['minute'] or '00'}"


def _values(match: Written) -> str | None:
    """Return the comparison with all of its values; behind a ``where``, a comma may as well begin a field."""
    more = [value for value in _PARTING.split(match["more"]) if value]
    return None if in_where(match) else f"{match['path']} in ({', '.join([match['value'], *more])})"


FIGURE_TURNS: tuple[Turn, ...] = (
    turn(
        "expression trigger exit goal wait",
        rf"<path>\s*(?:=|is<end>|equals<end>)\s*<value>(?P<more>(?:\s*,\s*(?:or )?{_VALUE})+)",
        _SEVERAL,
        _values,
        "write '{path} in (a, b)'; a comma in a 'where' begins another field",
    ),
    turn(
        "expression",
        rf"<path>\s*(?:=|is<end>|equals<end>)\s*(?P<value>{_NUMBER})(?P<more>(?: or {_NUMBER})+)",
        _SEVERAL,
        _values,
        "write '{path} in (1, 2)'",
    ),
    turn(
        "goal wait",
        r"<path>\s*(?:=|is<end>|equals<end>)\s*<value> or<end>",
        "there is one event here, and OR begins another",
        None,
        "for several values write '{path} in ({value}, ...)'",
    ),
    turn(
        "expression",
        rf"<path>\s*(?P<sign>>=|<=|!=|>|<)\s*<value> or {_NUMBER}",
        "OR joins whole conditions",
        None,
        "say each comparison in full, as in 'person.age < 18 OR person.age > 65'",
    ),
    turn(
        "expression",
        f"(?P<kind>at least|at most|exactly|more than|fewer than) (?P<word>{NUMBERS}) times?<end>",
        _FIGURES,
        lambda match: f"{match['kind']} {_figure(match)} times",
    ),
    turn(
        _LENGTHS,
        f"(?P<word>{NUMBERS}) (?P<unit>{_UNITS})<end>",
        _FIGURES,
        lambda match: f"{_figure(match)} {match['unit']}",
    ),
    turn(
        _LENGTHS,
        f"{_MANY} (?:{_UNITS})<end>",
        "'{}' says no number",
        None,
        "write how many, such as '3 days' or '2 hours'",
    ),
    turn("limit cap", rf"\A(?P<word>{NUMBERS})(?= (?:times? )?(?:per|over))", _FIGURES, _figure),
    turn(
        "holdout split",
        r"(?P<n>\d+(?:\.\d+)?)\s*per\s*cent<end>",
        "a share is written with a sign",
        "{n}%",
    ),
    turn(
        "holdout split",
        rf"(?P<word>{NUMBERS})\s*(?:per\s*cent<end>|%)",
        "a share is written in figures",
        lambda match: f"{_figure(match)}%",
    ),
    turn(
        "expression",
        r"in (?P<n>\d+(?:\.\d+)?)\s*per\s*cent sample",
        "a share is written with a sign",
        "in {n}% sample",
    ),
    turn(
        f"{_LENGTHS} holdout split action",
        f"(?:an?|{NUMBERS}|half an?) (?:hundred|thousand|million|dozen)<end>",
        _FIGURES,
        None,
        "write it so, such as 100 or 1000",
    ),
    turn(
        "expression",
        f"more than (?P<word>{NUMBERS}) (?P<unit>{_UNITS}) ago<end>",
        _FIGURES,
        lambda match: f"more than {_figure(match)} {match['unit']} ago",
    ),
    turn(
        "trigger wait quiet",
        r"(?P<hour>\d{1,2}):(?P<minute>\d{2}) (?P<half>[ap])\.?m\b\.?",
        "times are written from 00:00 to 23:59",
        of_twelve,
        "write hour and minute, such as 09:00 or 21:30",
    ),
    turn(
        _LENGTHS,
        "half an? (?P<unit>hour|day|minute)<end>",
        _FIGURES,
        lambda match: _HALVES[match["unit"].casefold()],
    ),
    turn(
        "expression",
        r"<path>\s*(?:>=|<=|!=|=|>|<)\s*<value> per\s*cent<end>",
        "a number has no sign behind it",
        None,
        "write the number alone, as it is sent",
    ),
    turn(
        "quiet",
        r"(?:from|between) (?=\d{1,2}(?!\d*:))",
        "the first of the two times stands alone",
        None,
        "write it so, such as '21:00 to 09:00'",
    ),
    turn(
        "trigger wait quiet",
        rf"(?P<lead>\A|\bat |\bto |day |, |\bin )(?P<clock>{_CLOCK})<end>",
        _TIMES,
        lambda match: words.CLOCK_WORDS[match["clock"].casefold()],
    ),
    turn(
        "wait",
        rf"until (?!the (?:{_CLOCK})<end>)(?:[a-z]+ ){{0,2}}(?:{_PART_OF_DAY}|{_CLOCK})<end>",
        _TIMES,
        None,
        "'until 09:00' is the next 09:00, 'until monday 09:00' that of a monday",
    ),
    turn(
        "quiet",
        rf"(?:at |during |the |in |every )*(?!weekend)(?:{_PART_OF_DAY})s?<end>",
        _TIMES,
        None,
        "write from when to when nothing is sent, such as '21:00 to 09:00'",
    ),
)
