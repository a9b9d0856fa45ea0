"""The grammar itself: free of conflicts, and of one mind with the tables of words."""

from __future__ import annotations

import importlib
import re
import sys

import pytest
from lark import Lark

from engine.language import words
from engine.language.grammar import STARTS, grammar_text


def test_the_grammar_has_no_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rule conflicts with another, and no terminal with another of its priority."""
    monkeypatch.delitem(sys.modules, "interegular")  # hidden by tests/conftest.py
    monkeypatch.setattr("lark.lexer.interegular", importlib.import_module("interegular"), raising=False)
    monkeypatch.setattr("lark.lexer.has_interegular", True)
    Lark(grammar_text(), start=list(STARTS), parser="lalr", lexer="contextual", strict=True)


def test_units_are_those_of_the_table() -> None:
    (listed,) = re.findall(r"^_UNITS: /\(\?:(.*)\)/i$", grammar_text(), re.MULTILINE)
    spelled = {
        form
        for word in listed.split("|")
        for form in ((word[:-2], word[:-2] + "s") if word.endswith("s?") else (word,))
    }
    assert spelled == set(words.UNIT_WORDS)


def test_every_keyword_is_in_the_table() -> None:
    """The formatter quotes names that read like keywords, so it must know them all."""
    terminals = re.findall(r"^(\w+)\.\d+: /.*\(\?!\[\\w\.-\]\)/i$", grammar_text(), re.MULTILINE)
    spelled = {word for name in terminals if words.is_keyword(name) for word in words.phrase(name).split()}
    # Words that are keywords only inside a phrase, where no name can stand.
    inner = {"at", "starts", "ends", "average", "day", "month", "year", "the", "next", "skip", "after", "over"}
    inner |= {"held", "out", "arm"}
    assert spelled - inner <= words.KEYWORDS


def test_every_terminal_has_plain_words() -> None:
    terminals = re.findall(r"^([A-Z][A-Z_]+)(?:\.\d+)?:", grammar_text(), re.MULTILINE)
    nameless = [name for name in terminals if not words.is_keyword(name) and name not in words.PLAIN_WORDS]
    assert nameless == []


def test_quoted_texts_are_those_of_the_table() -> None:
    (listed,) = re.findall(r"^_TEXT: /\(\?:(.*)\)/$", grammar_text(), re.MULTILINE)
    pattern = re.compile(listed)
    for opening, closings in words.QUOTES.items():
        for closing in closings:
            assert pattern.fullmatch(f"{opening}a b{closing}")
            assert re.fullmatch(words.QUOTED, f"{opening}a b{closing}")
