"""What the comparison of schemas is sure of, the checking library confirms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import BadSchema
from engine.schemas.compatibility import Breaks, Compatible, compare
from engine.schemas.compiled import Schema, compile_schema

from .making import changed, event_schemas, events


def judge(schema: Any) -> Schema:
    """The library's verdict; a schema it does not take is of no use here."""
    try:
        return compile_schema(schema)
    except BadSchema:
        assume(False)
        raise


@settings(max_examples=60)
@given(st.data())
def test_what_is_sure_is_so(data: st.DataObject) -> None:
    look(data)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@settings(max_examples=5_000)
@given(st.data())
def test_what_is_sure_is_so_many_times(data: st.DataObject) -> None:
    look(data)


def look(data: st.DataObject) -> None:
    old = data.draw(event_schemas, "old")
    new = data.draw(changed(old).filter(lambda one: isinstance(one, dict) and one != old), "new")
    before, after = judge(old), judge(new)
    found = compare(old, new)
    if isinstance(found, Breaks) and found.example is not None:
        assert before.problem(found.example) is None
        assert after.problem(found.example) is not None
    elif isinstance(found, Compatible):
        for event in data.draw(st.lists(events(old), min_size=5, max_size=10), "events"):
            assert after.problem(event) is None or before.problem(event) is not None, event
