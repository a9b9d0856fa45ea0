"""One ULID an object, and every spelling of it read everywhere."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import spellings
from engine.api.spellings import Kind, read

SIXTEEN = st.binary(min_size=16, max_size=16)


@given(SIXTEEN)
def test_what_is_written_is_read(id: bytes) -> None:
    for text in (spellings.event(id), spellings.event_lower(id), spellings.event_hex(id), id.hex(), id.hex().upper()):
        assert read(text, Kind.EVENT) == id
    assert read(spellings.event_type(id), Kind.EVENT_TYPE) == id
    for text in (spellings.contact(id), spellings.person(id), spellings.person(id).upper()):
        assert read(text, Kind.PERSON) == id
    for text in (spellings.workspace(id), spellings.tenant(id)):
        assert read(text, Kind.WORKSPACE) == id
    assert read(spellings.key(id), Kind.KEY) == id
    assert spellings.of_receipt(spellings.event(id)) == id


@given(SIXTEEN)
def test_the_prefix_of_another_kind_is_none_of_it(id: bytes) -> None:
    assert read(spellings.event(id), Kind.PERSON) is None
    assert read(spellings.contact(id), Kind.EVENT) is None
    assert read(spellings.event_type(id), Kind.EVENT) is None


@given(st.text(max_size=60))
def test_anything_may_be_asked(text: str) -> None:
    for kind in Kind:
        found = read(text, kind)
        assert found is None or len(found) == 16


def test_the_forms_the_documents_print() -> None:
    id = uuid.UUID("550e8400-e29b-41d4-a716-446655440000").bytes
    assert spellings.event_hex(id) == "evt_550e8400e29b41d4a716446655440000"
    assert spellings.person(id) == "550e8400-e29b-41d4-a716-446655440000"
    assert spellings.event(id) == "evt_2N1T201RMV87AAE5J4CSAM8000"
    assert spellings.event_lower(id) == "evt_2n1t201rmv87aae5j4csam8000"


@pytest.mark.parametrize(
    "text",
    ["", "evt_", "evt_01hx4j7k9m2n3p5q6r8s", "evt_8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "evt_01HV8ZB8C3V5N6M7P8Q9R0S1TU",
     "evt_evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2", " evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2", "evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2\n",
     "550e8400-e29b-41d4-a716-44665544000", "550e8400e29b-41d4-a716-446655440000",
     "{550e8400-e29b-41d4-a716-446655440000}", "٠" * 26],
)  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    assert read(text, Kind.EVENT) is None
