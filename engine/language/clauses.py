"""From a text to titled rules, and from those to clauses: one linear scan that knows no grammar.

A clause is ``Word: ...`` up to the next clause. ``;`` works like a new line, a line that does not begin with
``Word:`` continues the one above, ``#`` at a line's start or after a blank opens a comment, and none of them
counts inside quotes. Blank lines cut the text into blocks: a block with a clause that opens a rule begins a
new one, any other continues the rule above.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .characters import unseen_in
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .directives import is_directive
from .limits import Limits
from .nodes import Span
from .source import Source
from .words import QUOTED_TO_THE_END

_MARK = re.compile(rf"{QUOTED_TO_THE_END}|#(?<![^\s;]#)[^\n\r]*|\r\n|\n|\r|;")
"""A quoted text, a comment, the end of a line, a cut: its first character tells which. Each form begins with a plain
character, by which the scanner passes over all the others."""

_HEAD = re.compile(r"\s*([^\W\d][\w-]*(?:[^\S\n\r]+[^\W\d][\w-]*){0,3})[^\S\n\r]*:(?!//)")
_NESTING = re.compile(rf"{QUOTED_TO_THE_END}|[()]|\bnot\b|[^\s()]+", re.IGNORECASE)


class Comment(NamedTuple):
    """A comment, and whether it has its line for itself."""

    span: Span
    alone: bool


class Piece(NamedTuple):
    """A stretch between two separators: code, and perhaps a comment behind it."""

    start: int
    end: int
    comment: Comment | None


@dataclass(frozen=True, slots=True)
class Clause:
    """A word and what follows its colon. ``body`` begins at ``start`` and keeps its length: comments are blanks."""

    word: str
    head: Span
    body: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.body)

    @property
    def span(self) -> Span:
        return self.head[0], self.end


@dataclass(slots=True)
class Draft:
    """A clause under way: its word and the pieces of its body."""

    word: str
    head: Span
    pieces: list[Span]


@dataclass(slots=True)
class Entry:
    """A rule, or a test: clauses under a title."""

    start: int
    end: int = 0
    title: str | None = None
    notes: list[str] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    directives: list[Span] = field(default_factory=list)
    """Comments to the checker, which are neither title nor note."""

    @property
    def span(self) -> Span:
        return self.start, self.end


Block = list[Comment | Draft]
"""What stands between two blank lines, in its order."""


def normal(word: str) -> str:
    """A clause's word without its case and spare blanks."""
    return " ".join(word.casefold().split())


class Splitter:
    """Cuts one source into entries; a block with a word of ``openers`` begins a new one.

    So does a block whose first word only ``stands_for`` one of them, when the entry above has its own.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        vocabulary: Iterable[str],
        openers: frozenset[str],
        stands_for: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.text = source.text
        self.vocabulary = vocabulary
        self.limits = limits
        self.openers = openers
        self.stands_for = stands_for
        self.entries: list[Entry] = []
        self.diagnostics: list[Diagnostic] = []
        self._detached: list[Comment] = []
        self._directives: list[Span] = []

    def split(self) -> list[Entry]:
        """The entries of the source; what is wrong with it is in ``diagnostics``."""
        problem = _unreadable(self.text, self.limits)
        if problem:
            self.diagnostics.append(problem)
            return []
        for block in self._blocks():
            self._place(block)
        for entry in self.entries:
            entry.end = max(entry.end, self._last(entry.drafts[-1]))
        self._place_directives()
        return self._capped()

    def _place_directives(self) -> None:
        """Give each directive to the rule that it stands in or above, the last of the file to the rule before it."""
        for span in self._directives if self.entries else ():
            entry = next((one for one in self.entries if span[0] <= one.end), self.entries[-1])
            behind = [one for one in self.entries if one.end < span[0] and self._same_line(one.end, span[0])]
            (behind[-1] if behind else entry).directives.append(span)

    def _same_line(self, start: int, end: int) -> bool:
        return "\n" not in self.text[start:end] and "\r" not in self.text[start:end]

    def _capped(self) -> list[Entry]:
        most = self.limits.rules
        if len(self.entries) > most:
            message = f"the file holds more than {most:,} rules"
            self.diagnostics.append(
                finding("too-many-rules", message, self.entries[most].span, "split it into several files")
            )
        return self.entries[:most]

    # ------------------------------------------------------------------------------------------ lines

    def _lines(self) -> Iterator[list[Piece]]:
        """The lines of the text, each as its pieces; a blank line has none."""
        start = 0
        pieces: list[Piece] = []
        comment: Span | None = None
        for mark in _MARK.finditer(self.text):
            first = mark[0][0]
            if first == "#":
                comment = mark.span()
            elif first in ";\n\r":
                pieces += self._piece(start, mark.start(), comment, first == ";")
                start, comment = mark.end(), None
                if first != ";":
                    yield pieces
                    pieces = []
        yield [*pieces, *self._piece(start, len(self.text), comment, False)]

    def _piece(self, start: int, end: int, comment: Span | None, cut: bool) -> Iterator[Piece]:
        stop = comment[0] if comment else end
        blank = self._blank(start, stop)
        if cut or comment or not blank:
            yield Piece(start, stop, Comment(comment, blank) if comment else None)

    def _blank(self, start: int, end: int) -> bool:
        return start == end or self.text[start:end].isspace()

    # ----------------------------------------------------------------------------------------- blocks

    def _blocks(self) -> Iterator[Block]:
        block: Block = []
        draft: Draft | None = None
        for pieces in self._lines():
            if not pieces and block:
                yield block
                block = []
            for piece in pieces:
                draft = self._take(piece, block, draft)
        if block:
            yield block

    def _take(self, piece: Piece, block: Block, draft: Draft | None) -> Draft | None:
        """Put a piece where it belongs: into a new clause, or behind the one under way."""
        start, end, comment = piece
        if not self._blank(start, end):
            head = _HEAD.match(self.text, start, end)
            if head:
                draft = Draft(normal(head[1]), head.span(1), [(head.end(), end)])
                block.append(draft)
            elif draft:
                draft.pieces.append((start, end))
            else:
                draft = self._stray(start, end)
                block += [draft] if draft else []
        if comment and is_directive(self.text[slice(*comment.span)]):
            self._directives.append(comment.span)
        elif comment:
            block.append(comment)
        return draft

    def _stray(self, start: int, end: int) -> Draft | None:
        """Report a line where no clause has begun; one that only lacks its colon, and opens a rule, is a clause."""
        line = self.text[start:end]
        span = (end - len(line.lstrip()), start + len(line.rstrip()))
        word = next((word for word in self.vocabulary if f"{normal(line)} ".startswith(f"{word} ")), None)
        if word:
            at = span[0] + len(word)
            message, advice = f"'{self.text[span[0] : at]}' lacks its colon", "put a colon behind it"
            self.diagnostics.append(finding("missing-colon", message, (span[0], at), advice, Fix((at, at), ":")))
            return Draft(word, (span[0], at), [(at, end)]) if word in self.openers else None
        odd = unseen_in(line, start)
        if odd:
            self.diagnostics.append(odd)
            return None
        advice = "begin with a clause, such as 'Trigger: signed_up'; a title takes a # in front"
        self.diagnostics.append(finding("no-clause", "no clause has begun here", span, advice))
        return None

    # ---------------------------------------------------------------------------------------- entries

    def _place(self, block: Block) -> None:
        """Begin entries with a block, or continue the one above.

        A block of nothing but comments belongs to whatever continues after it; when a new entry or the end of
        the text follows, it stands for itself.
        """
        words = {item.word for item in block if isinstance(item, Draft)}
        if not words:
            self._detached += (item for item in block if isinstance(item, Comment))
        elif self.entries and not words & self.openers and not self._opens(block):
            self._extend(self.entries[-1], [*self._detached, *block])
            self._detached = []
        else:
            self._detached = []
            for part in self._parts(block):
                self._begin(part)

    def _opens(self, block: Block) -> bool:
        """Whether a block without an opener begins with a word that was meant as one."""
        first = next(item for item in block if isinstance(item, Draft))
        above = (draft.word for draft in self.entries[-1].drafts)
        return self.stands_for(first.word) and any(word in self.openers or self.stands_for(word) for word in above)

    def _parts(self, block: Block) -> Iterator[Block]:
        """A block as its rules: a title in the midst of one begins another, though a blank line is missing."""
        part: Block = []
        seen: set[str] = set()
        for item in block:
            if isinstance(item, Draft):
                cut = len(part) - self._trailing_titles(part)
                if item.word in seen and item.word in self.openers and cut < len(part):
                    self._missing_blank_line(part[cut])
                    yield part[:cut]
                    part, seen = part[cut:], set()
                seen.add(item.word)
            part.append(item)
        yield part

    def _trailing_titles(self, part: Block) -> int:
        """How many comments with a line of their own end ``part``."""
        count = 0
        while count < len(part) and isinstance(last := part[-1 - count], Comment) and last.alone:
            count += 1
        return count

    def _missing_blank_line(self, comment: Comment | Draft) -> None:
        span = comment.span if isinstance(comment, Comment) else comment.head
        message = "a new rule begins here without a blank line above it"
        fix = Fix((span[0], span[0]), "\n")
        self.diagnostics.append(finding("no-blank-line", message, span, "put a blank line above", fix))

    def _begin(self, block: Block) -> None:
        first = block[0]
        entry = Entry(first.span[0] if isinstance(first, Comment) else first.head[0])
        self.entries.append(entry)
        lead = next(index for index, item in enumerate(block) if isinstance(item, Draft))
        texts = [self._words(item) for item in block[:lead] if isinstance(item, Comment)]
        while texts and not texts[0]:
            del texts[0]
        if texts:
            entry.title, *entry.notes = texts
        self._extend(entry, block[lead:])

    def _extend(self, entry: Entry, block: Block) -> None:
        for item in block:
            if isinstance(item, Draft):
                entry.drafts.append(item)
            else:
                entry.notes.append(self._words(item))
                entry.end = item.span[1]

    def _words(self, comment: Comment) -> str:
        start, end = comment.span
        return self.text[start + 1 : end].strip()

    def _last(self, draft: Draft) -> int:
        """Where the words of a draft end."""
        start, end = draft.pieces[-1]
        return start + len(self.text[start:end].rstrip())


def _unreadable(text: str, limits: Limits) -> Diagnostic | None:
    """What forbids reading a file at all: bytes that are no UTF-8, or its size."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as problem:
        advice = "save the file as UTF-8, and look whether its letters with accents are still right"
        return finding(
            "not-utf-8",
            "this byte is not UTF-8, so the file cannot be read",
            (problem.start, problem.start + 1),
            advice,
        )
    if size > limits.file_size:
        message = f"the file is larger than {limits.file_size:,} bytes"
        return finding("file-too-large", message, (0, 0), "split it into several files")
    return None


def finished(draft: Draft, text: str) -> Clause:
    """A clause from its draft; what lies between its pieces becomes a line end and blanks."""
    start, end = draft.pieces[0]
    parts = [text[start:end]]
    for at, stop in draft.pieces[1:]:
        parts.append("\n" + " " * (at - end - 1))
        parts.append(text[at:stop])
        end = stop
    body = "".join(parts).rstrip()
    blanks = len(body) - len(body.lstrip())
    return Clause(draft.word, draft.head, body[blanks:], start + blanks)


def too_large(clause: Clause, limits: Limits) -> Diagnostic | None:
    """What forbids reading a clause at all: its length or its depth."""
    if len(clause.body) > limits.clause_length:
        message = f"the clause is longer than {limits.clause_length:,} characters"
        return finding("clause-too-long", message, clause.head, "split the rule, or name fewer values")
    if clause.body.count("(") + clause.body.casefold().count("not") > limits.nesting:
        return _too_deep(clause, limits)
    return None


def _too_deep(clause: Clause, limits: Limits) -> Diagnostic | None:
    """Count open brackets and the NOTs in a row before a word."""
    brackets = negations = 0
    for token in _NESTING.finditer(clause.body):
        text = token[0].casefold()
        brackets += {"(": 1, ")": -1}.get(text, 0)
        negations = negations + 1 if text == "not" else negations if text == "(" else 0
        if brackets + negations > limits.nesting:
            at = clause.start + token.start()
            message = f"brackets and NOTs are nested more than {limits.nesting} deep"
            return finding("too-deep", message, (at, at + len(text)), "say it with fewer brackets")
    return None
