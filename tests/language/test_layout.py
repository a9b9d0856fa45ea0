"""The canonical text: what it looks like, and that equal rules share it."""

from __future__ import annotations

import pytest

from engine.language import canonical, expression_text, layout, nodes, read, step_text
from engine.language.layout import clause_text, duration_text, name_text, number_text, path_text, quoted
from engine.language.nodes import Duration

SECOND = 1_000_000

PAGE = """# Abandoned cart
# One mail after a quiet day, for carts worth it.
Rule: abandoned-cart
Trigger: cart_updated where cart_total >= 50, currency = PLN
Only while: person.country in (PL, DE)
Condition: NOT purchase_completed where same cart_id within 24 hours
Action: send_email "cart_reminder" to person.email with discount = 10
Wait: 2 days
Action: send_push "still_here"
Limit: once per person per 7 days
"""

NESTED = """Trigger: a
If: plan = free
  Split: 50% "x"
    Action: b
  Split: 50%
  End:
Else if: plan = pro
  Action: c
Else:
  Action: d
End:
"""


@pytest.mark.parametrize("text", [PAGE, NESTED])
def test_canonical_text_stays_as_it_is(text: str) -> None:
    assert layout(read(text).rules[0]) == text


def test_clauses_are_put_in_order_and_words_in_their_form() -> None:
    text = "limit: ONCE per person; action: b; trigger: a WHERE x is 'y'; rule: r; # note"
    assert layout(read(text).rules[0]) == (
        "Rule: r\n# note\nTrigger: a where x = y\nAction: b\nLimit: once per person\n"
    )


def test_notes_of_an_untitled_rule_do_not_become_its_title() -> None:
    text = "Trigger: a\n# note\nAction: b\n"
    assert layout(read(text).rules[0]) == text


def test_canonical_leaves_out_what_does_not_bear_on_meaning() -> None:
    assert canonical(read(PAGE).rules[0]) == PAGE.partition("abandoned-cart\n")[2]


def test_only_while_keeps_its_place_when_its_sample_was_numbered_later() -> None:
    text = "Trigger: a\nCondition: in 10% sample\nOnly while: in 20% sample\nSplit: 100%\nEnd:\n"
    assert layout(read(text).rules[0]) == text
    before = "Trigger: a\nOnly while: in 20% sample\nCondition: in 10% sample\n"
    assert layout(read(before).rules[0]) == before


def test_equal_rules_have_equal_texts() -> None:
    one = read("Trigger: a; Condition: NOT b within 1 day AND x = 'y' AND z = 1.0").rules[0]
    two = read("Trigger: a\nCondition: not b within 24h AND x is y AND z = 1").rules[0]
    assert one == two
    assert layout(one) == layout(two)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (Duration(86_400 * SECOND), "24 hours"),
        (Duration(2 * 86_400 * SECOND), "2 days"),
        (Duration(7 * 86_400 * SECOND), "7 days"),
        (Duration(36 * 3_600 * SECOND), "36 hours"),
        (Duration(5_400 * SECOND), "90 minutes"),
        (Duration(9_000 * SECOND), "2 hours 30 minutes"),
        (Duration(90 * SECOND), "90 seconds"),
        (Duration(3_600 * SECOND), "1 hour"),
        (Duration(SECOND), "1 second"),
        (Duration(0, 14), "1 year 2 months"),
        (Duration(86_400 * SECOND, 1), "1 month 24 hours"),
    ],
)
def test_durations(duration: Duration, text: str) -> None:
    assert duration_text(duration) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("order.paid", "order.paid"),
        ("two words", '"two words"'),
        ("not", '"not"'),
        ("Event", '"Event"'),
        ("person.x", '"person.x"'),
        ("3rd", '"3rd"'),
        ('say "x"', "'say \"x\"'"),
        ('it\'s "x"', '“it\'s "x"”'),
    ],
)
def test_names(name: str, text: str) -> None:
    assert name_text(name) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (nodes.Path("trigger", ("a", "b c")), 'trigger.a."b c"'),
        (nodes.Path("bare", ("a.b",)), '"a.b"'),
        (nodes.Path("event", ("person", "x")), '"person".x'),
        (nodes.Path("event", ("where",)), '"where"'),
        (nodes.Path("event", ("a", "3")), "a.3"),
    ],
)
def test_paths(path: nodes.Path, text: str) -> None:
    assert path_text(path) == text


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1"), (1.0, "1"), (0.5, "0.5"), (1e-7, "0.0000001"), (1e20, "100000000000000000000")]
)
def test_numbers(number: float, text: str) -> None:
    assert number_text(number) == text


def test_a_text_that_no_quotes_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair of quotes"):
        quoted("a\nb")


def test_a_limit_by_a_field_named_like_a_unit() -> None:
    text = 'Trigger: a\nLimit: once per "day"\n'
    assert layout(read(text).rules[0]) == text


def test_steps_and_expressions_on_one_line() -> None:
    rule = read(NESTED).rules[0]
    assert step_text(rule.steps[0]) == (
        'If: plan = free;   Split: 50% "x";     Action: b;   Split: 50%;   End:; '
        "Else if: plan = pro;   Action: c; Else:;   Action: d; End:"
    )
    condition = read("Trigger: t; Condition: (a OR b) AND NOT (c AND d)").rules[0].steps[0]
    assert isinstance(condition, nodes.Condition)
    assert expression_text(condition.expression) == "(a OR b) AND NOT (c AND d)"


def test_what_is_no_node_is_refused() -> None:
    with pytest.raises(TypeError):
        expression_text("a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        clause_text("a")
