"""The parser of one clause, made from ``language.lark`` once, when the first clause is read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from lark import Lark

from .case_builder import CaseBuilder
from .words import CASE_CLAUSES, CLAUSES

STARTS = tuple(dict.fromkeys(word.grammar for word in (*CLAUSES.values(), *CASE_CLAUSES.values()) if word.grammar))


def grammar_text() -> str:
    """The grammar as it stands in its file."""
    return files(__package__).joinpath("language.lark").read_text(encoding="utf-8")


@cache
def parser() -> Lark:
    """The parser, with the builder called as it reduces."""
    return Lark(grammar_text(), start=list(STARTS), parser="lalr", lexer="contextual", transformer=CaseBuilder())
