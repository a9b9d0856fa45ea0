"""Counting the values of JSON texts without parsing them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.json_values import WINDOW, holds_more, most_values

texts = st.text(alphabet=st.sampled_from('ab,[{}]:"\\é😀'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=40,
)


def counted(value: Any) -> int:
    """The values of a parsed text, an empty list or object as two."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + (max(1, sum(map(counted, value))) if isinstance(value, list) else 0)


def separators(value: Any) -> int:
    """What is counted: commas and opening brackets outside texts, and one."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(0, len(value) - 1) + 1 + sum(separators(one) - 1 for one in value) if isinstance(value, list) else 1


@given(values, st.booleans())
def test_no_value_is_missed_and_none_in_a_text_is_counted(value: Any, plain: bool) -> None:
    text = json.dumps(value, ensure_ascii=plain).encode()
    count = separators(value)
    assert counted(value) >= count
    assert not holds_more(text, count)
    assert holds_more(text, count - 1)
    assert most_values(text) >= count


@pytest.mark.parametrize("before", range(-3, 4))
@pytest.mark.parametrize("escape", [r"\\", r"\"", r"\\\"", r"\\\\"])
def test_an_escape_that_lies_on_the_edge_of_a_window_hides_nothing(before: int, escape: str) -> None:
    text = f'["{"x" * (WINDOW - 2 + before)}{escape},,,",1]'.encode()
    assert not holds_more(text, 3)
    assert holds_more(text, 2)


def test_counting_ends_where_it_is_sure() -> None:
    text = b"[" + b"[]," * 200_000 + b'"' * 3
    assert holds_more(text, 1_000)
