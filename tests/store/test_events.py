"""Events: duplicates, timelines, the read face."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from engine.store import events, reading
from engine.store.rows import Bucket, Holder, Stretch
from engine.store.store import Store
from tests.store.rows import WORKSPACE, add_events, add_people, change, event, public_ids

HOUR = 3_600_000_000
DAY = 24 * HOUR


def test_the_first_holder_of_a_message_wins(connection: Connection) -> None:
    first = events.claim_messages(
        connection, WORKSPACE, "message", [("a", b"1", b"A"), ("b", b"2", b"B"), ("a", b"3", b"C")]
    )
    assert first == {"a": Holder(b"1", b"A"), "b": Holder(b"2", b"B")}
    again = events.claim_messages(connection, WORKSPACE, "message", [("c", b"5", b"E"), ("a", b"4", b"D")])
    assert again == {"a": Holder(b"1", b"A"), "c": Holder(b"5", b"E")}
    assert events.claim_messages(connection, WORKSPACE, "door", [("a", b"9", b"Z")])["a"].public_id == b"Z"
    assert events.claim_messages(connection, WORKSPACE + 1, "message", [("a", b"9", b"Z")])["a"].public_id == b"Z"


def test_a_claim_ends_with_its_term(connection: Connection) -> None:
    def claim(key: bytes, now: int) -> bytes:
        held = events.claim_messages(connection, 1, "door", [("k", b"d", key)], now=now, expires_at=now + 10)
        return held["k"].public_id

    assert claim(b"A", 0) == b"A"
    assert claim(b"B", 9) == b"A"
    assert claim(b"C", 10) == b"C"
    assert events.expire_claims(connection, 20) == 1
    assert claim(b"D", 11) == b"D"


def test_names_become_types_once(connection: Connection) -> None:
    first = events.intern(connection, WORKSPACE, ["b", "a", "b"], 0, public_ids)
    again = events.intern(connection, WORKSPACE, ["c", "a"], 0, public_ids)
    assert again["a"] == first["a"]
    assert len({*first.values(), *again.values()}) == 3
    assert events.known_types(connection, WORKSPACE, ["a", "z"]) == {"a": first["a"]}


def test_timelines_begin_where_they_are_wanted(connection: Connection) -> None:
    ann, bob = add_people(connection, "ann", "bob")
    add_events(connection, *(event(person, name, at) for person in (ann, bob) for name in "xy" for at in (1, 5, 9)))
    found = events.timelines(connection, [(ann, 5), (bob, 9)])
    assert sorted((row.person_id, row.name, row.at) for row in found) == [
        (ann, "x", 5), (ann, "x", 9), (ann, "y", 5), (ann, "y", 9), (bob, "x", 9), (bob, "y", 9),
    ]  # fmt: skip
    kinds = events.known_types(connection, WORKSPACE, ["y"]).values()
    assert sorted((row.person_id, row.at) for row in events.timelines(connection, [(ann, 0)], kinds)) == [
        (ann, 1), (ann, 5), (ann, 9),
    ]  # fmt: skip
    assert events.timelines(connection, [(ann, 0)], []) == []


def test_what_goes_in_comes_out(connection: Connection) -> None:
    (ann,) = add_people(connection, "ann")
    told = event(ann, "Ünï", 7, received_at=9, source="file", historical=1, message_id="m", cause='["r"]')
    add_events(connection, told)
    noted = change(ann, 7, received_at=8, known=0, cause='["r"]', properties='{"a":null}')
    events.insert_changes(connection, WORKSPACE, [noted])
    assert [row._replace(id=0) for row in events.timelines(connection, [(ann, 0)])] == [told]
    assert [row._replace(id=0) for row in events.changes(connection, [ann])] == [noted]


@pytest.mark.parametrize("of_person", [True, False])
@pytest.mark.parametrize("of_name", [True, False])
def test_pages_follow_one_another(connection: Connection, of_person: bool, of_name: bool) -> None:
    people_rows = add_people(connection, "a", "b")
    add_events(connection, *(event(p, n, at // 3) for p in people_rows for n in "xy" for at in range(20)))
    asked = {"person": people_rows[0] if of_person else None, "names": ["x"] if of_name else None}
    whole, none = reading.page(connection, WORKSPACE, **asked, limit=1_000)
    assert none is None
    assert len(whole) == 80 // (1 + of_person) // (1 + of_name)
    assert [one.at for one in whole] == sorted((one.at for one in whole), reverse=True)
    paged, place = reading.page(connection, WORKSPACE, **asked, limit=7)
    while place is not None:
        add_events(connection, event(people_rows[0], "x", 1_000))
        more, place = reading.page(connection, WORKSPACE, **asked, behind=place, limit=7)
        paged += more
    assert paged == whole


def test_a_page_keeps_to_its_time(connection: Connection) -> None:
    (ann,) = add_people(connection, "ann")
    add_events(connection, *(event(ann, "x", at) for at in range(10)))
    shown, _ = reading.page(connection, WORKSPACE, since=3, until=6)
    assert [one.at for one in shown] == [5, 4, 3]


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 60 * DAY), max_size=30), st.sampled_from([HOUR, DAY, 7 * DAY]), st.sampled_from([-5, 0, 14])
)
def test_counts_by_lengths_of_the_local_clock(moments: list[int], length: int, hours: int) -> None:
    store = Store("sqlite://")
    ahead, origin = hours * HOUR, -10 * DAY
    with store.engine.connect() as connection:
        add_events(connection, *(event(1, name, at) for at in moments for name in "xy"))
        expected: dict[int, int] = {}
        for at in moments:
            start = (at + ahead - origin) // length * length + origin - ahead
            expected[start] = expected.get(start, 0) + 1
        asked = {"length": length, "origin": origin}
        stretches = [Stretch(0, 30 * DAY, ahead), Stretch(30 * DAY, 61 * DAY, ahead)]
        whole = reading.counts(connection, WORKSPACE, [Stretch(0, 61 * DAY, ahead)], **asked)
        assert whole == [Bucket(start, name, times) for start, times in sorted(expected.items()) for name in "xy"]
        assert whole == reading.counts(connection, WORKSPACE, stretches, **asked)
        only = reading.counts(connection, WORKSPACE, stretches, **asked, names=["x", "unknown"])
        assert only == [one for one in whole if one.name == "x"]
    store.close()
