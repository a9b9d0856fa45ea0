"""The quick parser and Lark's own: of one mind about every clause."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from lark.exceptions import UnexpectedInput

from engine.language import layout
from engine.language.automaton import NotTakenError
from engine.language.clauses import Clause, Splitter, finished
from engine.language.grammar import STARTS, automaton, parser
from engine.language.limits import Limits
from engine.language.nodes import Rule
from engine.language.source import Source
from engine.language.terms import ClauseError
from engine.language.walk import walk
from engine.language.words import CLAUSES

from .strategies import rules

GOLDEN = sorted((Path(__file__).parent / "golden").rglob("*.rules"))
ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "rules").rglob("*.rules"))


def clauses_of(text: str) -> list[Clause]:
    entries = Splitter(Source("text", text), Limits(), CLAUSES, frozenset({"rule", "trigger"})).split()
    return [finished(draft, text) for entry in entries for draft in entry.drafts]


def by_lark(grammar: str, body: str) -> object:
    try:
        return repr_with_places(parser().parse(body, start=grammar))
    except UnexpectedInput:
        return None
    except ClauseError as error:
        return error.diagnostic


def by_tables(grammar: str, body: str) -> object:
    try:
        node = automaton().read(grammar, body, 0)
    except ClauseError as error:
        return error.diagnostic
    except NotTakenError:
        return None
    return repr_with_places(node)


def repr_with_places(node: object) -> tuple[str, list[object]]:
    """What a node says and where; places take no part in equality."""
    return repr(node), [part.span for part in walk(node)]


@pytest.mark.parametrize("path", [*GOLDEN, *SHIPPED], ids=lambda path: path.name)
def test_every_clause_of_a_file_by_every_start_rule(path: Path) -> None:
    """Most pairs do not fit, so what is refused is compared as well."""
    for clause, grammar in product(clauses_of(path.read_text("utf-8")), STARTS):
        assert by_tables(grammar, clause.body) == by_lark(grammar, clause.body)


@settings(max_examples=40)
@given(rules())
def test_any_rule(rule: Rule) -> None:
    for clause in clauses_of(layout(rule)):
        grammar = CLAUSES[clause.word].grammar
        if grammar:
            assert by_tables(grammar, clause.body) == by_lark(grammar, clause.body)


def test_places_are_counted_from_where_the_clause_stands() -> None:
    near, far = (automaton().read("expression", "NOT a within 3 days", base) for base in (0, 70))
    assert near.item.window.span == (6, 19)
    assert far.item.window.span == (76, 89)
