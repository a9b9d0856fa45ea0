"""From a file to rules, with every mistake of the file in one go.

Each clause is read by itself, so that a mistake in one hides none in another; where one cannot be read, another value
stands in for it, and the rest of its rule is checked as far as it does not hang on it. Each rule is remembered by its
text, so that reading a file again costs little where it has not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple, cast

from lark.exceptions import UnexpectedInput

from . import standins
from .asked import Survey, survey
from .automaton import NotTakenError
from .catalog import Catalog
from .characters import odd_name, odd_quotes
from .clauses import Clause, Entry, Splitter, finished, normal, too_large
from .codepoints import seen
from .codes import finding
from .diagnostics import Diagnostic, Fix
from .directives import Allowed, read_directive, without_allowed
from .figures import check_figures
from .grammar import automaton, parser
from .identity import identified, slug
from .limits import Limits
from .mistakes import explain, runs_on
from .nodes import Condition, EventTrigger, Rule, Span, Trigger
from .other_words import OTHER_WORDS
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

_NEW_LINE = re.compile(r"[\n\r]")
_MAY_SAMPLE = re.compile("sample", re.IGNORECASE)
_OPENERS = frozenset({"rule", "trigger"})
_FIELDS = frozenset(word.field for word in CLAUSES.values() if word.field)


@dataclass(frozen=True)
class Reading:
    """What came of reading a file: the rules that could be read, and everything found.

    ``written`` is every rule of the file as far as it could be read, with stand-ins for what could not. Nothing may run
    it; it serves those who look for more mistakes. Its ``id`` is empty where nobody can tell.
    """

    rules: tuple[Rule, ...]
    diagnostics: tuple[Diagnostic, ...]
    source: Source
    written: tuple[Rule, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    """Warnings that rules are allowed, by directives; ``used`` are those of which there was one so far."""
    used: frozenset[Allowed] = frozenset()

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def refusing(self, rule: Rule, where: str) -> Reading:
        """The same reading with an error: ``rule`` has the identity of a rule that stands in the file ``where``."""
        return self.with_findings([shared_identity(rule, where)])

    def with_findings(self, found: Iterable[Diagnostic]) -> Reading:
        """The same reading with what only other files, or the rules that were live, could show, and is not allowed."""
        kept, used = without_allowed(found, self.allowed)
        return replace(self, diagnostics=in_order([*self.diagnostics, *kept]), used=self.used | used)

    def text_of(self, rule: Rule) -> str:
        """The lines of the file that a rule of it stands in; nothing else makes it what it is."""
        return self.source.text[slice(*rule.span)]


def read(text: str, name: str = "<text>", limits: Limits | None = None, catalog: Catalog | None = None) -> Reading:
    """Read a file of rules. Nothing a user can write makes this raise: every mistake is a diagnostic."""
    source = Source(name, text)
    limits = limits or Limits()
    splitter = Splitter(source, limits, CLAUSES, _OPENERS, _means_trigger)
    entries = splitter.split()
    judged = [judge(entry, text, limits) for entry in entries]
    surveys = [rule.survey for rule in judged]
    found = [*splitter.diagnostics, *(diagnostic for rule in judged for diagnostic in rule.diagnostics)]
    resolved = resolve(surveys, found, source, catalog or Catalog())
    rules = tuple(rule.survey.rule for rule in judged if rule.whole)
    said = [read_directive(text[slice(*span)], span, entry.span) for entry in entries for span in entry.directives]
    allowed = tuple(one for one in said if isinstance(one, Allowed))
    kept, used = without_allowed(resolved, allowed)
    kept += (one for one in said if isinstance(one, Diagnostic))
    written = tuple(survey.rule for survey in surveys)
    return Reading(rules, in_order(kept), source, written, allowed, frozenset(used))


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each finding once, from the top of the file to its end."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda found: (found.span, found.code)))


@lru_cache(maxsize=4096)
def _means_trigger(word: str) -> bool:
    """Whether a word that is none of the language most likely stands for one that opens a rule."""
    if word in CLAUSES:
        return False
    if word in OTHER_WORDS:
        return OTHER_WORDS[word][0] == "Trigger"
    return normal(nearest(word, (known.word for known in CLAUSES.values())) or "") in _OPENERS


class Judged(NamedTuple):
    """A rule laid out, and what it shows by itself, at the place where it stood; ``whole``: all of it could be read."""

    survey: Survey
    diagnostics: tuple[Diagnostic, ...]
    start: int
    whole: bool

    def moved(self, start: int) -> Judged:
        """The same rule where it stands now."""
        by = start - self.start
        laid_out = survey(moved(self.survey.rule, by), self.survey.unread)
        return Judged(laid_out, tuple(found.moved(by) for found in self.diagnostics), start, self.whole)


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
    laid_out = survey(reader.read(), frozenset(reader.unread))
    return Judged(laid_out, check(laid_out, text, reader.diagnostics), entry.start, not reader.failed)


class Parsed(NamedTuple):
    """What a clause means, and what is wrong with it; no ``node`` where it means nothing."""

    node: Any
    problems: tuple[Diagnostic, ...]


def parse(grammar: str, clause: Clause) -> Parsed:
    """Read what follows a clause's colon by the start rule ``grammar``."""
    odd = tuple(found.moved(clause.start) for found in odd_quotes(clause.body, blanks=grammar != "action"))
    try:
        node = automaton().read(grammar, clause.body, clause.start)
    except ClauseError as error:
        return Parsed(None, (*odd, error.diagnostic))
    except NotTakenError as stop:
        return Parsed(None, (*odd, *check_figures(stop.before), _complaint(grammar, clause.body).moved(clause.start)))
    doubts = check_purpose(node) if grammar == "purpose" else ()
    return Parsed(node, (*odd, *check_figures(node), *doubts))


def _complaint(grammar: str, body: str) -> Diagnostic:
    """What is wrong with a clause that the grammar does not take."""
    try:
        parser().parse(body, start=grammar)
    except UnexpectedInput as problem:
        return explain(body, problem, grammar)
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

    def clauses(self) -> Iterator[Meant]:
        """Every clause, and what it means."""
        ahead = [finished(draft, self.text) for draft in reversed(self.entry.drafts)]
        cuts = self.limits.nesting
        while ahead:
            clause = ahead.pop()
            word = self.vocabulary.get(clause.word)
            if word is None:
                yield Meant(clause, self._unknown(clause), None)
            else:
                node, problems = self._parsed(clause, word)
                self.diagnostics += problems
                if cuts and problems and problems[-1].code == "missing-colon":
                    swallowed, before = _cut(clause, problems[-1].span, self.text)
                    if swallowed.word in _OPENERS and any(swallowed.word == one.word for one in self.entry.drafts):
                        yield Meant(swallowed, None, None)  # rather the beginning of another rule
                        ahead.append(before)
                    else:
                        ahead += (swallowed, before)
                    cuts -= 1
                else:
                    yield Meant(clause, word, node)

    def report(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def _parsed(self, clause: Clause, word: ClauseWord) -> Parsed:
        if word.grammar is None:
            return Parsed(clause.head, (self._something_follows(clause, word),) if clause.body else ())
        problem = too_large(clause, self.limits) if clause.body else self._nothing_follows(clause)
        if problem:
            return Parsed(None, (problem,))
        parsed = parse(word.grammar, clause)
        return parsed._replace(node=numbered(parsed.node, self.ordinals)) if _MAY_SAMPLE.search(clause.body) else parsed

    def _nothing_follows(self, clause: Clause) -> Diagnostic:
        word = self.vocabulary[clause.word].word
        return finding("nothing-follows", f"nothing follows '{word}:'", clause.head, "say what it is, or leave it out")

    def _something_follows(self, clause: Clause, word: ClauseWord) -> Diagnostic:
        problem = runs_on(clause.body) if _NEW_LINE.search(self.text, clause.head[1], clause.start) else None
        if problem:
            return problem.moved(clause.start)
        span = (clause.start, clause.end)
        advice = "put what follows on a line of its own"
        return finding("something-follows", f"nothing may follow '{word.word}:'", span, advice)

    def _unknown(self, clause: Clause) -> ClauseWord | None:
        """Report a word that is none; gives the one it was most likely meant to be."""
        if clause.word in RESERVED_CLAUSES:
            message = "'For everyone with:' is reserved for a later version of the language"
            advice = "write a rule for each, or 'For each:' for one journey a person and value of a field"
            self.report(finding("reserved", message, clause.head, advice))
            return None
        written = self.text[slice(*clause.head)]
        if odd := odd_name(written, clause.head[0]):
            self.report(odd)
            return self.vocabulary.get(normal(seen(written)))
        if self.vocabulary is CLAUSES and clause.word in OTHER_WORDS:
            return self._of_another_tool(clause, written, *OTHER_WORDS[clause.word])
        near = nearest(clause.word, (word.word for word in self.vocabulary.values()))
        best = near or self._begun(clause.word)
        known = ", ".join(word.word for word in self.vocabulary.values())
        advice = f"did you mean '{best}:'?" if best else f"the words are {known}"
        fix = Fix(clause.head, best) if best and (near or best == "End") else None
        self.report(finding("unknown-clause", f"'{written}:' is no word of the language", clause.head, advice, fix))
        return self.vocabulary[normal(best)] if best else None

    def _of_another_tool(self, clause: Clause, written: str, best: str | None, advice: str | None) -> ClauseWord | None:
        """Report a word that other tools have; return the word of the language that takes the same text."""
        message = f"'{written}:' is no word of the language"
        if best == "Trigger" and any(draft.word == "trigger" for draft in self.entry.drafts):
            best, advice = None, "the rule has its 'Trigger:'; what must hold is a 'Condition:', a moment a 'Wait:'"
        fix = Fix(clause.head, best) if best else None
        self.report(finding("unknown-clause", message, clause.head, advice or f"write '{best}:'", fix))
        return self.vocabulary[normal(best)] if best else None

    def _begun(self, written: str) -> str | None:
        """The word that ``End if`` and the like begin with."""
        begun = (word.word for key, word in self.vocabulary.items() if written.startswith(f"{key} "))
        return max(begun, key=len, default=None)


class Meant(NamedTuple):
    """A clause, its word, and what it means. No ``word``: it may be any clause; no ``node``: it could not be read."""

    clause: Clause
    word: ClauseWord | None
    node: Any


def _cut(clause: Clause, span: Span, text: str) -> tuple[Clause, Clause]:
    """A clause that has run on into another without a colon, at ``span``: the other, and what stands before it."""
    at, end = span[0] - clause.start, span[1] - clause.start
    behind = clause.body[end:]
    start = clause.end - len(behind.lstrip())
    swallowed = Clause(normal(text[slice(*span)]), span, behind.lstrip(), start)
    return swallowed, replace(clause, body=clause.body[:at].rstrip())


class RuleReader(ClauseReader):
    """Reads one rule."""

    def __init__(self, entry: Entry, text: str, limits: Limits) -> None:
        super().__init__(entry, text, limits)
        self.unread: set[str] = set()
        """The parts of the rule of which something is written that could not be read."""
        self._steps = StepList(limits.nesting, self.ordinals)
        self._found: dict[str, Any] = {}
        self._heads: dict[str, Clause] = {}
        self._unclear = False
        """Whether something stands in the rule that may be any clause."""

    def read(self) -> Rule:
        """The rule as far as it can be read; all of it, unless the reader has ``failed``."""
        for clause, word, node in self.clauses():
            if word is None:
                self._take_anything(clause)
            elif word.field is None:
                stand_in = standins.STEPS.get(word.grammar or "")
                if node is None and stand_in:
                    node = stand_in(clause.span)  # noqa: PLW2901
                _take_step(self._steps, normal(word.word), clause, node)
            else:
                self._take_field(clause, word, word.field, node)
        self._found["steps"] = self._steps.finish()
        if self._unclear:
            self.unread |= _FIELDS - self._found.keys()
        else:
            self.diagnostics += self._steps.diagnostics
        return self._rule()

    def _take_anything(self, clause: Clause) -> None:
        if not self._unclear:
            self.diagnostics += self._steps.diagnostics  # from here on, nobody can tell what opens and what closes
        self._unclear = True
        self._steps.add(standins.anything(clause.span))

    def _take_field(self, clause: Clause, word: ClauseWord, field: str, node: Any) -> None:
        if node is None:
            self.unread.add(field)
        if not word.many and field in self._heads:
            self._twice(clause, word, node)
        elif node is None:
            if clause.word in CLAUSES:
                self._heads[field] = clause
        elif word.many:
            extra = node if isinstance(node, tuple) else (node,)
            self._found[field] = tuple(dict.fromkeys((*self._found.get(field, ()), *extra)))
        else:
            self._heads[field] = clause
            self._found[field] = _plain(node)

    def _rule(self) -> Rule:
        entry, found = self.entry, self._found
        found["trigger"] = self._trigger()
        named = "id" in found
        name = cast(str, found.pop("id")) if named else slug(entry.title or "")
        if "id" in self.unread:
            name = ""
        rule = Rule(name, entry.title, tuple(entry.notes), named=named, span=entry.span, **found)
        return rule if name or self.failed else identified(rule)

    def _trigger(self) -> Trigger:
        """The trigger; where nobody can tell what it is, one that says nothing at the place where it should be."""
        head = self._heads.get("trigger")
        if head is None and "trigger" not in self.unread:
            self._no_trigger()
            self.unread.add("trigger")
        if "trigger" not in self.unread:
            return cast(Trigger, self._found["trigger"])
        return standins.trigger((head.start, head.end) if head else self.entry.drafts[0].head)

    def _twice(self, clause: Clause, word: ClauseWord, node: Any) -> None:
        if word.field == "trigger":
            advice = "write 'a OR b' for several events, or a blank line between two rules"
            self.report(finding("two-triggers", "a rule has one 'Trigger:'", clause.head, advice))
            self._take_anything(clause)
            first = self._found.get("trigger")
            if isinstance(first, EventTrigger) and isinstance(node, EventTrigger):
                self._found["trigger"] = EventTrigger((*first.patterns, *node.patterns), first.span)
            else:
                self.unread.add("trigger")
        else:
            message = f"'{word.word}:' stands twice in this rule"
            self.report(finding("clause-twice", message, clause.head, "keep one of them"))
            self.unread.add(cast(str, word.field))

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
