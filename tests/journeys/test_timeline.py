"""A person's events in order, whatever the order in which they came (section 4.1, rulings 4, 7, 27)."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.journeys.timeline import Change, Event, Timeline
from tests.oracle import timeline as oracle
from tests.oracle.build import attr, ev, was

from .scenes import timeline

ONE_INSTANT = [
    Event(5, "a", "e9", '{"x":1}', message_id="m1"),
    Event(5, "a", "e8", '{"x":2}', message_id="m1"),
    Event(5, "a", "e7", message_id="m2"),
    Event(5, "b", "e1", message_id="m0"),
]


@pytest.mark.parametrize("arrived", list(permutations(ONE_INSTANT)), ids=str)
def test_ruling_7_name_then_message_id_then_content_never_arrival(arrived: tuple[Event, ...]) -> None:
    assert Timeline(arrived).events == ONE_INSTANT


@pytest.mark.parametrize(
    ("name", "start", "end", "found"),
    [
        (None, 1, 3, ["a1", "b2", "a3"]),
        ("a", 1, 3, ["a1", "a3"]),
        ("a", 2, 2, []),
        ("c", 0, 9, []),
        (None, 4, 9, ["a4"]),
    ],
)
def test_between_includes_both_ends(name: str | None, start: int, end: int, found: list[str]) -> None:
    line = Timeline([Event(at, name, f"{name}{at}") for at, name in ((1, "a"), (2, "b"), (3, "a"), (4, "a"))])
    assert [event.id for event in line.between(name, start, end)] == found


def test_backwards_begins_with_the_latest_and_includes_its_moment() -> None:
    line = Timeline([Event(at, name, f"{name}{at}") for at, name in ((1, "a"), (2, "b"), (3, "a"), (4, "a"))])
    assert [event.id for event in line.backwards("a", 3)] == ["a3", "a1"]
    assert [event.id for event in line.backwards(None, 2)] == ["b2", "a1"]
    assert list(line.backwards("c", 9)) == []


@pytest.mark.parametrize(
    ("at", "found"),
    [
        pytest.param(0, {}, id="before any"),
        pytest.param(1, {"plan": "free"}, id="4.1: changes of an instant are in force in it"),
        pytest.param(4, {"plan": "free"}, id="until the next"),
        pytest.param(5, {"plan": "pro", "city": "Lodz"}, id="others stay"),
        pytest.param(9, {"plan": None, "city": "Lodz"}, id="null takes away"),
    ],
)
def test_attributes(at: int, found: dict[str, object]) -> None:
    line = Timeline(
        (), [Change(9, {"plan": None}), Change(5, {"plan": "pro", "city": "Lodz"}), Change(1, {"plan": "free"})]
    )
    assert line.attributes(at) == found


@pytest.mark.parametrize("turned", [False, True])
def test_ruling_27_at_one_instant_the_known_person_wins(turned: bool) -> None:
    changes = [Change(5, {"plan": "pro"}, known=True), Change(5, {"plan": "free", "z": 1}, known=False)]
    line = Timeline((), changes[::-1] if turned else changes)
    assert line.attributes(5) == {"plan": "pro", "z": 1}


NO = st.sampled_from([True, "true", "sms", ["mail", "news"], ["sms", 1], [], None, False, 3])
SETS = st.fixed_dictionaries({}, optional={"plan": st.sampled_from(["free", "pro", None]), "x": st.integers(0, 2),
                                           "unsubscribed": NO})  # fmt: skip
TOLD = st.tuples(st.integers(0, 5), SETS, st.booleans())


@given(st.lists(TOLD, max_size=8))
def test_what_a_page_sets_loses_to_all_else_at_whatever_time(told: list[tuple[int, dict[str, object], bool]]) -> None:
    ours = Timeline((), [Change(at, values, page=page) for at, values, page in told])
    theirs = oracle.Timeline()
    for at, values, page in told:
        theirs.add(oracle.Change(at, values, page=page))
    for at in range(6):
        standing = {name: value for name, value in ours.attributes(at).items() if value is not None}
        assert standing == theirs.attributes(at)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("page", "server", "after"), [(1, 3, "server"), (3, 1, "server"), (2, 2, "server")])
def test_a_page_s_attribute_stands_until_something_else_sets_it(
    page: int, server: int, after: str, turned: bool
) -> None:
    changes = [Change(page, {"email": "page"}, page=True), Change(server, {"email": "server"}, page=False)]
    line = Timeline((), changes[::-1] if turned else changes)
    assert line.attributes(5)["email"] == after
    assert line.attributes(1)["email"] == ("page" if page == 1 else "server") if min(page, server) == 1 else True


def test_a_page_says_no_where_a_server_said_yes_and_never_the_other_way() -> None:
    yes = Timeline((), [Change(1, {"unsubscribed": None}), Change(2, {"unsubscribed": ["sms"]}, page=True)])
    assert yes.attributes(2)["unsubscribed"] == ["sms"]
    no = Timeline((), [Change(1, {"unsubscribed": True}), Change(2, {"unsubscribed": ["sms"]}, page=True)])
    assert no.attributes(2)["unsubscribed"] is True
    none = Timeline((), [Change(1, {"unsubscribed": ["sms"]}), Change(2, {"unsubscribed": None}, page=True)])
    assert none.attributes(2)["unsubscribed"] == ["sms"]


def test_section_4_5_first_seen_is_the_earliest_entry_history_included() -> None:
    assert timeline(ev(5, "a"), attr(3, x=1), was(1, "b")).first_seen == was(1, "b").at
    assert Timeline(()).first_seen is None
    assert Timeline([Event(5, "a", "e")], (), 2).first_seen == 2


def test_what_changes_and_what_comes_next() -> None:
    line = Timeline([Event(4, "a", "e")], [Change(2, {"x": 1}), Change(2, {"y": 1}), Change(6, {"x": 2})])
    assert line.changed(2, 6) == [6]
    assert line.changed(1, 6) == [2, 6]
    assert [line.next_entry(after) for after in (1, 2, 4, 6)] == [2, 4, 6, None]


def test_an_entry_more_and_entries_less() -> None:
    line = Timeline([Event(4, "a", "e")], [Change(2, {"x": 1})])
    assert [event.id for event in line.with_entry(Event(3, "b", "f")).events] == ["f", "e"]
    assert line.with_entry(Change(5, {"x": 2})).attributes(5) == {"x": 2}
    assert line.where(lambda _: True) is None
    less = line.where(lambda one: one.at > 2)
    assert less is not None
    assert (less.attributes(9), less.first_seen) == ({}, 4)


def test_what_lies_before_the_timeline_held_stands() -> None:
    less = Timeline([Event(4, "a", "e"), Event(5, "b", "f")], (), 1).where(lambda one: one.at > 4)
    assert less is not None
    assert less.first_seen == 1
