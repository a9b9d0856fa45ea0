"""Following a condition: one sweep gives what asking at every instant would, and its work grows with the events."""

from __future__ import annotations

import datetime
import sys
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings as thoroughly
from hypothesis import strategies as st

from engine.journeys import conditions, following, values
from engine.journeys.advance import advance
from engine.journeys.conditions import ENDS, Scene
from engine.journeys.rulebook import Person, RuleLife, Settings
from engine.journeys.timeline import Change, Event, Timeline
from engine.journeys.totals import Running
from engine.language.program import Program
from tests.oracle import oracle
from tests.oracle.build import START, attr, ev, hour
from tests.oracle.strategies import Features, rules, timelines
from tests.oracle.times import HOUR

from .bench import Counts
from .bench import entry as made
from .comparing import entry_of
from .scenes import backward, in_hours, scene
from .story import rule_of

Entries = tuple[oracle.Event | oracle.Change, ...]


@pytest.mark.parametrize(
    ("text", "entries", "course"),
    [
        pytest.param(
            "NOT view within 24h", (ev(0, "seen"), ev(5, "view")), [(-1, None), (5, False), (29, True)], id="an event"
        ),
        pytest.param(
            "view at least twice within 24h", (ev(0, "view"), ev(5, "view"), ev(23, "view"), ev(25, "view")),
            [(-1, None), (5, True), (49 - 2, False)], id="a count",
        ),
        pytest.param(
            "sum of x from view within 24h > 3", (ev(-30, "view"), ev(0, "view", x=2), ev(5, "view", x=2)),
            [(-1, False), (5, True), (24, False)], id="a total",
        ),
        pytest.param(
            "view at least once since last login", (ev(0, "view"), ev(5, "login"), ev(6, "view")),
            [(-1, False), (0, True), (5, False), (6, True)], id="since an anchor",
        ),
        pytest.param(
            "plan = free", (attr(0, plan="pro"), attr(7, plan="free")), [(-1, False), (7, True)], id="changes"
        ),
        pytest.param(
            "last view more than 24h ago", (ev(0, "view"), ev(5, "view")), [(-1, False), (29, True)], id="a last event"
        ),
        pytest.param(
            "view within 10h then login within 3h", (ev(-90, "view"), ev(0, "view"), ev(2, "login")),
            [(-1, False), (2, True), (10, False)], id="a chain",
        ),
        pytest.param(
            "view within 10h then NOT login within 3h", (ev(-90, "view"), ev(0, "view"), ev(5, "view"), ev(6, "login")),
            [(-1, False), (3, True), (10, False)], id="a chain with an absence",
        ),
    ],
)  # fmt: skip
def test_ruling_10_one_sweep_gives_every_turn(
    text: str, entries: Entries, course: list[tuple[float, bool | None]]
) -> None:
    found = following.course(backward(text), scene(*entries), hour(-1))
    assert [(in_hours(at), value) for at, value in found] == course


def test_ruling_10_a_date_turns_as_it_draws_near_and_as_it_passes() -> None:
    here = scene(attr(0, renews="2026-01-04"))
    course = following.course(backward("person.renews in the next 2 days"), here, hour(0))
    assert course == [(hour(0), False), (hour(24), True), (hour(72) + 1, False)]


def test_a_date_draws_near_where_a_month_is_cut_short() -> None:
    """A month before the 31st of March begins with March: nothing in February reaches so far."""
    here = scene(attr(0, renews="2026-03-31"))
    course = following.course(backward("person.renews in the next 1 month"), here, hour(0))
    assert course[1] == (hour(59 * 24), True)


@thoroughly(max_examples=150)
@given(data=st.data())
def test_the_sweep_says_what_is_answered_at_each_instant(data: st.DataObject) -> None:
    rule = data.draw(rules(Features(triggers=("none",), months=True, own_actions=True)))
    entries = [entry_of(one) for one in data.draw(timelines())]
    happened = [one for one in entries if isinstance(one, Event)]
    line = Timeline(happened, [one for one in entries if isinstance(one, Change)])
    here = Scene(line, "r", "p", data.draw(st.sampled_from([datetime.UTC, ZoneInfo("America/New_York")])))
    opening, after = Program(rule).opening, hour(data.draw(st.integers(-210, 80)))
    course = following.course(opening, here, after)
    grid = map(hour, range(-10, 120))
    for at in sorted({after, *grid, *(at for at, _ in course), *(at - 1 for at, _ in course)}):
        if at >= after:
            value = next(value for start, value in reversed(course) if start <= at)
            assert conditions.ask(opening, here, (at, ENDS), {}) is value


AMOUNTS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=1),
    st.booleans(), st.none(), st.lists(st.integers(0, 3), max_size=2),
)  # fmt: skip


@thoroughly(max_examples=150)
@given(st.sampled_from(["sum", "average", "min", "max", "count of different"]), st.lists(AMOUNTS), st.data())
def test_a_running_total_is_that_of_what_is_left(function: str, amounts: list[Any], data: st.DataObject) -> None:
    running = Running(function)
    for one in amounts:
        running.add(one)
    gone = data.draw(st.sets(st.integers(0, max(0, len(amounts) - 1)))) if amounts else set()
    for place in gone:
        running.remove(amounts[place])
    left = [one for place, one in enumerate(amounts) if place not in gone]
    assert running.value() == values.total(function, left)


# ------------------------------------------------------------------------------------------- its work

SPAN = 20 * 24 * HOUR
FEW = 100


def busy(number: int) -> Timeline:
    """As many events in twenty days."""
    names, step = ("view", "buy", "login"), SPAN // number
    events = [made(START + place * step, names[place % 3], str(place), x=place % 7 + 1) for place in range(number)]
    return Timeline(events, [Change(START + place * step, {"plan": f"p{place % 5}"}) for place in range(0, number, 4)])


def calls(rule: str, number: int) -> int:
    """How many functions of the core are called while a person with as many events is decided: now, and once it is
    40 days later."""
    life, person, found = RuleLife(Program(rule_of(rule))), Person("p", busy(number)), 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal found
        found += event == "call" and "/engine/journeys/" in frame.f_code.co_filename

    def decide() -> None:
        now = START + SPAN
        first = advance(life, person, [], None, START, now, Settings(), Counts())
        now += 40 * 24 * HOUR
        advance(life, person, first.journeys, first.watch, now + 1, now, Settings(), Counts())

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        decide()
    finally:
        sys.setprofile(before)
    return found


FOLLOWED = (
    "NOT any event within 30 days",
    "NOT view within 30 days",
    "NOT view within 1 hour",
    "NOT view where x > 100 within 30 days",
    "view at least 3 times within 30 days",
    "view at least 3 times within 1 month",
    "view fewer than 3 times within 1 hour",
    "sum of x from view within 10 days >= 500",
    "average of x from view within 10 days > 2",
    "max of x from view within 10 days > 6",
    "count of different x from view within 10 days > 2",
    "view then buy within 2 days",
    "view within 10 days then NOT gone within 2 days",
    "last view more than 5 days ago",
    "view at least twice since last login",
    "person.plan = p1",
)
TRIGGERED = (
    "view at least 3 times in the last 30 days",
    "NOT buy within 30 days",
    "NOT buy where x > 100 within 30 days",
    "sum of x from view within 2 hours > 3",
    "buy within 2 days then view within 2 days",
    "buy before any login within 2 days",
)


@pytest.mark.parametrize(
    "rule",
    [
        *(f"Trigger: None\nCondition: {one}" for one in FOLLOWED),
        *(f"Trigger: view\nCondition: {one}" for one in TRIGGERED),
    ],
)
def test_its_work_grows_with_the_events_and_not_with_their_square(rule: str) -> None:
    once, twice, four_times = (calls(rule, FEW * times) for times in (1, 2, 4))
    assert twice < 2.4 * once
    assert four_times < 2.4 * twice


def test_a_count_stops_at_the_number_asked() -> None:
    """However much somebody did, it takes as many looks as it takes to know."""
    rule = Program(rule_of("Trigger: view\nCondition: view at least 3 times in the last 30 days"))
    looks = []
    for number in (100, 200):
        line = busy(number)
        here = Scene(line, "r", "p", datetime.UTC, trigger=line.events[-1])
        found = 0

        def count(frame: FrameType, event: str, _: object) -> None:
            nonlocal found
            found += event == "call" and frame.f_code is Scene.matches.__code__

        sys.setprofile(count)
        try:
            assert conditions.ask(rule.gate(0), here, (START + SPAN, ENDS), {}) is True
        finally:
            sys.setprofile(None)
        looks.append(found)
    assert looks == [4, 4]
