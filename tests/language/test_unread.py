"""What is said of a rule while one of its clauses cannot be read: all that does not hang on the clause, and no more.

A clause that cannot be read may come to mean anything once it is mended. So nothing may be said of the rest that would
not be said with the clause as it was; and what would be said whatever the clause means, has to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.language import Catalog, Diagnostic, read
from engine.language.clauses import Clause, Splitter, finished
from engine.language.layout import quoted
from engine.language.limits import Limits
from engine.language.naming import event_names
from engine.language.source import Source
from engine.language.words import CLAUSES, ClauseWord

from .test_golden import CATALOG, GOLDEN

ROOT = Path(__file__).parents[2]
SWALLOWING = "error-missing-colon-of-end.rules"
"""Its clauses run on into others, which go with them."""

CORPUS = [
    *(path for path in sorted(GOLDEN.rglob("*.rules")) if path.parent.name != "cases" and path.name != SWALLOWING),
    *(path for path in sorted((ROOT / "rules").rglob("*.rules")) if not path.name.endswith(".test.rules")),
    ROOT / "examples" / "seed.rules",
]

CONDITIONS = ("x9", "NOT x9", "x9 within 3 days", "NOT x9 within 3 days", "person.q9 = 1")
MENDED: dict[str, tuple[str, ...]] = {
    "Rule": ("x9",),
    "Trigger": ("x9", "None", "every day at 09:00"),
    "Only while": ("person.q9 = 1", "NOT x9 since trigger"),
    "For each": ("x9", "y9"),
    "Existing people": ("skip", "include"),
    "Condition": CONDITIONS,
    "If": CONDITIONS,
    "Else if": CONDITIONS,
    "Wait": ("1 day", "until 09:00", "until x9 for at most 2 days"),
    "Action": ("x9", "track x9", "set person.x9 = 1"),
    "Split": ("1%", "50%", "99%"),
    "Exit": ("none", "x9"),
    "Limit": ("once per person", "once per x9"),
    "Triggered again": ("each", "ignore", "restart"),
    "Zone": ("Europe/Warsaw", "person.x9"),
    "Quiet hours": ("21:00 to 09:00", "sunday"),
    "Purpose": ("transactional", "x9"),
    "Goal": ("x9 within 1 day",),
    "Holdout": ("10%",),
    "Active": ("from 2026-01-01",),
    "Late": ("always",),
    "Tags": ("x9",),
}
"""What each clause may mean when it is mended."""

ONCE_MORE = ("Trigger", "Condition", "If", "Wait", "Action", "Exit", "Triggered again", "Limit", "Rule", "Purpose")
"""What a clause with a word that nobody knows may turn out to be, or an End."""

Said = set[tuple[str, str, int]]


def clauses_of(text: str) -> Iterator[tuple[Clause, ClauseWord, set[str]]]:
    """Every clause of a text, its word, and all words of its rule."""
    for entry in Splitter(Source("text", text), Limits(), CLAUSES, frozenset({"rule", "trigger"})).split():
        words = {draft.word for draft in entry.drafts}
        for clause in (finished(draft, text) for draft in entry.drafts):
            if clause.body and clause.word in CLAUSES:
                yield clause, CLAUSES[clause.word], words


def said(text: str, catalog: Catalog | None, clause: Clause, longer: int = 0) -> Said:
    """What is said of all but a clause that is so much longer now, each at the place where it was."""
    start, end = clause.head[0], clause.end + longer

    def about(found: Diagnostic) -> bool:
        return found.span[0] < end and start < found.span[1]

    found = (one for one in read(text, catalog=catalog).diagnostics if not about(one))
    return {(one.code, one.message, one.span[0] - (longer if one.span[0] >= end else 0)) for one in found}


def with_body(text: str, clause: Clause, body: str) -> str:
    return text[: clause.start] + body + text[clause.end :]


def bodies(text: str, word: str) -> Iterator[str]:
    """What may follow a word, the events of the text among it where they would be exits."""
    yield from MENDED[word]
    names = events_of(text)
    if word == "Exit" and names:
        yield " OR ".join(map(quoted, names))
    elif word == "Condition" and names:
        yield " AND ".join(f"NOT {quoted(name)}" for name in names)


@cache
def events_of(text: str) -> tuple[str, ...]:
    """The names of events in a text, each once."""
    return tuple(dict.fromkeys(name for rule in read(text).written for name, _ in event_names(rule)))


def mended(text: str, catalog: Catalog | None, clause: Clause, word: ClauseWord) -> Iterator[Said]:
    yield said(text, catalog, clause)
    for body in bodies(text, word.word):
        longer = len(body) - len(clause.body)
        yield said(with_body(text, clause, body), catalog, clause, longer)


def renamed(text: str, catalog: Catalog | None, clause: Clause, words: set[str]) -> Iterator[Said]:
    """What is said with another clause in the place of this one; one that may stand once, unless it does already."""
    yield said(text, catalog, clause)
    others = (word for word in ONCE_MORE if word.casefold() not in words or CLAUSES[word.casefold()].many)
    for one in ("End:", *(f"{word}: {body}" for word in others for body in bodies(text, word))):
        changed = text[: clause.head[0]] + one + text[clause.end :]
        yield said(changed, catalog, clause, len(one) - (clause.end - clause.head[0]))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
@pytest.mark.parametrize("broken", ["{} ¤", ""], ids=["unreadable", "empty"])
def test_a_clause_that_cannot_be_read_hides_and_adds_nothing(path: Path, broken: str) -> None:
    text, catalog = path.read_text("utf-8"), CATALOG if path.parent.name == "known" else None
    for clause, word, _ in clauses_of(text):
        if word.grammar is not None:
            body = broken.format(clause.body)
            found = said(with_body(text, clause, body), catalog, clause, len(body) - len(clause.body))
            each = list(mended(text, catalog, clause, word))
            if not body and word.word == "Trigger":  # where no trigger names an event, a name rather seems a date
                found = {one for one in found if one[0] != "event-or-date"} | set.intersection(*each)
            assert set.intersection(*each) <= found <= each[0], text[slice(*clause.span)]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_a_word_that_nobody_knows_hides_and_adds_nothing(path: Path) -> None:
    text, catalog = path.read_text("utf-8"), CATALOG if path.parent.name == "known" else None
    for clause, word, words in clauses_of(text):
        # The word of an opener decides which rule the lines belong to, and that of a branch what stands in it.
        if word.word not in ("Rule", "Trigger", "If", "Else if", "Else", "Split", "End"):
            start, end = clause.head
            found = said(text[:start] + "q" * (end - start) + text[end:], catalog, clause)
            each = list(renamed(text, catalog, clause, words))
            assert set.intersection(*each) <= found <= each[0], text[slice(*clause.span)]
