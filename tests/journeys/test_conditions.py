"""Is it true, since when, and when to ask again (sections 3 and 4, rulings 1 to 11)."""

from __future__ import annotations

import pytest

from engine.journeys import conditions
from engine.journeys.conditions import ENDS, EVENTS, Settled, Unsettled
from engine.language import program
from tests.oracle.build import attr, ev, hour, was
from tests.oracle.oracle import Change, Event

from .scenes import backward, entry, forward, in_hours, scene
from .story import rule_of

Entries = tuple[Event | Change, ...]
START = ev(0, "start", k=7)


def found(text: str, entries: Entries, until: float = 100) -> str:
    """The decision of a gate entered at the trigger: ``true@5``, or ``due@24`` while it is not known."""
    here = scene(START, *entries)
    assert here.trigger is not None
    verdict = conditions.decide(forward(text), here, entry(0, here.trigger.id), (hour(until), ENDS))
    if isinstance(verdict, Unsettled):
        return f"due@{in_hours(verdict.due):g}"
    return f"{str(verdict.value).lower()}@{in_hours(verdict.point[0]):g}"


def views(*hours: float) -> Entries:
    return tuple(ev(at, "view") for at in hours)


@pytest.mark.parametrize(
    ("text", "entries", "until", "decision"),
    [
        ("view within 24h", views(), 23, "due@24"),
        ("view within 24h", views(), 24, "false@24"),
        ("view within 24h", views(24), 24, "true@24"),
        ("view within 24h", views(0), 24, "true@0"),
        ("view within 24h", views(5, 6), 24, "true@5"),
        ("view at least 2 times within 24h", views(5), 23, "due@24"),
        ("view at least 2 times within 24h", views(5, 9, 11), 24, "true@9"),
        ("view at least 2 times within 24h", views(5), 24, "false@24"),
        ("view more than 2 times within 24h", views(5, 9), 24, "false@24"),
        ("view more than 2 times within 24h", views(5, 9, 11), 24, "true@11"),
        ("view at most 1 times within 24h", views(5), 23, "due@24"),
        ("view at most 1 times within 24h", views(5), 24, "true@24"),
        ("view at most 1 times within 24h", views(5, 9), 24, "false@9"),
        ("view fewer than 2 times within 24h", views(5, 24), 24, "false@24"),
        ("view fewer than 2 times within 24h", views(), 24, "true@24"),
        ("view exactly 1 times within 24h", views(5), 23, "due@24"),
        ("view exactly 1 times within 24h", views(5), 24, "true@24"),
        ("view exactly 1 times within 24h", views(), 24, "false@24"),
        ("view exactly 1 times within 24h", views(5, 9), 24, "false@9"),
        ("NOT view within 24h", views(5), 24, "false@5"),
        ("NOT view within 24h", views(), 24, "true@24"),
        ("view in the next 24h", views(), 23, "due@24"),
    ],
)
def test_ruling_1_counts_looking_forward(text: str, entries: Entries, until: float, decision: str) -> None:
    assert found(text, entries, until) == decision


def buys(*amounts: tuple[float, float]) -> Entries:
    return tuple(ev(at, "buy", amount=amount) for at, amount in amounts)


@pytest.mark.parametrize(
    ("total", "entries", "decision"),
    [
        ("sum of amount from buy within 24h >= 100", buys((1, 60), (2, 40), (3, 1)), "true@2"),
        ("sum of amount from buy within 24h > 100", buys((1, 60), (2, 40)), "false@24"),
        ("sum of amount from buy within 24h >= 0", (), "true@0"),
        ("sum of amount from buy within 24h < 100", buys((1, 60), (2, 40)), "false@24"),
        ("sum of amount from buy within 24h = 100", buys((1, 60), (2, 40), (3, 5)), "false@24"),
        ("sum of amount from buy within 24h <= 100", buys((1, 60), (2, 40)), "true@24"),
        ("count of buy within 24h >= 2", buys((1, 1), (2, 1)), "true@2"),
        ("count of buy within 24h > 2", buys((1, 1), (2, 1)), "false@24"),
        ("count of buy within 24h = 0", (), "true@24"),
        ("count of different amount from buy within 24h >= 2", buys((1, 1), (2, 1), (3, 2)), "true@3"),
        ("max of amount from buy within 24h > 50", buys((1, 50), (2, 51)), "true@2"),
        ("max of amount from buy within 24h > 50", (), "false@24"),
        (
            "max of amount from buy within 24h < 50",
            buys(
                (1, 10),
            ),
            "true@24",
        ),
        ("max of amount from buy within 24h < 50", (), "false@24"),
        ("min of amount from buy within 24h < 5", buys((1, 50), (2, 4)), "true@2"),
        ("min of amount from buy within 24h <= 5", buys((1, 50), (2, 5)), "true@2"),
        ("min of amount from buy within 24h >= 5", buys((1, 50), (2, 5)), "true@24"),
        ("average of amount from buy within 24h >= 5", buys((1, 50), (2, 0)), "true@24"),
        ("average of amount from buy within 24h >= 5", (), "false@24"),
    ],
)
def test_ruling_2_totals_looking_forward(total: str, entries: Entries, decision: str) -> None:
    assert found(total, entries) == decision


@pytest.mark.parametrize(
    ("text", "entries", "decision"),
    [
        pytest.param("NOT buy within 24h AND plan = free", (), "false@0", id="a fact decides on entry"),
        pytest.param("NOT buy within 24h OR plan = free", (attr(10, plan="free"),), "true@24", id="no change wakes it"),
        pytest.param(
            "view within 24h OR plan = free", (attr(10, plan="free"), *views(12)), "true@12", id="at the event"
        ),
        pytest.param(
            "NOT view within 24h OR plan = free",
            (attr(10, plan="free"), *views(12)),
            "true@12",
            id="asked as it settles",
        ),
        pytest.param(
            "buy within 5h OR view within 24h", views(12), "true@12", id="a window past is not the others' end"
        ),
        pytest.param("buy within 5h AND view within 24h", views(12), "false@5", id="false as soon as it must be"),
    ],
)
def test_ruling_3_when_a_gate_is_asked(text: str, entries: Entries, decision: str) -> None:
    assert found(text, entries) == decision


T, F, U = "trigger.k = 7", "trigger.k = 8", "view within 24h"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"{T} AND {T}", True),
        (f"{T} AND {F}", False),
        (f"{T} AND {U}", None),
        (f"{F} AND {U}", False),
        (f"{U} AND {U}", None),
        (f"{T} OR {U}", True),
        (f"{F} OR {F}", False),
        (f"{F} OR {U}", None),
        (f"NOT {T}", False),
        (f"NOT {F}", True),
        (f"NOT {U}", None),
        (f"NOT ({F} AND {U})", True),
        (f"NOT ({T} OR {U})", False),
    ],
)
def test_section_4_6_three_values(text: str, value: bool | None) -> None:
    assert conditions.ask(forward(text), scene(START), (hour(0), EVENTS), {}) is value


@pytest.mark.parametrize(
    ("text", "young", "old"),
    [
        pytest.param("view at least 1 times", True, True, id="at least, reached"),
        pytest.param("view at least 2 times", None, False, id="at least, not reached"),
        pytest.param("view more than 0 times", True, True, id="more than, reached"),
        pytest.param("view more than 1 times", None, False, id="more than, not reached"),
        pytest.param("view at most 0 times", False, False, id="at most, exceeded"),
        pytest.param("view at most 1 times", None, True, id="at most, not exceeded"),
        pytest.param("view fewer than 1 times", False, False, id="fewer than, exceeded"),
        pytest.param("view fewer than 2 times", None, True, id="fewer than, not exceeded"),
        pytest.param("view exactly 0 times", False, False, id="exactly, exceeded"),
        pytest.param("view exactly 1 times", None, True, id="exactly, as many"),
        pytest.param("view exactly 2 times", None, False, id="exactly, too few"),
        pytest.param("NOT buy", None, True, id="NOT happened"),
        pytest.param("buy", None, False, id="happened, not yet"),
        pytest.param("NOT view", False, False, id="NOT, and it did"),
        pytest.param("count of view {window} >= 1", True, True, id="a total reached"),
        pytest.param("count of view {window} >= 2", None, False, id="a total not reached"),
        pytest.param("count of view {window} < 2", None, True, id="a total below"),
        pytest.param("count of view {window} = 1", None, True, id="a total equal"),
        pytest.param("max of x from view {window} > 3", True, True, id="a maximum reached"),
        pytest.param("min of x from view {window} <= 5", None, True, id="any other total"),
    ],
)
def test_ruling_11_watched_time(text: str, young: bool | None, old: bool) -> None:
    """Asked at hour 24 over 24 hours; first seen at 0.01, and at 0: watched just too briefly, and just long enough."""
    asked = text.format(window="in the last 24h") if "{" in text else f"{text} in the last 24h"
    for first, value in ((0.01, young), (0, old)):
        here = scene(ev(first, "seen"), ev(10, "view", x=5))
        assert conditions.ask(backward(asked), here, (hour(24), ENDS), {}) is value


def test_ruling_11_history_counts_as_seen() -> None:
    here = scene(was(0, "seen"))
    assert conditions.ask(backward("NOT buy in the last 24h"), here, (hour(24), ENDS), {}) is True


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [
        pytest.param("view within 24h", 28.99, True, id="4.4: inside until just before s + D"),
        pytest.param("view within 24h", 29, False, id="4.4: gone from s + D on"),
        pytest.param("view within 24h", 5, True, id="4.4: at its own moment"),
        pytest.param("view within 24h", 4.99, False, id="not before"),
        pytest.param("last view more than 24h ago", 28.99, False, id="last event"),
        pytest.param("last view more than 24h ago", 29, True, id="last event: at s + D"),
        pytest.param("last buy more than 24h ago", 100, False, id="last event: never is false"),
        pytest.param("NOT buy since last view", 30, True, id="since last"),
        pytest.param("NOT buy since last refund", 30, True, id="since last of what never was: everything"),
    ],
)
def test_ruling_6_looking_back(text: str, at: float, value: bool) -> None:
    here = scene(ev(-100, "seen"), ev(5, "view"))
    assert conditions.ask(backward(text), here, (hour(at), ENDS), {}) is value


@pytest.mark.parametrize(
    ("kind", "at", "value"),
    [
        ("in the next 2 days", 23.99, False),
        ("in the next 2 days", 24, True),
        ("in the next 2 days", 72, True),
        ("in the next 2 days", 72.01, False),
        ("in the last 2 days", 71.99, False),
        ("in the last 2 days", 72, True),
        ("in the last 2 days", 119.99, True),
        ("in the last 2 days", 120, False),
        ("more than 2 days ago", 119.99, False),
        ("more than 2 days ago", 120, True),
    ],
)
def test_section_3_date_facts(kind: str, at: float, value: bool) -> None:
    here = scene(attr(-100, renews="2026-01-04"))
    assert conditions.ask(backward(f"person.renews {kind}"), here, (hour(at), ENDS), {}) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("trigger.k = 7", True),
        ("k = 7", True),
        ("person.k = 7", False),
        ("plan = free", True),
        ("trigger.plan = free", False),
        ("person.plan = free", True),
    ],
)
def test_ruling_37_a_bare_name_is_the_triggers_field_where_it_has_it(text: str, value: bool) -> None:
    here = scene(attr(-1, plan="free", k=9), START)
    assert conditions.ask(forward(text), here, (hour(0), EVENTS), {}) is value


def test_ruling_5_what_is_left_out_is_not_seen() -> None:
    here = scene(START, ev(0, "view"))
    (view,) = here.timeline.between("view", hour(0), hour(0))
    (item,) = program.parts(forward("view within 24h"))
    seen = conditions.settle(item, here, entry(0), (hour(100), ENDS))
    assert seen == Settled(True, (hour(0), EVENTS), frozenset((view.id,)))
    assert conditions.settle(item, here, entry(0, view.id), (hour(100), ENDS)) == Settled(False, (hour(24), ENDS))


def test_any_event_is_one_the_person_made() -> None:
    rule = rule_of("Trigger: any event except (ping)\nAction: mail")
    (pattern,) = program.Program(rule).triggers
    here = scene(ev(0, "view"), ev(1, "ping"))
    assert [here.matches(pattern, one) for one in here.timeline.events] == [True, False]
