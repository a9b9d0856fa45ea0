"""``lapse test`` and the runner behind it."""

from __future__ import annotations

import pytest

RULES = """\
Rule: abandoned-cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Condition: person.plan = free
Action: send_email "cart_reminder" to person.email with total = trigger.total

Rule: quiet
Trigger: None
Condition: NOT any event within 3 days

Rule: morning
Trigger: every monday at 09:00
Action: send_push "week"

Rule: by-day
Trigger: signed_up
Quiet hours: 21:00 to 09:00
Action: send_email "welcome"
Action: set person.welcomed = true
"""
GIVEN = "Given: person.plan = free, person.email = a@b.c\n"


@pytest.fixture(autouse=True)
def rules(place):
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)


@pytest.fixture
def tested(lapse, place):
    """Runs tests given as text; gives the plain result of each."""

    def run(text: str):
        (place / "rules" / "some.test.rules").write_text(text)
        ran = lapse("test", "--format", "json")
        assert ran.code in (0, 1)
        assert (ran.code == 0) == (ran.json["failed"] == 0 and not ran.json["findings"])
        return ran.json

    return run


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated with total = 5\n"
            'Expect: send_email "cart_reminder" to a@b.c with total = 5 at 24h\n',
            id="an action at its moment",
        ),
        pytest.param(
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nExpect: send_email at 24h\n",
            id="as much of an action as is written",
        ),
        pytest.param(
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nExpect: nothing until 23h\n",
            id="nothing is checked after the last moment named",
        ),
        pytest.param(
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nAt: 24h purchase_completed\nExpect: nothing\n",
            id="an event at the deadline comes before it",
        ),
        pytest.param(
            "Rule: abandoned-cart\nAt: 0h cart_updated\nExpect: nothing\n",
            id="what another test is given counts for it",
        ),
        pytest.param(
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nAt: 5h set person.plan = pro\nExpect: nothing\n",
            id="an attribute that changes",
        ),
        pytest.param(
            "Rule: quiet\nAt: 0h logged_in\nExpect: match at 72h\n", id="a rule without action records a match"
        ),
        pytest.param(
            "Rule: quiet\nGiven: person.plan = free\nExpect: match at 72h\n", id="what is given is seen at 0h"
        ),
        pytest.param(
            "Rule: morning\nAt: 0h logged_in\nExpect: send_push at 9h\nExpect: send_push at 177h\n", id="0h is a monday"
        ),
        pytest.param(
            "Rule: by-day\nAt: 3h signed_up\nExpect: send_email at 9h\n", id="an action is expected when it leaves"
        ),
    ],
)
def test_a_test_that_passes(tested, case):
    result = tested(case)
    assert [one["faults"] for one in result["tests"]] == [[]]


@pytest.mark.parametrize(
    ("case", "faults"),
    [
        (
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nExpect: nothing until 24h\n",
            ['not expected: send_email "cart_reminder" to a@b.c at 24h'],
        ),
        (
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nExpect: nothing\n",
            ['not expected: send_email "cart_reminder" to a@b.c at 24h'],
        ),
        (
            "Rule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated\nExpect: send_email at 25h\n",
            ['not expected: send_email "cart_reminder" to a@b.c at 24h', "expected send_email at 25h"],
        ),
        (
            "Rule: abandoned-cart\n" + GIVEN + 'At: 0h cart_updated\nExpect: send_email "other" at 24h\n',
            ['expected send_email "other" at 24h', 'not expected: send_email "cart_reminder" to a@b.c at 24h'],
        ),
        ("Rule: absent\nAt: 0h a\nExpect: nothing\n", ["no rule 'absent' stands in the files beside the test"]),
    ],
)
def test_a_test_that_fails_says_what_happened_instead(tested, case, faults):
    result = tested(case)
    assert [one["faults"] for one in result["tests"]] == [faults]


def test_people_see_what_was_expected_and_what_happened(lapse, place):
    text = (
        "# Silence\nRule: abandoned-cart\n" + GIVEN + "At: 0h cart_updated with total = 5\nExpect: nothing until 30h\n"
    )
    (place / "rules" / "some.test.rules").write_text(text)
    ran = lapse("test", "rules/some.test.rules")
    assert ran.code == 1
    assert ran.out == (
        "rules/some.test.rules:1: failed: Silence (abandoned-cart)\n"
        '  - not expected: send_email "cart_reminder" to a@b.c with total = 5 at 24h\n'
        '  what happened: send_email "cart_reminder" to a@b.c with total = 5 at 24h\n'
        "\n"
        "1 test in 1 file: 0 passed, 1 failed\n"
    )


def test_all_is_well(lapse, place):
    (place / "rules" / "some.test.rules").write_text("Rule: quiet\nAt: 0h a\nExpect: match at 72h\n")
    ran = lapse("test")
    assert (ran.code, ran.out) == (0, "1 test in 1 file: 1 passed\n")


def test_mistakes_in_a_test_file_are_shown(lapse, place):
    (place / "rules" / "some.test.rules").write_text("Rule: quiet\nAt: 0 houres a\nExpect: nothing\n")
    ran = lapse("test")
    assert ran.code == 1
    assert "rules/some.test.rules:2:" in ran.out


@pytest.mark.parametrize("name", ["some.rules", "some.test.rules"])
def test_a_file_that_is_not_utf_8_is_shown_and_nothing_is_run(lapse, place, name):
    (place / "rules" / "some.test.rules").write_text("Rule: quiet\nAt: 0h a\nExpect: match at 72h\n")
    path = place / "rules" / name
    path.write_bytes(path.read_bytes() + "# zażółć\n".encode("cp1250"))
    ran = lapse("test")
    assert ran.code == 1
    assert f"rules/{name}:" in ran.out
    assert "[not-utf-8]" in ran.out


def test_tests_beside_a_named_rule_file_are_found(lapse, place):
    (place / "rules" / "some.test.rules").write_text("Rule: quiet\nAt: 0h a\nExpect: match at 72h\n")
    assert lapse("test", "rules/some.rules").out == "1 test in 1 file: 1 passed\n"


def test_a_path_that_is_not_there_is_told_plainly(lapse):
    ran = lapse("test", "absent")
    assert ran.code == 2
    assert "'absent'" in ran.err
