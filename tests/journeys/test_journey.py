"""A journey's own figures, and its codec: what is written is what is read."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journeys import journey as states
from engine.journeys.conditions import ENDS, EVENTS, Entry
from engine.journeys.journey import Effect, Journey, Taken

MOMENTS = st.integers(0, 2**53)
NAMES = st.text(max_size=8)
ENTRIES = st.builds(Entry, st.tuples(MOMENTS, st.integers(0, 4)), st.frozensets(NAMES, max_size=3))
GATES = st.none() | st.tuples(st.integers(-1, 50), ENTRIES)
TAKEN: list[Taken] = ["pending", "left", "held_out", "skipped_late", "skipped_history", "no_recipient", "date_passed"]
EFFECTS = st.builds(
    Effect,
    st.integers(0, 50), NAMES, NAMES, MOMENTS, MOMENTS, MOMENTS, ENTRIES, st.sampled_from(TAKEN), GATES,
    st.none() | MOMENTS, st.none() | MOMENTS,
)  # fmt: skip
COLUMNS = (
    "version",
    "value",
    "trigger",
    "first_at",
    "start",
    "row",
    "ended_at",
    "reason",
    "held_out",
    "goal_at",
    "due",
)
"""What the store keeps beside the text."""


@st.composite
def journeys(draw: st.DrawFn) -> Journey:
    start = draw(MOMENTS)
    entry = draw(st.just(Entry((start, EVENTS))) | ENTRIES)
    ended_at = draw(st.none() | MOMENTS)
    return Journey(
        draw(NAMES), draw(NAMES), draw(NAMES), draw(MOMENTS), start, entry,
        row=draw(st.none() | st.integers(1, 99)),
        limit_values=tuple(draw(st.lists(NAMES, max_size=2))),
        place=draw(st.integers(0, 50)),
        gate=draw(GATES),
        opened=draw(st.none() | MOMENTS),
        not_after=draw(st.none() | MOMENTS),
        effects=draw(st.lists(EFFECTS, max_size=3)),
        ended_at=ended_at,
        waited=draw(st.sampled_from([None, entry.point[0]])) if ended_at is None else None,
        reason=draw(st.sampled_from([None, "finished", "false", "merged"])),
        held_out=draw(st.booleans()),
        goal_at=draw(st.none() | MOMENTS),
        late_after_fire=draw(st.booleans()),
        due=draw(st.none() | MOMENTS),
        refused=draw(st.none() | st.tuples(NAMES, MOMENTS)),
    )  # fmt: skip


@settings(max_examples=200)
@given(journeys())
def test_what_is_written_is_what_is_read(journey: Journey) -> None:
    fresh = Journey(
        journey.version, journey.value, journey.trigger, journey.first_at, journey.start,
        Entry((journey.start, EVENTS)),
    )  # fmt: skip
    for name in COLUMNS:
        setattr(fresh, name, getattr(journey, name))
    assert states.restore(fresh, states.dump(journey)) == journey


def test_every_field_is_a_column_or_in_the_text() -> None:
    """A field that is added has to be written somewhere; ``fixed`` and ``spoiled`` live within one decision."""
    written = {"entry", "limit_values", "place", "gate", "opened", "waited", "not_after", "effects"}
    written |= {"late_after_fire", "refused"}
    assert {field.name for field in fields(Journey)} == {*COLUMNS, *written, "fixed", "spoiled"}


def test_a_wait_that_ended_before_the_step_was_entered_is_not_written() -> None:
    journey = Journey("v", "", "t", 5, 5, Entry((50, ENDS)), waited=40)
    assert "waited" not in states.dump(journey)


def test_one_that_has_just_begun_to_wait_has_nothing_to_write() -> None:
    assert states.dump(Journey("v", "", "t", 5, 5, Entry((5, EVENTS)), due=9)) == ""


def effect(place: int, leave: int, taken: Taken, left_at: int | None = None) -> Effect:
    after = Entry((leave, ENDS), frozenset({f"after{place}"}))
    return Effect(place, str(place), f"k{place}", leave, leave, 0, after, taken, (place, after), leave + 100, left_at)


def moved(*effects: Effect) -> Journey:
    found = Journey("v", "", "t", 0, 0, Entry((50, ENDS)), place=9, effects=list(effects), due=60)
    found.gate, found.not_after = (8, Entry((40, ENDS))), 70
    return found


@pytest.mark.parametrize(
    ("taken", "acted"),
    [
        ("pending", True),
        ("left", True),
        ("held_out", True),
        ("skipped_late", False),
        ("skipped_history", False),
        ("no_recipient", False),
        ("date_passed", False),
    ],
)
def test_ruling_23_what_counts_as_acting(taken: Taken, acted: bool) -> None:
    assert moved(effect(1, 10, taken)).acted is acted


def test_ruling_25_acted_at_is_when_the_first_left() -> None:
    one = moved(effect(1, 10, "skipped_late"), effect(2, 20, "left", 25), effect(3, 30, "left", 31))
    assert (one.acted_at, one.left_at) == (25, 31)
    assert (moved(effect(1, 10, "pending")).acted_at, moved().left_at) == (None, None)


def test_ruling_17_back_to_the_last_action_that_left() -> None:
    one = moved(effect(1, 10, "left", 10), effect(2, 20, "held_out", 20), effect(3, 30, "pending"))
    one.end(45, "false")
    one.back_to_last_left()
    assert [done.key for done in one.effects] == ["k1", "k2"]
    assert (one.place, one.entry) == (3, Entry((20, ENDS), frozenset({"after2"})))
    assert (one.gate, one.not_after) == ((2, one.entry), 120)
    assert one.waiting
    assert one.reason is None


def test_an_end_lies_never_before_the_start() -> None:
    one = Journey("v", "", "t", 0, 30, Entry((30, EVENTS)), due=60)
    one.end(20, "exit")
    assert (one.ended_at, one.reason, one.due, one.waiting) == (30, "exit", None, False)


def test_ruling_5_what_led_to_a_step_is_left_out_within_its_instant() -> None:
    one = Journey("v", "", "t", 0, 0, Entry((0, EVENTS), frozenset({"t"})))
    one.enter(1, (0, ENDS), frozenset({"a"}))
    assert (one.place, one.entry.left_out) == (1, {"t", "a"})
    one.enter(2, (5, EVENTS), frozenset({"b"}))
    assert one.entry.left_out == {"b"}
    one.enter(3, (6, ENDS))
    assert one.entry.left_out == frozenset()


def test_the_latest_moment_anything_was_decided() -> None:
    assert moved().decided_at == 50
    assert moved(effect(1, 80, "left", 90)).decided_at == 80
    ended = moved()
    ended.end(95, "exit")
    assert ended.decided_at == 95


def test_a_copy_is_a_journey_of_its_own() -> None:
    one = moved(effect(1, 10, "left", 10))
    one.fixed = True
    other = one.copy()
    other.effects.append(effect(2, 20, "pending"))
    assert (len(one.effects), other.fixed) == (1, False)
