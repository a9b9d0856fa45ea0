"""From a file to rules, with every mistake of the file in one go.

Each clause is read by itself, so that a mistake in one hides none in another. Each rule is remembered by its text,
so that reading a file again costs little where it has not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple, cast

from lark.exceptions import UnexpectedInput

from .asked import Survey, survey
from .catalog import Catalog
from .clauses import Clause, Entry, Splitter, finished, normal, too_large
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .figures import check_figures
from .grammar import automaton, parser
from .identity import identified, slug
from .limits import Limits
from .mistakes import explain
from .nodes import Condition, Rule
from .purposes import check_purpose
from .resolve import check, resolve, shared_identity
from .source import Source
from .steps import StepList
from .suggest import nearest
from .terms import ClauseError, Name
from .walk import moved, numbered
from .words import CLAUSES, RESERVED_CLAUSES, ClauseWord

_REMEMBERED = 16_384
"""Rules kept in memory."""

_MAY_SAMPLE = re.compile("sample", re.IGNORECASE)
_OPENERS = frozenset({"rule", "trigger"})


@dataclass(frozen=True)
class Reading:
    """What came of reading a file: the rules that could be read, and everything found."""

    rules: tuple[Rule, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def refusing(self, rule: Rule, where: str) -> Reading:
        """The same reading with an error: ``rule`` has the identity of a rule that stands in the file ``where``."""
        return self.with_findings([shared_identity(rule, where)])

    def with_findings(self, found: Iterable[Diagnostic]) -> Reading:
        """The same reading with what only other files, or the rules that were live, could show."""
        return replace(self, diagnostics=in_order([*self.diagnostics, *found]))

    def text_of(self, rule: Rule) -> str:
        """The lines of the file that a rule of it stands in; nothing else makes it what it is."""
        return self.source.text[slice(*rule.span)]


def read(text: str, name: str = "<text>", limits: Limits | None = None, catalog: Catalog | None = None) -> Reading:
    """Read a file of rules. Nothing a user can write makes this raise: every mistake is a diagnostic."""
    source = Source(name, text)
    limits = limits or Limits()
    splitter = Splitter(source, limits, CLAUSES, _OPENERS)
    judged = [judge(entry, text, limits) for entry in splitter.split()]
    surveys = [rule.survey for rule in judged if rule.survey]
    found = [*splitter.diagnostics, *(diagnostic for rule in judged for diagnostic in rule.diagnostics)]
    resolved = resolve(surveys, found, source, catalog or Catalog())
    return Reading(tuple(survey.rule for survey in surveys), in_order(resolved), source)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each finding once, from the top of the file to its end."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda found: (found.span, found.code)))


class Judged(NamedTuple):
    """A rule laid out, unless it could not be read, and what it shows by itself, at the place where it stood."""

    survey: Survey | None
    diagnostics: tuple[Diagnostic, ...]
    start: int

    def moved(self, start: int) -> Judged:
        """The same rule where it stands now."""
        by = start - self.start
        laid_out = self.survey and survey(moved(self.survey.rule, by))
        return Judged(laid_out, tuple(found.moved(by) for found in self.diagnostics), start)


_judged: dict[tuple[str, Limits], Judged] = {}
"""Rules already read, by their text: reading a file again looks only at what has changed."""


def judge(entry: Entry, text: str, limits: Limits) -> Judged:
    """Read one rule and check it, or remember what came of it before."""
    key = text[entry.start : entry.end], limits
    known = _judged.get(key)
    if known is None:
        if len(_judged) >= _REMEMBERED:
            _judged.clear()
        known = _judged[key] = _judge(entry, text, limits)
    elif known.start != entry.start:
        known = _judged[key] = known.moved(entry.start)
    return known


def _judge(entry: Entry, text: str, limits: Limits) -> Judged:
    reader = RuleReader(entry, text, limits)
    rule = reader.read()
    if rule is None:
        return Judged(None, tuple(reader.diagnostics), entry.start)
    laid_out = survey(rule)
    return Judged(laid_out, (*reader.diagnostics, *check(laid_out, text)), entry.start)


class Parsed(NamedTuple):
    """What a clause means, or what is wrong with it."""

    node: Any
    problems: tuple[Diagnostic, ...]


def parse(grammar: str, clause: Clause) -> Parsed:
    """Read what follows a clause's colon by the start rule ``grammar``."""
    try:
        node = automaton().read(grammar, clause.body, clause.start)
    except ClauseError as error:
        return Parsed(None, (error.diagnostic,))
    if node is None:
        return Parsed(None, (_complaint(grammar, clause.body).moved(clause.start),))
    doubts = check_purpose(node) if grammar == "purpose" else ()
    return Parsed(node, (*check_figures(node), *doubts))


def _complaint(grammar: str, body: str) -> Diagnostic:
    """What is wrong with a clause that the grammar does not take."""
    try:
        parser().parse(body, start=grammar)
    except UnexpectedInput as problem:
        return explain(body, problem)
    raise AssertionError("Lark reads what its own tables do not take")


class ClauseReader:
    """What reading a rule and reading a test have in common: one entry, clause by clause."""

    vocabulary: dict[str, ClauseWord] = CLAUSES

    def __init__(self, entry: Entry, text: str, limits: Limits) -> None:
        self.entry = entry
        self.text = text
        self.limits = limits
        self.diagnostics: list[Diagnostic] = []
        self.ordinals = count(1)

    def clauses(self) -> Iterator[tuple[Clause, ClauseWord, Any]]:
        """Every clause that could be read, with its word and its node."""
        for clause in (finished(draft, self.text) for draft in self.entry.drafts):
            word = self.vocabulary.get(clause.word)
            if word is None:
                self._unknown(clause)
            elif word.grammar is None:
                if clause.body:
                    self._something_follows(clause, word)
                yield clause, word, None
            elif (node := self._node(clause, word.grammar)) is not None:
                yield clause, word, node

    def report(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def _node(self, clause: Clause, grammar: str) -> Any:
        if not clause.body:
            return self.report(self._nothing_follows(clause))
        problem = too_large(clause, self.limits)
        if problem:
            return self.report(problem)
        node, problems = parse(grammar, clause)
        self.diagnostics += problems
        return numbered(node, self.ordinals) if _MAY_SAMPLE.search(clause.body) else node

    def _nothing_follows(self, clause: Clause) -> Diagnostic:
        word = self.vocabulary[clause.word].word
        return finding("nothing-follows", f"nothing follows '{word}:'", clause.head, "say what it is, or leave it out")

    def _something_follows(self, clause: Clause, word: ClauseWord) -> None:
        span = (clause.start, clause.end)
        advice = "put what follows on a line of its own"
        self.report(finding("something-follows", f"nothing may follow '{word.word}:'", span, advice))

    def _unknown(self, clause: Clause) -> None:
        if clause.word in RESERVED_CLAUSES:
            message = "'For everyone with:' is reserved for a later version of the language"
            return self.report(finding("reserved", message, clause.head))
        written = self.text[slice(*clause.head)]
        best = nearest(clause.word, (word.word for word in self.vocabulary.values()))
        known = ", ".join(word.word for word in self.vocabulary.values())
        advice = f"did you mean '{best}:'?" if best else f"the words are {known}"
        fix = Fix(clause.head, best) if best else None
        return self.report(
            finding("unknown-clause", f"'{written}:' is no word of the language", clause.head, advice, fix)
        )


class RuleReader(ClauseReader):
    """Reads one rule."""

    def read(self) -> Rule | None:
        """The rule, unless one of its clauses could not be read."""
        steps = StepList(self.limits.nesting, self.ordinals)
        found: dict[str, Any] = {}
        heads: dict[str, Clause] = {}
        for clause, word, node in self.clauses():
            if word.field is None:
                _take_step(steps, normal(word.word), clause, node)
            elif word.many:
                extra = node if isinstance(node, tuple) else (node,)
                found[word.field] = tuple(dict.fromkeys((*found.get(word.field, ()), *extra)))
            elif word.field in heads:
                self._twice(clause, word)
            else:
                heads[word.field] = clause
                found[word.field] = _plain(node)
        found["steps"] = steps.finish()
        self.diagnostics += steps.diagnostics
        if "trigger" not in found and not self.failed:
            self._no_trigger()
        return None if self.failed else self._rule(found)

    def _rule(self, found: dict[str, Any]) -> Rule:
        entry = self.entry
        named = "id" in found
        name = cast(str, found.pop("id")) if named else slug(entry.title or "")
        rule = Rule(name, entry.title, tuple(entry.notes), named=named, span=entry.span, **found)
        return rule if name else identified(rule)

    def _twice(self, clause: Clause, word: ClauseWord) -> None:
        if word.field == "trigger":
            advice = "write 'a OR b' for several events, or a blank line between two rules"
            self.report(finding("two-triggers", "a rule has one 'Trigger:'", clause.head, advice))
        else:
            message = f"'{word.word}:' stands twice in this rule"
            self.report(finding("clause-twice", message, clause.head, "keep one of them"))

    def _no_trigger(self) -> None:
        advice = "write 'Trigger:' and an event, a schedule, or None"
        self.report(finding("missing-trigger", "the rule has no 'Trigger:'", self.entry.drafts[0].head, advice))


def _plain(node: Any) -> Any:
    return node.text if isinstance(node, Name) else node


def _take_step(steps: StepList, word: str, clause: Clause, node: Any) -> None:
    """Hand a step to the list in the way its word asks for."""
    if word == "condition":
        steps.add(Condition(node, clause.span))
    elif word == "if":
        steps.begin_if(node, clause.span)
    elif word == "else if":
        steps.else_if(node, clause.span)
    elif word == "else":
        steps.otherwise(clause.head)
    elif word == "split":
        steps.arm(node, clause.span)
    elif word == "end":
        steps.end(clause.head)
    else:
        steps.add(node)
