"""The text of a template as tokens: what python-liquid makes of it, and never in more than linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis.strategies import lists, sampled_from
from liquid import BoundTemplate, Token
from liquid.exceptions import LiquidError
from liquid.lex import get_lexer

from engine.templates.dialect import BRACKETS, Dialect
from engine.templates.tokens import tokens
from tests.stopwatch import processor_at_most

PIECES = (
    *("{{", "}}", "{{-", "-}}", "{%", "%}", "{%-", "-%}", "{", "}", "%", "-", "#", " ", "\n", "\u2003", "a", "if x"),
    *("raw", "endraw", "doc", "enddoc", "comment", "endcomment", "{{ a }}", "{% raw %}", "{%- endraw -%}"),
    *("{% doc -%}", "{%- enddoc -%}", "{% comment %}", "{% endcomment -%}"),
)


def told(read: Callable[[str], Iterator[Token]], text: str) -> list[Any]:
    """The tokens, and the error that ends them."""
    found: list[Any] = []
    try:
        found.extend(read(text))
    except LiquidError as error:
        found.append((type(error), str(error.message), error.token))
    return found


@settings(max_examples=3_000)
@example("{{ a -}} b\n")
@example("{%- raw -%} {{ {%- endraw -%} b")
@example("{%doc%}{% endraw %}{% raw %}{%- enddoc -%} b")
@example("{% comment %}{{{% comment %}{% endcomment %}}}{% endcomment %}")
@example("{{{% if x %}")
@given(lists(sampled_from(PIECES), max_size=16).map("".join))
def test_they_are_those_of_the_library(text: str) -> None:
    assert told(tokens, text) == told(get_lexer(), text)


LONG = {
    "outputs never closed": ("", "{{", ""),
    "tags never closed": ("", "{% a ", ""),
    "single braces": ("", "{", ""),
    "outputs never closed in a comment": ("{% comment %}", "{{", "{% endcomment %}"),
    "an output of spaces": ("{{", " ", "}}"),
    "a tag of spaces": ("{% assign a", " ", "%}"),
    "raw never closed": ("", "{% raw %}", ""),
    "doc never closed": ("", "{% doc %}", ""),
    "brackets": ("{{ a", "(", "}}"),
    "names in brackets": ("{{ a", "['", "}}"),
    "outputs": ("", "{{ a }}", ""),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_takes_as_long_as_it_is_long(text: tuple[str, str, str]) -> None:
    """Looking for an end from every other place would take minutes where this takes half a second."""
    before, again, after = text
    with processor_at_most(6), suppress(LiquidError):
        read(before + again * (100_000 // len(again)) + after)


def read(text: str) -> BoundTemplate:
    def nothing(_name: str) -> BoundTemplate:
        raise AssertionError

    return Dialect(escapes=False, partial=nothing).read(text, Path("t.txt"))


def test_an_expression_opens_only_so_many_brackets_outside_its_texts() -> None:
    text = "'" + "(" * 2 * BRACKETS + "'"
    read(f"{{{{ a{'[0]' * BRACKETS} | append: {text} }}}}{{{{ a[0] }}}}")
    with pytest.raises(LiquidError, match="opens more than 1,000 brackets") as caught:
        read(f"some {{{{ a{'[0]' * (BRACKETS + 1)} }}}}")
    assert caught.value.token is not None
    assert caught.value.token.start_index == len("some {{ ")
