"""Rule tests, read."""

from __future__ import annotations

from engine.language import read_cases
from engine.language.case_nodes import (
    Acts,
    CapLine,
    Case,
    Changes,
    Day,
    Draw,
    Given,
    Listed,
    Occurs,
    Sets,
    Silent,
    Start,
    Tracks,
)  # fmt: skip
from engine.language.nodes import Date, Duration, Literal, Path, QuietHours, TimeOfDay, Zone

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
            Occurs(0, "cart_updated", ((("cart_id",), Literal("c1")), (("cart_total",), Literal(80)))),
            Changes(3 * HOUR, Path("person", ("plan",)), Literal("pro")),
            Occurs(23 * HOUR, "purchase_completed"),
        ),
        expectations=(Silent(48 * HOUR),),
    )
    assert second.expectations == (
        Acts(27 * HOUR, "send_email", "cart_reminder", Literal("a@b.c"), ((("discount",), Literal(10)),)),
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


EVERYTHING = """Rule: a
With: b, "c d"
Start: 2026-11-27 09:00 in Europe/Warsaw
Person: in arm "long", not held out, in sample "x", not in sample, in arm 2
Cap: marketing = 1 per person per 16 hours
Cap: news twice per person per day
Quiet hours: 21:00 to 09:00, sunday in person.timezone
Given: person.tags = (a, b), person.address.city = Berlin
At: 0h order with items.1.sku = A, "a.b" = 3, tags = (x, y)
At: 2026-11-28 10:00 set person.plan = pro
Expect: set person.tier = gold at 3h
Expect: track bar with x = 1 at 2026-11-29
Expect: send_email "welcome" in pl to ana@example.com at 3h
Expect: nothing until 2026-12-01
"""


def test_everything_a_test_may_state() -> None:
    reading = read_cases(EVERYTHING)
    assert reading.ok
    (case,) = reading.cases
    listed = Listed((Literal("a"), Literal("b")))
    assert case.companions == ("b", "c d")
    assert case.start == Start(Date(2026, 11, 27), TimeOfDay(9, 0), Zone("Europe/Warsaw"))
    assert case.draws == (
        Draw("arm", "long"),
        Draw("holdout", wanted=False),
        Draw("sample", "x"),
        Draw("sample", None, wanted=False),
        Draw("arm", 2),
    )
    assert case.caps == (
        CapLine("marketing", 1, Duration(16 * HOUR)),
        CapLine("news", 2, Duration(24 * HOUR)),
    )
    assert case.quiet == (
        QuietHours(TimeOfDay(21, 0), TimeOfDay(9, 0), ("sunday",), Zone(path=Path("person", ("timezone",)))),
    )
    assert case.givens[0] == Given(Path("person", ("tags",)), listed)
    assert case.happenings == (
        Occurs(
            0,
            "order",
            (
                (("items", "1", "sku"), Literal("A")),
                (("a.b",), Literal(3)),
                (("tags",), Listed((Literal("x"), Literal("y")))),
            ),
        ),
        Changes(Day(Date(2026, 11, 28), TimeOfDay(10, 0)), Path("person", ("plan",)), Literal("pro")),
    )
    assert case.expectations == (
        Sets(3 * HOUR, Path("person", ("tier",)), Literal("gold")),
        Tracks(Day(Date(2026, 11, 29)), "bar", ((("x",), Literal(1)),)),
        Acts(3 * HOUR, "send_email", "welcome", Literal("ana@example.com"), (), Literal("pl")),
        Silent(Day(Date(2026, 12, 1))),
    )


def test_the_clock_of_a_test_stands_at_one_day() -> None:
    reading = read_cases("Rule: a\nStart: 2026-11-27\nStart: 2026-11-28\nExpect: nothing\n")
    assert [found.code for found in reading.diagnostics] == ["clause-twice"]
