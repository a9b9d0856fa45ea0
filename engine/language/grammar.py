"""The parsers of one clause, made from ``language.lark`` once, when the first clause is read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer

from .automaton import Automaton
from .case_builder import CaseBuilder
from .words import CASE_CLAUSES, CLAUSES

STARTS = tuple(dict.fromkeys(word.grammar for word in (*CLAUSES.values(), *CASE_CLAUSES.values()) if word.grammar))


def grammar_text() -> str:
    """The grammar as it stands in its file."""
    return files(__package__).joinpath("language.lark").read_text(encoding="utf-8")


class _Callbacks(Transformer[Token, object]):
    """Gives the children of a rule to the builder's method of that name, one argument each.

    Lark's own decorator does the same with three more calls for every rule it reduces.
    """

    def __getattr__(self, name: str) -> Any:
        method = getattr(_BUILDER, name)
        return lambda children: method(*children)


_BUILDER = CaseBuilder()


@cache
def parser() -> Lark:
    """Lark's parser, with the builder called as it reduces. It knows what is wrong with a clause."""
    return Lark(grammar_text(), start=list(STARTS), parser="lalr", lexer="contextual", transformer=_Callbacks())


@cache
def automaton() -> Automaton:
    """The same parser, quick with clauses that are right."""
    return Automaton(parser())
