"""Hints save work and decide nothing: what leaves, and when, follows from the rule, with hints and without."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.clock import moment
from engine.runtime import hints
from engine.testing import Clock, travel

from .conftest import START, Lab

HOUR = 3_600_000_000


@dataclass(frozen=True)
class At:
    """An item that arrives at an hour from the beginning, of that hour unless it is of another."""

    arrives: float
    item: dict[str, Any]
    of: float | None = None


def ev(at: float, name: str, of: float | None = None, **properties: object) -> At:
    return At(at, {"event": name, "properties": properties}, of)


def attr(at: float, of: float | None = None, **traits: object) -> At:
    return At(at, {"type": "identify", "traits": traits}, of)


@dataclass(frozen=True)
class Case:
    """A rule, what happens to one person, and the hours at which actions leave."""

    id: str
    rule: str
    happens: tuple[At, ...]
    leaves: tuple[float, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    until: float = 2_000


KNOWN = ev(0, "seen", of=-400 * 24)
"""Makes somebody known for long: it is so old that it counts as history."""

UNSET = "Trigger: None\nCondition: person.plan is not set\nAction: mail"
QUIET_SPELL = "Trigger: None\nCondition: NOT d within 1 hour\nAction: mail"
OLD = {"max_event_age": "80 hours", "late": "200 hours"}
BACK = "Trigger: cart\nCondition: {}\nAction: mail"
TOKYO, WARSAW = "Asia/Tokyo", "Europe/Warsaw"
MONTHLY = "Trigger: cart\nCondition: NOT buy within 1 month\nAction: mail\nZone: America/New_York"

CASES = (
    Case("first seen by history", UNSET, (ev(100, "login", of=1),), (), OLD),
    Case("first seen, then by history", UNSET, (ev(90, "view"), ev(100, "login", of=1)), (90,), OLD),
    Case("first seen by history, then again", UNSET, (ev(100, "login", of=1), ev(101, "view")), (), OLD),
    Case("a spell that history interrupts", QUIET_SPELL, (attr(0, plan=1), ev(90, "d", of=5)), (1,), OLD),
    Case("set back after history", UNSET, (ev(100, "x", of=1), attr(101, plan=1), attr(102, plan=None)), (102,), OLD),
    Case("look back alone", BACK.format("NOT open in the last 7 days"), (KNOWN, ev(10, "cart")), (10,)),
    Case("some hours back", BACK.format("NOT open in the last 6 hours"), (KNOWN, ev(10, "cart")), (10,)),
    Case("fewer than", BACK.format("open fewer than 2 times in the last 7 days"), (KNOWN, ev(10, "cart")), (10,)),
    Case("at most", BACK.format("open at most once in the last 7 days"), (KNOWN, ev(10, "cart")), (10,)),
    Case("in brackets", BACK.format("NOT (open OR click) in the last 7 days"), (KNOWN, ev(10, "cart")), (10,)),
    Case(
        "behind a wait",
        "Trigger: cart\nWait: 1 hour\nCondition: NOT open in the last 7 days\nAction: mail",
        (KNOWN, ev(10, "cart")),
        (11,),
    ),
    Case(
        "beside a forward NOT",
        BACK.format("NOT buy within 2 hours AND NOT open in the last 7 days"),
        (KNOWN, ev(10, "cart")),
        (12,),
    ),
    Case(
        "in a later gate",
        "Trigger: cart\nCondition: NOT buy within 2 hours\nWait: 1 hour\n"
        "Condition: NOT open in the last 7 days\nAction: mail",
        (KNOWN, ev(10, "cart")),
        (13,),
    ),
    Case(
        "a gate that is passed over because its date is past",
        "Trigger: cart\nWait: until trigger.d\nCondition: NOT buy within 7 days\nWait: 1 hour\nAction: mail",
        (ev(10, "cart", d="2025-12-01"),),
        (11,),
    ),
    Case(
        "a month in which the clocks go forward",
        MONTHLY,
        (ev(44 * 24 + 17, "cart"),),
        ((44 + 28) * 24 + 16,),
    ),
    Case(
        "what settles one item has the others read again",
        BACK.format("NOT buy within 24 hours OR person.plan = pro"),
        (attr(0, plan="free"), ev(1, "cart"), attr(5, plan="pro"), ev(10, "buy")),
        (10,),
    ),
    Case(
        "and so looking back",
        BACK.format("NOT buy within 24 hours OR view in the last 9 hours"),
        (KNOWN, ev(1, "cart"), ev(5, "view"), ev(10, "buy")),
        (10,),
    ),
    Case(
        "what a gate saw that was not decided may come late",
        BACK.format("(buy within 3 days AND view in the last 9 hours) OR NOT click within 5 days"),
        (KNOWN, ev(1, "cart"), ev(5, "buy"), ev(6, "view", of=4)),
        (6,),
    ),
    Case(
        "an attribute that such a gate read",
        BACK.format("(buy within 3 days AND person.plan = pro) OR NOT click within 5 days"),
        (attr(0, plan="free"), ev(1, "cart"), ev(5, "buy"), attr(6, of=4, plan="pro")),
        (6,),
    ),
    Case(
        "an attribute that a trigger is compared with comes late",
        "Trigger: cart where country = person.country\nAction: mail",
        (ev(5, "cart", country="PL"), attr(6, of=4, country="PL")),
        (6,),
    ),
    Case(
        "one that an awaited event is compared with",
        "Trigger: cart\nWait: until buy where country = person.country for at most 5 days\nAction: mail",
        (ev(1, "cart"), ev(5, "buy", country="PL"), attr(6, of=4, country="PL")),
        (6,),
    ),
    Case(
        "one that a rule without trigger is compared with",
        "Trigger: None\nCondition: buy where country = person.country in the last 5 days\nAction: mail",
        (ev(5, "buy", country="PL"), attr(6, of=4, country="PL")),
        (6,),
    ),
    Case(
        "history moves the next turn of somebody for whom none was ahead",
        "Trigger: None\nCondition: NOT login within 30 days\nAction: mail",
        (ev(0, "seen"), ev(900, "login", of=820)),
        (720, 820 + 720),
    ),
    Case(
        "a month back in the person's zone",
        "Trigger: None\nCondition: NOT login within 1 month\nAction: mail\nZone: person.timezone",
        (attr(0, timezone="UTC"), ev(24 * 28 + 20, "login"), attr(24 * 40, timezone=TOKYO)),
        (24 * 57 + 20,),
    ),
    Case(
        "held by the settings' quiet hours, and the zone changes",
        "Trigger: cart\nAction: mail",
        (attr(0, timezone=WARSAW), ev(21, "cart"), attr(23, timezone=TOKYO)),
        (24,),
        {"quiet_hours": ["21:00 to 09:00 in person.timezone"]},
    ),
    Case(
        "held by the rule's",
        "Trigger: cart\nAction: mail\nQuiet hours: 21:00 to 09:00 in person.timezone",
        (attr(0, timezone=WARSAW), ev(21, "cart"), attr(23, timezone=TOKYO)),
        (24,),
    ),
    Case(
        "held by the settings' in the rule's zone, which is the person's",
        "Trigger: cart\nAction: mail\nZone: person.timezone",
        (attr(0, timezone=WARSAW), ev(21, "cart"), attr(23, timezone=TOKYO)),
        (24,),
        {"quiet_hours": ["21:00 to 09:00"]},
    ),
    Case(
        "what happens in Lapse is held by the person's clock too",
        "Trigger: cart\nAction: track noted",
        (attr(0, timezone=TOKYO), ev(13, "cart")),
        (24,),
        {"quiet_hours": ["21:00 to 09:00 in person.timezone"]},
    ),
)


def left(lab: Lab, case: Case) -> tuple[float, ...]:
    """The hours at which actions left."""
    with lab(f"Rule: r\n{case.rule}", **case.settings) as here:
        start = here.clock.now()
        for at in sorted(case.happens, key=lambda one: one.arrives):
            travel(here.engine, here.clock, start + round(at.arrives * HOUR))
            of = moment(start + round((at.arrives if at.of is None else at.of) * HOUR))
            receipt = here.engine.ingest({"user_id": "u1", "timestamp": of.isoformat(), **at.item})
            assert not receipt.rejected
            here.engine.run_due()
        travel(here.engine, here.clock, start + round(case.until * HOUR))
        with here.engine.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT left_at FROM outbox WHERE left_at IS NOT NULL ORDER BY 1").all()
        return tuple((at - start) / HOUR for (at,) in rows)


@pytest.mark.parametrize("used", [True, False], ids=["hints", "none"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_it_leaves_at_its_moment(case: Case, used: bool, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "USED", used)
    assert left(lab, case) == case.leaves


def test_a_trigger_that_waits_is_still_only_noted(lab: Lab) -> None:
    """The saving stays where the meaning allows it."""
    rule = BACK.format("NOT buy within 2 hours AND NOT open in the last 7 days")
    with lab(f"Rule: r\n{rule}") as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        with here.engine.store.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM journeys").scalar() == 0
        assert here.engine.next_due() == here.clock.now() + 2 * HOUR
        assert here.clock.now() == Clock(START).now()
