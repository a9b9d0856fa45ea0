"""Tests in the language of the rules they test: ``*.test.rules``.

Executing them takes the decision core and happens elsewhere; here they are read, like rules, with every
mistake of a file in one go.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from .case_nodes import Acts, Case, Changes, Given, Occurs, Sets, Silent, Tracks
from .clauses import Clause, Splitter
from .codes import finding
from .diagnostics import Diagnostic
from .limits import Limits
from .reader import ClauseReader, in_order
from .source import Source
from .terms import Name
from .words import CASE_CLAUSES

__all__ = ["Acts", "Case", "CaseReading", "Changes", "Given", "Occurs", "Sets", "Silent", "Tracks", "read_cases"]

_OPENERS = frozenset({"rule"})
_SEVERAL = frozenset({"Given", "With", "Person"})
"""Clauses that hold several things at once."""


@dataclass(frozen=True)
class CaseReading:
    """What came of reading a file of tests."""

    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def read_cases(text: str, name: str = "<text>", limits: Limits | None = None) -> CaseReading:
    """Read a file of tests. Nothing a user can write makes this raise."""
    source = Source(name, text)
    limits = limits or Limits()
    splitter = Splitter(source, limits, CASE_CLAUSES, _OPENERS)
    cases: list[Case] = []
    diagnostics: list[Diagnostic] = []
    for entry in splitter.split():
        reader = CaseReader(entry, text, limits)
        case = reader.read()
        diagnostics += reader.diagnostics
        if case:
            cases.append(case)
    return CaseReading(tuple(cases), in_order([*splitter.diagnostics, *diagnostics]), source)


class CaseReader(ClauseReader):
    """Reads one test."""

    vocabulary = CASE_CLAUSES

    def read(self) -> Case | None:
        """The test, unless one of its clauses could not be read."""
        rule: Name | None = None
        words: set[str] = set()
        nodes: dict[str, list[Any]] = defaultdict(list)
        for clause, word, node in self.clauses():
            words |= {word.word} if word else {"Rule", "Expect"}
            if word is None or node is None:
                continue
            if word.word == "Rule":
                rule = self._named(clause, node, rule)
            else:
                nodes[word.word] += node if word.word in _SEVERAL else [node]
        self._complete(words)
        if len(nodes["Start"]) > 1:
            self.report(finding("clause-twice", "'Start:' stands twice", nodes["Start"][1].span, "keep one of them"))
        if self.failed or rule is None:
            return None
        entry = self.entry
        return Case(
            entry.title,
            tuple(entry.notes),
            rule.text,
            tuple(nodes["Given"]),
            tuple(nodes["At"]),
            tuple(nodes["Expect"]),
            tuple(nodes["With"]),
            next(iter(nodes["Start"]), None),
            tuple(nodes["Person"]),
            tuple(nodes["Cap"]),
            tuple(nodes["Quiet hours"]),
            rule.span,
            entry.span,
        )

    def _named(self, clause: Clause, name: Name, known: Name | None) -> Name:
        if known is not None:
            advice = "put a blank line between two tests, or name rules that are live beside it with 'With:'"
            self.report(finding("two-rules", "a test names one rule", clause.head, advice))
        return name

    def _complete(self, words: set[str]) -> None:
        """Report what is not written at all; ``words`` are those that are, and those that may be."""
        head = self.entry.drafts[0].head
        if "Rule" not in words:
            self.report(finding("no-rule", "the test names no rule", head, "begin it with 'Rule:' and the rule's name"))
        if "Expect" not in words:
            advice = "add 'Expect: nothing' or the action that should leave"
            self.report(finding("no-expectation", "the test expects nothing, not even silence", head, advice))
