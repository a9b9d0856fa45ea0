"""What tests in the language can state, and what a failing one says of why."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.ruletests import Result, run_tests

RULES = """\
Rule: cart
Trigger: cart_updated where cart_total >= 50, currency = EUR
Condition: NOT purchase_completed within 24 hours AND person.plan = free
Action: send_email "cart_reminder" in person.language to person.email with total = trigger.cart_total
Action: set person.tier = gold
Action: track reminded with cart.id = trigger.cart_id
Exit: cart_cleared
Limit: once per person per 7 days

Rule: shoes
Trigger: order_placed where items.category = shoes, tags contains sale
Action: send_push "shoes" with first = trigger.first

Rule: arms
Trigger: signed_up
Split: 50% "short"
  Action: send_email "short"
Split: 50% "long"
  Action: send_email "long"
End:
Holdout: 50%

Rule: pilot
Trigger: signed_up
Condition: in 10% sample "new offer"
Action: send_email "pilot"

Rule: hello
Trigger: signed_up
Action: send_email "hello"
Purpose: transactional

Rule: night
Trigger: night_call
Action: send_email "night"
Late: skip after 1 hour

Rule: lapsed
Trigger: None
Condition: NOT logged_in within 3 days AND person.plan = pro
Action: send_email "lapsed"

Rule: friday
Trigger: on 2026-11-27 at 09:00 in Europe/Warsaw
Action: send_email "black_friday"

Rule: slow
Trigger: order_placed
Wait: 2 days
Action: send_email "how_was_it"
"""

GIVEN = "Given: person.plan = free, person.email = a@b.c, person.language = pl\n"
CART = "At: 0h cart_updated with cart_total = 80, currency = EUR, cart_id = c1\n"


@pytest.fixture
def played(tmp_path: Path):
    """Plays one test beside the rules; gives what came of it."""

    def play(text: str) -> Result:
        (tmp_path / "some.rules").write_text(RULES)
        (tmp_path / "some.test.rules").write_text(text)
        results = run_tests([tmp_path / "some.test.rules"])
        assert not results.errors, results.errors
        (result,) = results.results
        return result

    return play


PASSING = {
    "what a rule sets and tracks": f"""Rule: cart
{GIVEN}{CART}Expect: send_email "cart_reminder" in pl to a@b.c with total = 80 at 24h
Expect: set person.tier = gold at 24h
Expect: track reminded with cart.id = c1 at 24h
""",
    "nested fields and lists": """Rule: shoes
At: 0h order_placed with items.1.category = hats, items.2.category = shoes, tags = (new, sale), first = 1
Expect: send_push "shoes" with first = 1 at 0h
""",
    "a flat key with a dot is another field": """Rule: shoes
At: 0h order_placed with "items.category" = shoes, tags = (new, sale)
Expect: nothing until 1h
""",
    "an arm": 'Rule: arms\nPerson: in arm "long", not held out\nAt: 0h signed_up\nExpect: send_email "long" at 0h\n',
    "another arm, by its number": """Rule: arms
Person: in arm 1, not held out
At: 0h signed_up
Expect: send_email "short" at 0h
""",
    "held out": "Rule: arms\nPerson: held out\nAt: 0h signed_up\nExpect: nothing until 1h\n",
    "in a sample": """Rule: pilot
Person: in sample "new offer"
At: 0h signed_up
Expect: send_email "pilot" at 0h
""",
    "not in a sample": """Rule: pilot
Person: not in sample "new offer"
At: 0h signed_up
Expect: nothing until 1h
""",
    "two rules together under a cap": """Rule: cart
With: night, hello
Cap: marketing = 1 per person per 16 hours
Given: person.plan = free, person.email = a@b.c
At: 0h cart_updated with cart_total = 80, currency = EUR, cart_id = c1
At: 23h night_call
At: 23h signed_up
Expect: send_email "night" at 23h
Expect: send_email "hello" at 23h
Expect: nothing until 48h
""",
    "quiet hours over all rules": """Rule: night
Quiet hours: 21:00 to 09:00
At: 22h night_call
Expect: send_email "night" at 33h
""",
    "days of the calendar": """Rule: friday
Start: 2026-11-26 in Europe/Warsaw
At: 2026-11-26 12:00 logged_in
Expect: send_email "black_friday" at 2026-11-27 09:00
Expect: nothing until 2026-12-01
""",
}


@pytest.mark.parametrize("name", PASSING)
def test_a_test_can_state(name: str, played) -> None:
    result = played(PASSING[name])
    assert result.faults == (), [fault.text for fault in result.faults]


WHY = {
    "no trigger: no 'cart_updated' came by 24h": f"{GIVEN}At: 0h logged_in\n",
    "the trigger's filter is false for 'cart_updated' at 0h: cart_total >= 50 (cart_total is 30); "
    "currency = EUR (currency is not set)": f"{GIVEN}At: 0h cart_updated with cart_total = 30\n",
    "a gate is false: NOT purchase_completed within 24 hours (1 in all so far)": (
        f"{GIVEN}{CART}At: 3h purchase_completed\n"
    ),
    "a gate is false: person.plan = free (person.plan is pro)": f"Given: person.plan = pro\n{CART}",
    "the journey left by an exit at 5h: 'cart_cleared'": f"{GIVEN}{CART}At: 5h cart_cleared\n",
}


@pytest.mark.parametrize("why", WHY)
def test_a_missing_action_says_why(why: str, played) -> None:
    result = played(f'Rule: cart\n{WHY[why]}Expect: send_email "cart_reminder" at 24h\n')
    assert [fault.why for fault in result.faults] == [why]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            f'Rule: cart\n{GIVEN}{CART}Expect: send_email "cart_reminder" at 12h\n',
            "a gate is not decided before 24h: NOT purchase_completed within 24 hours (not known yet)",
        ),
        (
            f'Rule: cart\n{GIVEN}{CART}Expect: send_email "cart_reminder" at 25h\n',
            "it left at 24h",
        ),
        (
            'Rule: arms\nPerson: held out, in arm "long"\nAt: 0h signed_up\nExpect: send_email "long" at 0h\n',
            "held out: the person is in the comparison group at 0h",
        ),
        (
            'Rule: pilot\nPerson: not in sample "new offer"\nAt: 0h signed_up\nExpect: send_email at 0h\n',
            'a gate is false: in 10% sample "new offer" (the person is not in it)',
        ),
        (
            'Rule: night\nQuiet hours: 21:00 to 09:00\nAt: 22h night_call\nExpect: send_email "night" at 22h\n',
            "quiet hours (21:00 to 09:00) hold it from 22h until 33h",
        ),
        (
            "Rule: night\nQuiet hours: 21:00 to 09:00\nAt: 22h night_call\n"
            'Expect: send_email "night" at 22h\nExpect: nothing until 40h\n',
            "it left at 33h: quiet hours held it since 22h",
        ),
        (
            'Rule: lapsed\nGiven: person.plan = free\nExpect: send_email "lapsed" at 4 days\n',
            "the opening Condition is false at 96h: person.plan = pro (person.plan is free)",
        ),
        (
            'Rule: slow\nAt: 0h order_placed\nExpect: send_email "how_was_it" at 24h\n',
            "the journey that began at 0h waits until 48h",
        ),
        (
            f'Rule: cart\n{GIVEN}{CART}Expect: send_email "cart_reminder" in de to c@d.e at 24h\n',
            "it left to a@b.c",
        ),
        (
            f'Rule: cart\n{GIVEN}{CART}Expect: send_email "cart_reminder" with total = 90 at 24h\n',
            "it left with total = 80",
        ),
    ],
)
def test_another_one_says_why(text: str, why: str, played) -> None:
    result = played(text)
    assert [fault.why for fault in result.faults if fault.text.startswith("expected")][-1] == why


def test_a_cap_says_which(played) -> None:
    result = played(
        "Rule: night\nCap: marketing = 1 per person per day\nAt: 0h night_call\nAt: 2h night_call\n"
        'Expect: send_email at 0h\nExpect: send_email "night" at 2h\n'
    )
    (fault,) = result.faults
    assert fault.why == "capped: as many as the cap 'marketing' allows had left by 2h"


def test_a_limit_says_which(played) -> None:
    again = "At: 2 days cart_updated with cart_total = 80, currency = EUR\n"
    result = played(
        f"Rule: cart\n{GIVEN}{CART}{again}"
        'Expect: send_email "cart_reminder" at 24h\nExpect: send_email "cart_reminder" with total = 80 at 72h\n'
    )
    (fault,) = result.faults
    assert fault.why == "limited at 72h: once per person per 7 days"


def test_a_draw_the_rule_does_not_have(played) -> None:
    (fault,) = played('Rule: hello\nPerson: in arm "x"\nAt: 0h signed_up\nExpect: nothing\n').faults
    assert fault.text == "the rule draws nothing that could come out so"


def test_a_day_before_the_start(played) -> None:
    (fault,) = played("Rule: hello\nStart: 2026-02-01\nAt: 2026-01-31 signed_up\nExpect: nothing\n").faults
    assert fault.text == "a day of the test lies before its start"
