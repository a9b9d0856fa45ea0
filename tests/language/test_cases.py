"""Rule tests, read."""

from __future__ import annotations

from engine.language import read_cases
from engine.language.case_nodes import Acts, Case, Changes, Given, Occurs, Silent
from engine.language.nodes import Literal, Path

HOUR = 3_600 * 1_000_000

TEXT = """# Nobody who buys in time is written to
# not even late
Rule: abandoned-cart
Given: person.country = PL, plan = free
At: 0h cart_updated with cart_id = c1, cart_total = 80
At: 3h set person.plan = pro
At: 23h purchase_completed
Expect: nothing until 48h

Rule: abandoned-cart
At: 0h cart_updated
Expect: send_email "cart_reminder" to "a@b.c" with discount = 10 at 1 day 3 hours
Expect: nothing
"""


def test_a_file_of_tests() -> None:
    reading = read_cases(TEXT, "cart.test.rules")
    assert reading.ok
    first, second = reading.cases
    assert first == Case(
        title="Nobody who buys in time is written to",
        notes=("not even late",),
        rule="abandoned-cart",
        givens=(
            Given(Path("person", ("country",)), Literal("PL")),
            Given(Path("person", ("plan",)), Literal("free")),
        ),
        happenings=(
            Occurs(0, "cart_updated", (("cart_id", Literal("c1")), ("cart_total", Literal(80)))),
            Changes(3 * HOUR, Path("person", ("plan",)), Literal("pro")),
            Occurs(23 * HOUR, "purchase_completed"),
        ),
        expectations=(Silent(48 * HOUR),),
    )
    assert second.expectations == (
        Acts(27 * HOUR, "send_email", "cart_reminder", Literal("a@b.c"), (("discount", Literal(10)),)),
        Silent(None),
    )


def test_places_are_those_of_the_file() -> None:
    reading = read_cases(TEXT)
    at = reading.cases[1].happenings[0]
    assert TEXT[slice(*at.span)] == "0h cart_updated"


def test_a_broken_test_hides_no_other() -> None:
    reading = read_cases(TEXT.replace("At: 3h set", "At: 3 houres set"))
    assert not reading.ok
    assert len(reading.cases) == 1
    assert [found.code for found in reading.diagnostics] == ["unknown-unit"]
