"""From a parser's complaint to plain words.

The parser knows where it stopped and what it could have read there. The checks below look at the words around
that place for something a person would recognise; the first that does gives the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from . import words
from .characters import combining_at, dash_at, unseen_in
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .english import DETERMINERS, LOGIC, in_english
from .figure_turns import of_twelve
from .suggest import distance, nearest
from .turns import TURNS

_WORD = re.compile(r"\w[\w.:%-]*|\S")
_BEFORE = re.compile(r"([^\s,;()=<>!\"]+)[^\S\n]+\Z")
_REST_OF_LINE = re.compile(r"[^\n\r]*")
_AMOUNT = re.compile(r"(?P<number>-?\d+(?:[.,]\d+)?|an?(?=\s))\s*(?P<unit>[^\W\d]\w*)?")
_QUOTED = re.compile(rf"{words.QUOTED}|(?P<open>[\"“„‚«]|(?<!\w)['‘])")
_BRACKET = re.compile(rf"{words.QUOTED}|[()]")
_SIGNED_NAME = re.compile(r"\.?(?P<name>[$@%~^*+/\\\\][^\W\d]\w*)")
_NEXT_WORD = re.compile(r"[^\S\n]+([^\s,;()=<>!\"]+)")
_VALUE_BEGINS = re.compile(r"(?:[=<>(,]|\b(?:is|not|contains|with|and))\s*\Z", re.IGNORECASE)
_HOUR = re.compile(
    r"(?P<until>until(?:\s+\w+day)?(?:\s+at)?)\s+"
    r"(?P<written>(?P<number>\d{1,2})(?:\s*(?P<half>[ap]m)|\s*(?P<unit>hours?|h))?)(?=\s*\Z|\s+in\b)",
    re.IGNORECASE,
)
_HALF_A_DAY = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
_LENGTH = re.compile(r"\s+(?:\d+|an?\b)\s*[^\W\d]+")
_AGE = re.compile(r"more\s+than\s+(?P<number>\d+|an?)\s*(?P<unit>[^\W\d]\w*)\s+ago", re.IGNORECASE)
_RESERVED = (
    (
        re.compile(r"\bbetween\s+\d+\s+and\s+\d+\s+\w+\s+ago\b", re.IGNORECASE),
        "between 60 and 30 days ago",
        "write 'a in the last 60 days AND NOT a in the last 30 days' for the latest 'a'",
    ),
    (
        re.compile(r"\b\d+(?:\.\d+)?\s*%\s*of\b", re.IGNORECASE),
        "50% of",
        "write 'in 50% sample' for a share of the people, 'Split: 50%' for arms, 'Holdout: 10%' for a comparison",
    ),
    (
        re.compile(r"\Acollect\b", re.IGNORECASE),
        "Triggered again: collect",
        "write 'Triggered again: ignore' and send a total along, such as 'with n = count of comment since trigger'",
    ),
)
_CLAUSE_WORDS = sorted({word.word for word in (*words.CLAUSES.values(), *words.CASE_CLAUSES.values())}, key=len)[::-1]
_MOST_EXPECTED = 6


@dataclass(frozen=True)
class Trouble:
    """Where the parser stopped in a clause, and the terminals it could have read there."""

    body: str
    at: int
    expected: frozenset[str]
    grammar: str = ""

    @property
    def ended(self) -> bool:
        return self.at >= len(self.body)

    @cached_property
    def word(self) -> str:
        """The word at the place."""
        match = _WORD.match(self.body, self.at)
        return match[0] if match else ""

    @cached_property
    def before(self) -> str:
        """The word right before the place, if nothing but blanks stands between."""
        match = _BEFORE.search(self.body[max(0, self.at - 200) : self.at])
        return match[1] if match else ""

    @property
    def span(self) -> tuple[int, int]:
        if self.ended:
            return max(0, len(self.body.rstrip()) - 1), len(self.body)
        return self.at, self.at + len(self.word)

    def following(self, count: int) -> str:
        """The next ``count`` words, in lower case and one blank apart."""
        return " ".join(self.body[self.at : self.at + 60].casefold().split()[:count])

    def keywords(self) -> Iterator[str]:
        """The keywords that could stand here."""
        return (words.phrase(name) for name in sorted(self.expected) if words.is_keyword(name))


def explain(body: str, problem: UnexpectedInput, grammar: str) -> Diagnostic:
    """Return what is wrong with a clause that the start rule ``grammar`` does not take, in plain words."""
    trouble = _trouble(body, problem, grammar)
    return next(found for check in _CHECKS if (found := check(trouble)))


def runs_on(body: str) -> Diagnostic | None:
    """What is wrong where the first line of ``body`` begins like a clause of its own."""
    found = _missing_colon(Trouble(f"\n{body}", 1, frozenset()))
    return found and found.moved(-1)


def _trouble(body: str, problem: UnexpectedInput, grammar: str) -> Trouble:
    if isinstance(problem, UnexpectedToken):
        at = len(body) if problem.token.type == "$END" else problem.token.start_pos or 0
        return Trouble(body, at, frozenset(problem.accepts or problem.expected), grammar)
    allowed = problem.allowed if isinstance(problem, UnexpectedCharacters) else None
    return Trouble(body, problem.pos_in_stream or 0, frozenset(allowed or ()) - {"__IGNORE_0"}, grammar)


# ----------------------------------------------------------------------------------------- punctuation


def _unclosed_quote(trouble: Trouble) -> Diagnostic | None:
    for match in _QUOTED.finditer(trouble.body):
        if match["open"]:
            closing = words.QUOTES[match["open"]][0]
            line = _REST_OF_LINE.match(trouble.body, match.start())
            span = line.span() if line else match.span()
            message = f"the quote {match['open']} is not closed"
            return finding("unclosed-quote", message, span, f"close it with {closing}")
    return None


def _reserved_form(trouble: Trouble) -> Diagnostic | None:
    for pattern, form, advice in _RESERVED:
        if match := pattern.search(trouble.body):
            message = f"'{form}' is reserved for a later version of the language"
            return finding("reserved", message, match.span(), advice)
    return None


def _bracket(trouble: Trouble) -> Diagnostic | None:
    open_brackets: list[int] = []
    for match in _BRACKET.finditer(trouble.body):
        if match[0] == "(":
            open_brackets.append(match.start())
        elif match[0] == ")":
            if not open_brackets:
                return finding("unclosed-bracket", "this bracket closes nothing", match.span(), "leave it out")
            open_brackets.pop()
    if open_brackets and trouble.ended:
        span = (open_brackets[-1], open_brackets[-1] + 1)
        return finding("unclosed-bracket", "this bracket is not closed", span, "put ')' where it ends")
    return None


def _programmers_operator(trouble: Trouble) -> Diagnostic | None:
    for operator in sorted(words.OPERATORS_OF_PROGRAMMERS, key=len, reverse=True):
        for start in (trouble.at - 1, trouble.at):
            if start >= 0 and trouble.body.startswith(operator, start) and start + len(operator) > trouble.at:
                if operator == "!" and trouble.body.startswith("!=", start):
                    continue
                meant = words.OPERATORS_OF_PROGRAMMERS[operator]
                span = (start, start + len(operator))
                blank = " " if meant.isalpha() and trouble.body[span[1] : span[1] + 1].strip() else ""
                return finding(
                    "operator-of-programmers",
                    f"'{operator}' is no operator of the language",
                    span,
                    f"write {meant}",
                    Fix(span, meant + blank),
                )
    return None


def _invisible(trouble: Trouble) -> Diagnostic | None:
    return unseen_in(trouble.body)


def _odd_character(trouble: Trouble) -> Diagnostic | None:
    return dash_at(trouble.body, trouble.at) or combining_at(trouble.body, trouble.at)


def _turn_of_english(trouble: Trouble) -> Diagnostic | None:
    return in_english(TURNS, trouble.body, trouble.at, trouble.grammar)


def _name_with_a_sign(trouble: Trouble) -> Diagnostic | None:
    """``$autocapture``, ``person.$email``: a name with a sign that takes quotes."""
    match = _SIGNED_NAME.match(trouble.body, trouble.at) or _SIGNED_NAME.match(trouble.body, trouble.at - 1)
    if match is None or not trouble.at:
        match = _SIGNED_NAME.match(trouble.body, trouble.at)
    if match is None:
        return None
    span, quoted = match.span("name"), f'"{match["name"]}"'
    message = f"'{match['name']}' takes quotes for its '{match['name'][0]}'"
    return finding("several-words", message, span, f"write {quoted}", Fix(span, quoted))


def _missing_colon(trouble: Trouble) -> Diagnostic | None:
    line_start = trouble.body.rfind("\n", 0, trouble.at) + 1
    if trouble.ended or not line_start or trouble.body[line_start : trouble.at].strip():
        return None
    for word in _CLAUSE_WORDS:
        if trouble.following(word.count(" ") + 1) == word.casefold():
            span = (trouble.at, trouble.at + len(word))
            return finding(
                "missing-colon", f"'{word}' lacks its colon", span, f"write '{word}:'", Fix((span[1], span[1]), ":")
            )
    return None


# ------------------------------------------------------------------------------------------ durations


def _duration(trouble: Trouble) -> Diagnostic | None:
    if not trouble.expected & {"DURATION", "UNIT"} or trouble.ended:
        return None
    amount = _AMOUNT.match(trouble.body, trouble.at)
    if not amount:
        return None
    number, unit = amount["number"], amount["unit"]
    if number[0] in "aA" and (not unit or _near_unit(unit) is None):
        return None
    if "." in number or "," in number:
        advice = "write whole numbers, such as '90 minutes' for an hour and a half"
        return finding("bad-duration", f"'{number}' is not a whole number", amount.span("number"), advice)
    if not unit:
        advice = f"say of what, such as '{number} hours' or '{number} days'"
        return finding("unknown-unit", f"'{number}' has no unit of time", amount.span("number"), advice)
    return _unknown_unit(number, unit, amount.span("unit"))


def _hour(trouble: Trouble) -> Diagnostic | None:
    """``until 9``, ``until 9am``, ``until 9 hours``: what is awaited there is a time of day, or a date."""
    found = _HOUR.match(trouble.body)
    if not found or not trouble.expected & {"TIME", "BEFORE"}:
        return None
    number, half = int(found["number"]), (found["half"] or "").casefold()
    hour = number % 12 + 12 * (half == "pm") if half else number
    if hour > 23:
        return None if found["unit"] else _time(trouble)
    span, written = found.span("written"), found["written"]
    advice = f"write '{found['until']} {hour:02}:00'"
    if found["unit"]:
        advice += f", or '{written}' without 'until' to wait so long"
    fix = None if found["unit"] else Fix(span, f"{hour:02}:00")
    return finding("bad-time", f"'{written}' is not a time of day", span, advice, fix)


def _near_unit(unit: str) -> str | None:
    return nearest(unit, (word for word in words.UNIT_WORDS if len(word) > 2))


def _unknown_unit(number: str, unit: str, span: tuple[int, int]) -> Diagnostic:
    best = _near_unit(unit)
    if best is None:
        units = ", ".join(f"{known.name}s" for known in words.UNITS[::-1])
        return finding("unknown-unit", f"'{unit}' is not a unit of time", span, f"the units are {units}")
    plural = words.UNIT_WORDS[best].name + ("" if number in ("1", "a", "an") else "s")
    advice = f"did you mean '{number} {plural}'?"
    return finding("unknown-unit", f"'{unit}' is not a unit of time", span, advice, Fix(span, plural))


def _unit_of_age(trouble: Trouble) -> Diagnostic | None:
    """``more than 30 dys ago``, whether it was read as a count and stops at its unit, or not read at all."""
    if "_TIMES" in trouble.expected and trouble.before.isdigit() and trouble.following(2).endswith(" ago"):
        return _unknown_unit(trouble.before, trouble.word, trouble.span)
    age = _AGE.match(trouble.body, trouble.at)
    if age and "MORE_THAN_AGO" in trouble.expected:
        return _unknown_unit(age["number"], age["unit"], age.span("unit"))
    return None


def _count(trouble: Trouble) -> Diagnostic | None:
    """A number of times that lacks a word, or a length of time in its place."""
    number = trouble.before
    if "_TIMES" in trouble.expected and number.isdigit() and trouble.word.casefold() in words.UNIT_WORDS:
        advice = (
            f"write 'more than {number} {trouble.word} ago' for an age, 'within {number} {trouble.word}' for a window"
        )
        return finding("syntax", f"'{number} {trouble.word}' is a length of time, not a count", trouble.span, advice)
    if "AT_LEAST" in trouble.expected and trouble.word.isdigit() and trouble.following(2).endswith((" times", " time")):
        message = f"'{trouble.following(2)}' could mean at least or exactly"
        advice = f"write 'at least {trouble.following(2)}' or 'exactly {trouble.following(2)}'"
        return finding("syntax", message, trouble.span, advice)
    return None


def _limit_for_whom(trouble: Trouble) -> Diagnostic | None:
    if trouble.ended and "OVER_ALL_PEOPLE" in trouble.expected and "_PER" not in trouble.expected:
        advice = "write 'once per person per 7 days', or 'over all people' at the end"
        return finding("syntax", "the limit does not say for whom it counts", trouble.span, advice)
    return None


def _wait_without_end(trouble: Trouble) -> Diagnostic | None:
    if trouble.ended and "_FOR_AT_MOST" in trouble.expected and trouble.body[:5].casefold() == "until":
        message = "waiting for an event needs an end"
        return finding("wait-without-end", message, trouble.span, "add 'for at most 3 days', or how long it should be")
    return None


def _time(trouble: Trouble) -> Diagnostic | None:
    if "TIME" not in trouble.expected or not trouble.word[:1].isdigit():
        return None
    half = _HALF_A_DAY.match(trouble.body, trouble.at)
    time = half and of_twelve(half)
    if half is None or time is None:
        advice = "write hour and minute, such as 09:00 or 21:30"
        return finding("bad-time", f"'{trouble.word}' is not a time of day", trouble.span, advice)
    span = half.span()
    return finding("bad-time", f"'{half[0]}' is not a time of day", span, f"write {time}", Fix(span, time))


# ------------------------------------------------------------------------------------- misused phrases


def _chain(trouble: Trouble) -> Diagnostic | None:
    word = trouble.word.casefold()
    if word == "then" or (trouble.before.casefold() == "then" and word and not trouble.expected & {"_THEN"}):
        advice = "write 'a within 1 day then b within 3 days'; put other conditions beside the chain with AND"
        return finding("syntax", "a chain names one event at each place", trouble.span, advice)
    return None


def _before_without_any(trouble: Trouble) -> Diagnostic | None:
    if "_BEFORE_ANY" in trouble.expected and trouble.word.casefold() == "before":
        advice = "write 'a before any b within 1 hour'"
        fix = Fix(trouble.span, f"{trouble.word} any")
        return finding("syntax", "a race is written with 'before any'", trouble.span, advice, fix)
    return None


def _since_what(trouble: Trouble) -> Diagnostic | None:
    if "SINCE_LAST" in trouble.expected and trouble.word.casefold() == "since":
        advice = "write 'since trigger', or 'since last' and an event"
        return finding("syntax", "'since' needs the moment it counts from", trouble.span, advice)
    return None


def _for_instead_of_within(trouble: Trouble) -> Diagnostic | None:
    if "WITHIN" in trouble.expected and trouble.word.casefold() == "for":
        length = _LENGTH.match(trouble.body, trouble.span[1])
        if length:
            advice = f"write 'within{length[0]}'"
            fix = Fix(trouble.span, "within")
            return finding("syntax", "a window is written with 'within', not with 'for'", trouble.span, advice, fix)
    return None


def _in_the_what(trouble: Trouble) -> Diagnostic | None:
    if trouble.before.casefold() == "in" and trouble.word.casefold() == "the":
        advice = "write 'in the last 3 days' or 'in the next 3 days'"
        return finding("syntax", "'in the' needs a direction", trouble.span, advice)
    return None


def _list_without_brackets(trouble: Trouble) -> Diagnostic | None:
    if "LPAR" in trouble.expected and trouble.before.casefold() == "in" and _is_plain(trouble.word):
        return finding("syntax", "a list of values stands in brackets", trouble.span, "write 'in (PL, DE)'")
    return None


def _window_of_a_date(trouble: Trouble) -> Diagnostic | None:
    scoped = trouble.before.casefold().startswith(("trigger.", "person."))
    if scoped and trouble.word.casefold() in ("within", "since"):
        advice = "ask for a date with 'in the next' or 'in the last'; write an event of that name in quotes"
        return finding("syntax", f"'{trouble.before}' is a field, not an event", trouble.span, advice)
    return None


def _window_after_a_total(trouble: Trouble) -> Diagnostic | None:
    opening = trouble.following(3)
    windows = ("within ", "in the last", "in the next", "since ")
    if opening.startswith(windows) and re.compile(r"\b(sum|average|min|max|count)\s+of\b", re.I).search(trouble.body):
        advice = "write 'sum of amount from purchase in the last 30 days >= 500'"
        return finding("syntax", "the window of a total stands before its comparison", trouble.span, advice)
    return None


def _event_age_without_last(trouble: Trouble) -> Diagnostic | None:
    if "MORE_THAN_AGO" not in trouble.expected and _AGE.match(trouble.body, trouble.at):
        advice = "for the time since an event last happened, write 'last' before the event"
        return finding("syntax", "an event is not a date", trouble.span, advice)
    return None


def _or_inside_where(trouble: Trouble) -> Diagnostic | None:
    read = trouble.body[: trouble.at].casefold()
    if trouble.word[:1] in "=<>!" and trouble.word and re.search(r"\bwhere\b.*\bor\b[^=<>]*\Z", read, re.S):
        advice = "name several values of a field with 'in (a, b)', and several events with OR"
        return finding("syntax", "OR ends the 'where' before it", trouble.span, advice)
    return None


# -------------------------------------------------------------------------------------- words at large


def _near_keyword(trouble: Trouble) -> Diagnostic | None:
    if not trouble.word[:1].isalpha() or trouble.word.casefold() in LOGIC:
        return None
    best: tuple[int, str] | None = None
    weekdays = words.WEEKDAYS if "WEEKDAY" in trouble.expected else ()
    for keyword in (*trouble.keywords(), *weekdays):
        found = trouble.following(keyword.count(" ") + 1)
        allowed = 1 if len(keyword) <= 4 else 2
        away = distance(found, keyword) if abs(len(found) - len(keyword)) <= allowed else allowed + 1
        if 0 < away <= min(allowed, len(keyword) - 2) and (best is None or away < best[0]):
            best = away, keyword
    if best is None:
        return None
    keyword = best[1].upper() if best[1] in ("and", "or", "not") else best[1]
    span = (trouble.at, _end_of_words(trouble.body, trouble.at, keyword.count(" ") + 1))
    shown = trouble.body[span[0] : span[1]]
    message = f"'{shown}' does not belong here"
    return finding("syntax", message, span, f"did you mean '{keyword}'?", Fix(span, keyword))


def _end_of_words(text: str, start: int, count: int) -> int:
    match = re.compile(r"\S+" + r"\s+\S+" * (count - 1)).match(text, start)
    return match.end() if match else start


def _template(trouble: Trouble) -> Diagnostic | None:
    if {"STRING", "_WITH", "_TO"} <= trouble.expected and "NAME" not in trouble.expected and _is_template(trouble.word):
        quoted = f'"{trouble.word}"'
        message = f"'{trouble.word}' lacks its quotes"
        return finding("several-words", message, trouble.span, f"write {quoted}", Fix(trouble.span, quoted))
    return None


def _several_words(trouble: Trouble) -> Diagnostic | None:
    if not (_may_be_named(trouble.word) and _may_be_named(trouble.before)):
        return None
    start = trouble.body.rindex(trouble.before, 0, trouble.at)
    if DETERMINERS & {trouble.before.casefold(), trouble.word.casefold()} and not _VALUE_BEGINS.search(
        trouble.body[:start]
    ):
        return None
    end = trouble.span[1]
    while (more := _NEXT_WORD.match(trouble.body, end)) and _may_be_named(more[1]):
        end = more.end()
    quoted = f'"{" ".join(trouble.body[start:end].split())}"'
    message = "a text of several words takes quotes"
    return finding("several-words", message, (start, end), f"write {quoted}", Fix((start, end), quoted))


def _is_template(word: str) -> bool:
    return _may_be_named(word) and word.casefold() not in DETERMINERS


def _may_be_named(word: str) -> bool:
    """Whether a word may be a part of a name of several; one of the language or of English logic hardly is."""
    plain = word.casefold()
    return _is_plain(word) and plain not in LOGIC and not plain.startswith(("person.", "trigger."))


def _is_plain(word: str) -> bool:
    return bool(words.NAME.match(word)) and word.casefold() not in words.KEYWORDS


def _keyword_read_as_name(trouble: Trouble) -> Diagnostic | None:
    """``a AND AND b``: where only a name could stand, the second AND was taken for one."""
    if trouble.before.casefold() in ("and", "or", "then", "where") and "NAME" not in trouble.expected:
        at = trouble.body.rindex(trouble.before, 0, trouble.at)
        span = (at, at + len(trouble.before))
        advice = f'leave it out, or write "{trouble.before}" to use it as a name'
        return finding("keyword-as-name", f"'{trouble.before}' is a keyword here", span, advice)
    return None


def _anything(trouble: Trouble) -> Diagnostic:
    if trouble.ended:
        return finding("syntax", "the clause ends too soon", trouble.span, _expectation(trouble))
    return finding("syntax", f"'{trouble.word}' does not belong here", trouble.span, _expectation(trouble))


def _expectation(trouble: Trouble) -> str | None:
    """What could stand here, in plain words."""
    plain = [words.PLAIN_WORDS.get(name) or f"'{words.phrase(name)}'" for name in sorted(trouble.expected)]
    listed = list(dict.fromkeys(plain))
    if not listed or len(listed) > 2 * _MOST_EXPECTED:
        return "see the forms this clause can take in the language page"
    *most, last = listed[: _MOST_EXPECTED if len(listed) <= _MOST_EXPECTED else _MOST_EXPECTED - 1]
    if len(listed) > _MOST_EXPECTED:
        most, last = [*most, last], "something else"
    return f"expected {', '.join(most)} or {last}" if most else f"expected {last}"


_CHECKS: tuple[Callable[[Trouble], Diagnostic | None], ...] = (
    _unclosed_quote,
    _invisible,
    _reserved_form,
    _bracket,
    _programmers_operator,
    _missing_colon,
    _name_with_a_sign,
    _turn_of_english,
    _odd_character,
    _hour,
    _duration,
    _unit_of_age,
    _count,
    _limit_for_whom,
    _wait_without_end,
    _time,
    _before_without_any,
    _since_what,
    _for_instead_of_within,
    _in_the_what,
    _list_without_brackets,
    _window_of_a_date,
    _window_after_a_total,
    _event_age_without_last,
    _chain,
    _or_inside_where,
    _keyword_read_as_name,
    _near_keyword,
    _template,
    _several_words,
    _anything,
)
