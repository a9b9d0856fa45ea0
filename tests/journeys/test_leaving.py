"""May an action leave: everything that is asked, in order, and what the answer does (rulings 19, 21, 25)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.journeys import leaving
from engine.journeys.journey import Effect, Journey
from engine.journeys.leaving import Answer, Ends, Leaves, Skips
from engine.journeys.rulebook import Acted
from engine.journeys.steps import Steps
from engine.journeys.timeline import Change, Event
from engine.language import program, read_quiet_hours
from tests.oracle.build import attr, ev, hour

from .bench import Bench
from .comparing import entry_of
from .scenes import forward, scene
from .story import Down, Entry, Happening, Story, outcome, table, tell, told

EVERYTHING = """Trigger: cart
Only while: plan = free
Wait: until 1 day before person.renews
Action: mail
Exit: refund
Active: until 2026-01-08
Limit: once per person
"""
"""Pending from hour 48 on: the plan renews at hour 72, quiet hours hold nothing."""
BASIC = (attr(-1, plan="free", renews="2026-01-04"), ev(0, "cart"))


def asked(rule: str, happens: tuple[Happening, ...], decided: float, at: float, *acted: Acted) -> Answer:
    """The answer for the one action of a rule that was decided by hour ``decided``, asked at ``at``."""
    bench = tell(rule, happens, decided, sends=False)
    (journey,) = bench.people["p"].journeys
    (effect,) = journey.effects
    return answer(bench, journey, effect, at, *acted)


def answer(bench: Bench, journey: Journey, effect: Effect, at: float, *acted: Acted) -> Answer:
    person = bench.person("p")
    steps = Steps(bench.life, person, bench.settings, bench.counts, hour(at))
    known = type(person)(person.name, person.timeline, acted)
    scene = steps.scene(journey)
    return leaving.leaving(journey, effect, bench.life, known, scene, bench.settings, bench.counts, hour(at))


@pytest.mark.parametrize(
    ("more", "at", "said"),
    [
        pytest.param((), 48, Leaves(), id="at its moment"),
        pytest.param((), 72, Leaves(), id="section 2: at the date itself"),
        pytest.param((), 72.01, Skips("date_passed"), id="section 2: nothing later than the date"),
        pytest.param((attr(30, plan="pro"),), 48, Ends(hour(48), "only_while"), id="Only while"),
        pytest.param((attr(30, plan="pro"),), 73, Skips("date_passed"), id="the date comes before Only while"),
        pytest.param((ev(30, "refund"), attr(30, plan="pro")), 48, Ends(hour(30), "exit"), id="an exit comes first"),
        pytest.param((ev(47, "refund"),), 300, Ends(hour(47), "exit"), id="an exit comes before Active"),
        pytest.param((), 192, Ends(hour(192), "inactive"), id="Active: after the last day"),
    ],
)
def test_what_is_asked_and_in_which_order(more: tuple[Entry, ...], at: float, said: Answer) -> None:
    bench = tell(EVERYTHING, BASIC, 48, sends=False)
    (journey,) = bench.people["p"].journeys
    for one in more:
        entry = entry_of(one)
        person = bench.people["p"]
        person.events += [entry] if isinstance(entry, Event) else []
        person.changes += [entry] if isinstance(entry, Change) else []
    assert answer(bench, journey, journey.effects[0], at) == said


LIMITS = "Trigger: cart\nAction: mail\nLimit: "


@pytest.mark.parametrize(
    ("limit", "acted", "said"),
    [
        ("once per person", (), Leaves()),
        ("once per person", (("other", -100, ""),), Ends(hour(0), "limited")),
        ("2 per person", (("other", -100, ""),), Leaves()),
        ("once per person per 24h", (("other", -24, ""),), Leaves()),
        ("once per person per 24h", (("other", -23.99, ""),), Ends(hour(0), "limited")),
        ("once per person per 24h", (("other", 1, ""),), Leaves()),
        ("once per k", (("other", -100, "7"),), Ends(hour(0), "limited")),
        ("once per k", (("other", -100, "8"),), Leaves()),
        ("once per person per 1 month", (("other", -24 * 31, ""),), Leaves()),
        ("once per person per 1 month", (("other", -24 * 31 + 0.01, ""),), Ends(hour(0), "limited")),
    ],
)
def test_ruling_25_limits(limit: str, acted: tuple[tuple[str, float, str], ...], said: Answer) -> None:
    others = [Acted(hour(at), trigger, hour(at), (value,) if value else ()) for trigger, at, value in acted]
    assert asked(LIMITS + limit, (ev(0, "cart", k=7),), 0, 0, *others) == said


def test_ruling_25_several_limits_all_hold() -> None:
    other = Acted(hour(-1), "other", hour(-1), ())
    assert asked(LIMITS + "5 per person\nLimit: once per person per 2h", (ev(0, "cart"),), 0, 0, other) == Ends(
        hour(0), "limited"
    )


def test_ruling_25_a_journey_does_not_count_against_itself_and_is_asked_once() -> None:
    bench = tell("Trigger: cart\nAction: mail\nWait: 1h\nAction: push\nLimit: once per person", (ev(0, "cart"),), 5)
    (journey,) = bench.people["p"].journeys
    assert [one.taken for one in journey.effects] == ["left", "left"]


@pytest.mark.parametrize(
    ("clause", "hours", "late"),
    [
        ("", 24, False),
        ("", 24.01, True),
        ("Late: skip after 6 hours", 6, False),
        ("Late: skip after 6 hours", 6.01, True),
        ("Late: always", 9000, False),
    ],
)
def test_ruling_19_above_late_it_is_skipped(clause: str, hours: float, late: bool) -> None:
    said = asked(f"Trigger: cart\nAction: mail\n{clause}", (ev(0, "cart"),), 0, hours)
    assert said == (Skips("skipped_late") if late else Leaves())


HELD = "Trigger: cart\nWait: 12h\nAction: mail\nExit: buy where x = 1"
NIGHT = {"quiet": (read_quiet_hours("21:00 to 09:00"),)}


@pytest.mark.parametrize(
    ("rule", "settings"),
    [(HELD + "\nQuiet hours: 21:00 to 09:00", {}), (HELD, NIGHT)],
    ids=["its own", "the settings'"],
)
@table(
    Story("at its own moment", HELD, (ev(0, "cart"),), ("0 mail@12 finished@12",)),
    Story("after downtime, in quiet hours", HELD, (ev(0, "cart"), Down(1, 23)), ("0 mail@12>33 finished@12",)),
    Story("at the end of quiet hours", HELD, (ev(0, "cart"), Down(1, 33)), ("0 mail@12>33 finished@12",)),
    Story("still held", HELD, (ev(0, "cart"), Down(1, 23)), ("0 mail@12? finished@12",), until=32.9),
    Story(
        "lateness counts from the end of the quiet hours that held it",
        HELD,
        (ev(0, "cart"), Down(1, 23)),
        ("0 mail@12>33 finished@12",),
        settings={"late": 12},
    ),
    Story(
        "and once more, when nobody runs at that end",
        HELD,
        (ev(0, "cart"), Down(1, 23), Down(24, 46)),
        ("0 -mail@12=skipped_late finished@12",),
        settings={"late": 12},
    ),
    Story(
        "from that of the first only, however often it is held",
        HELD,
        (ev(0, "cart"), Down(1, 22), Down(22.5, 46), Down(46.5, 70)),
        ("0 -mail@12=skipped_late finished@12",),
    ),
    Story(
        "and is held until then",
        HELD,
        (ev(0, "cart"), Down(1, 22), Down(22.5, 46)),
        ("0 mail@12>57 finished@12",),
    ),
    Story(
        "what is too late already is not held",
        HELD,
        (ev(0, "cart"), Down(1, 23)),
        ("0 -mail@12=skipped_late finished@12",),
        settings={"late": 10},
        until=23,
    ),
    Story("an exit withdraws it", HELD, (ev(0, "cart"), Down(1, 23), ev(30, "buy", x=1)), ("0 exit@30",)),
    Story("a no withdraws it", HELD, (ev(0, "cart"), Down(1, 23), ev(30, "unsubscribed")), ("0 exit@30",)),
    Story(
        "the grace may end in quiet hours",
        HELD,
        (ev(0, "cart"),),
        ("0 mail@12>33 finished@12",),
        settings={"grace": 10},
    ),
)
def test_ruling_19_quiet_hours_hold_what_is_about_to_leave(rule: str, settings: dict[str, Any], story: Story) -> None:
    case = replace(story, rule=rule, settings={**story.settings, **settings})
    assert outcome(case) == outcome(case, lazy=True) == story.expected


def test_lateness_counts_from_the_quiet_hours_its_journey_waited_for() -> None:
    """They were the first to hold it: those after downtime put nothing off."""
    rule = HELD.replace("12h", "22h") + "\nQuiet hours: 21:00 to 09:00"
    happens = (ev(0, "cart"), Down(1, 46), Down(46.5, 70))
    assert told(tell(rule, happens, 100)) == ("0 -mail@33=skipped_late finished@33",)


@pytest.mark.parametrize(
    ("action", "purpose", "left"),
    [
        pytest.param("mail", "transactional", "mail@12>23", id="transactional"),
        pytest.param("set person.x = 1", "marketing", "set@12>23", id="what happens in Lapse itself"),
        pytest.param("mail", "news", "mail@12>33", id="a topic"),
    ],
)
def test_what_the_quiet_hours_of_the_settings_do_not_hold(action: str, purpose: str, left: str) -> None:
    rule = f"Trigger: cart\nWait: 12h\nAction: {action}\nPurpose: {purpose}"
    bench = tell(rule, (ev(0, "cart"), Down(1, 23)), 100, **NIGHT)
    assert told(bench) == (f"0 {left} finished@12",)


def test_only_while_is_asked_when_quiet_hours_are_over() -> None:
    rule = "Trigger: cart\nWait: 12h\nAction: mail\nOnly while: plan = free"
    happens = (attr(-1, plan="free"), ev(0, "cart"), Down(1, 23), attr(22, plan="pro"), attr(30, plan="free"))
    assert told(tell(rule, happens, 100, **NIGHT)) == ("0 mail@12>33 finished@12",)


NOT_BOUGHT = "Trigger: cart\nCondition: {}\nAction: mail\nExit: none"


@pytest.mark.parametrize(
    ("condition", "at", "ends"),
    [
        pytest.param("NOT buy within 2h", 2, False, id="at its moment nothing is asked again"),
        pytest.param("NOT buy within 2h", 4.99, False, id="before it came"),
        pytest.param("NOT buy within 2h", 5, True, id="its window reaches to the leaving"),
        pytest.param("NOT buy within 2h AND NOT view within 1h", 5, True, id="either of two"),
        pytest.param("NOT buy within 2h OR plan = free", 5, False, id="it holds otherwise"),
        pytest.param("NOT (buy OR view) within 2h", 5, True, id="brackets"),
        pytest.param("NOT buy at least 1 times within 2h", 5, False, id="a count is no plain NOT"),
        pytest.param("NOT buy where x = 1 within 2h", 5, False, id="another one came"),
        pytest.param("NOT buy in the last 2h", 5, True, id="one that looks back, since it was asked"),
        pytest.param("NOT buy", 5, False, id="without a window there is nothing to extend"),
    ],
)
def test_ruling_21_overtaken(condition: str, at: float, ends: bool) -> None:
    happens = (ev(-100, "seen"), attr(-1, plan="free"), ev(0, "cart"))
    bench = tell(NOT_BOUGHT.format(condition), happens, 3, sends=False)
    (journey,) = bench.people["p"].journeys
    bench.people["p"].events.append(Event(hour(5), "buy", "late"))
    assert answer(bench, journey, journey.effects[0], at) == (Ends(hour(at), "overtaken") if ends else Leaves())


def test_what_a_plain_not_is() -> None:
    found = leaving._plain_nots(
        forward("NOT a within 1h AND (NOT b within 1h OR c within 1h) AND NOT (d OR e) within 2h")
    )
    assert [one.pattern.name for one in found] == ["a", "b", "d", "e"]
    assert isinstance(found[0], program.Seen)


def two_pending() -> Journey:
    bench = tell("Trigger: cart\nAction: mail\nWait: 1h\nAction: push", (ev(0, "cart"),), 5, sends=False)
    (journey,) = bench.people["p"].journeys
    return journey


def test_an_answer_is_written_into_the_journey() -> None:
    journey = two_pending()
    assert leaving.settle(journey, 0, Leaves(), hour(3)) == []
    assert leaving.settle(journey, 1, Skips("skipped_late"), hour(3)) == []
    assert [(one.taken, one.left_at) for one in journey.effects] == [("left", hour(3)), ("skipped_late", None)]


def test_ruling_21_an_end_takes_all_that_has_not_left_with_it() -> None:
    journey = two_pending()
    fallen = leaving.settle(journey, 0, Ends(hour(2), "exit"), hour(3))
    assert [one.step for one in fallen] == ["1", "3"]
    assert (journey.effects, journey.ended_at, journey.reason) == ([], hour(2), "exit")


def test_an_exit_is_none_before_the_opening_conditions_are_passed() -> None:
    bench = tell("Trigger: cart\nCondition: NOT buy within 24h", (ev(0, "cart"), ev(5, "other")), 6)
    (journey,) = bench.people["p"].journeys
    here = scene(ev(0, "start"), ev(5, "buy"))
    assert leaving.exit_event(bench.life.current, here, journey, hour(9)) is None
