"""What is told of values that are of another kind than a rule asks for."""

from __future__ import annotations

import pytest

from engine.journeys.misread import Misread, misread_in
from engine.journeys.rulebook import Settings
from engine.language import read_quiet_hours
from tests.oracle import oracle
from tests.oracle.build import attr, ev, hour

from . import comparing
from .story import rule_of

CART = "Trigger: cart where total >= 50"


def noted(
    rule: str, *entries: oracle.Event | oracle.Change, until: float = 100, settings: Settings | None = None
) -> set[str]:
    """What the decisions of a rule over a timeline were told of."""
    bench = comparing.replay(rule_of(rule), {"p": entries}, hour(100), settings)
    found = (misread_in(note) for note in bench.notes)
    return {f"{one.kind} {one.field}" for one in found if one is not None}


@pytest.mark.parametrize(
    ("rule", "entries", "told"),
    [
        pytest.param(CART, (ev(0, "cart", total="59.90"),), {"text_and_number cart.total"}, id="text against a number"),
        pytest.param(CART, (ev(0, "cart", total=["49", "59"]),), {"text_and_number cart.total"}, id="a list of texts"),
        pytest.param(CART, (ev(0, "cart", total=49),), set(), id="a number too small"),
        pytest.param(CART, (ev(0, "cart"),), set(), id="missing"),
        pytest.param(CART, (ev(0, "cart", total=60),), set(), id="as asked for"),
        pytest.param(
            "Trigger: cart where total between 1 and 9",
            (ev(0, "cart", total="5"),),
            {"text_and_number cart.total"},
            id="between",
        ),
        pytest.param(
            "Trigger: cart where code = '01234'",
            (ev(0, "cart", code=1234),),
            {"text_and_number cart.code"},
            id="a number against text",
        ),
        pytest.param(
            "Trigger: cart where code in (1, 2)",
            (ev(0, "cart", code="x"),),
            {"text_and_number cart.code"},
            id="text in numbers",
        ),
        pytest.param("Trigger: cart where code in (1, b)", (ev(0, "cart", code="x"),), set(), id="text among both"),
        pytest.param("Trigger: cart where code != 1", (ev(0, "cart", code="x"),), set(), id="a negation is true"),
        pytest.param(
            "Trigger: cart\nCondition: NOT buy where same k within 1h",
            (ev(0, "cart", k=1), ev(0.5, "buy", k="z")),
            set(),
            id="the same thing may have its number as text",
        ),
        pytest.param(
            "Trigger: cart\nCondition: person.age > 18",
            (attr(0, age="20"), ev(0, "cart")),
            {"text_and_number person.age"},
            id="an attribute",
        ),
        pytest.param(
            "Trigger: cart\nCondition: total > 18",
            (ev(0, "cart", total="20"),),
            {"text_and_number trigger.total"},
            id="a bare name that the trigger has",
        ),
        pytest.param(
            "Trigger: cart\nCondition: age > 18",
            (attr(0, age="20"), ev(0, "cart")),
            {"text_and_number person.age"},
            id="a bare name that it has not",
        ),
        pytest.param(
            "Trigger: cart\nCondition: sum of x from pay > 1",
            (ev(0, "pay", x="5"), ev(1, "pay", x=1), ev(2, "cart")),
            {"text_and_number pay.x"},
            id="text that a sum leaves out",
        ),
        pytest.param(
            "Trigger: cart\nCondition: count of different x from pay > 1",
            (ev(0, "pay", x="5"), ev(2, "cart")),
            set(),
            id="text may be counted",
        ),
        pytest.param(
            "Trigger: cart\nCondition: person.d < 2026-05-01",
            (attr(0, d="soon"), ev(0, "cart")),
            {"unreadable_date person.d"},
            id="no date beside a date",
        ),
        pytest.param(
            "Trigger: cart\nCondition: person.d < 2026-05-01",
            (attr(0, d="2026-06-01"), ev(0, "cart")),
            set(),
            id="a later date",
        ),
        pytest.param(
            "Trigger: None\nCondition: person.d in the next 3 days",
            (attr(0, d="1768910400"),),
            {"unreadable_date person.d"},
            id="digits as text where a date is asked for",
        ),
        pytest.param(
            "Trigger: cart\nWait: until trigger.d",
            (ev(0, "cart", d=12),),
            {"unreadable_date trigger.d"},
            id="a wait for what is no date",
        ),
        pytest.param("Trigger: cart\nWait: until trigger.d", (ev(0, "cart"),), set(), id="a wait for what is missing"),
        pytest.param(
            "Trigger: every year on person.born at 09:00",
            (attr(0, born="in May"),),
            {"unreadable_date person.born"},
            id="a birthday that is none",
        ),
        pytest.param(
            "Trigger: cart\nWait: until 09:00 in person.timezone",
            (attr(0, timezone="Mars"), ev(1, "cart")),
            {"unknown_zone person.timezone"},
            id="no zone",
        ),
        pytest.param(
            "Trigger: cart\nZone: person.timezone",
            (attr(0, timezone=" europe/warsaw"), ev(1, "cart")),
            set(),
            id="a zone in another case",
        ),
    ],
)
def test_what_is_told(rule: str, entries: tuple[oracle.Event | oracle.Change, ...], told: set[str]) -> None:
    assert noted(rule, *entries) == told


def test_a_zone_of_the_settings_quiet_hours_is_told_too() -> None:
    settings = Settings(quiet=(read_quiet_hours("21:00 to 09:00 in person.timezone"),))
    assert noted("Trigger: cart\nAction: mail", attr(0, timezone=7), ev(1, "cart"), settings=settings) == {
        "unknown_zone person.timezone"
    }


def test_a_field_with_a_colon_in_its_name_is_told_whole() -> None:
    one = Misread("text_and_number", "cart.a:b")
    assert misread_in(one.note) == one
    assert misread_in("absorbed") is None
