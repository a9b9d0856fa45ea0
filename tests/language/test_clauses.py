"""Blocks, titles, notes, comments, continuation lines, quotes: what is settled before any grammar is asked."""

from __future__ import annotations

import pytest

from engine.language import Reading, nodes, read, read_cases
from engine.language.limits import Limits
from engine.language.source import decoded

SEED = """# Welcome series
Trigger: signed_up

# Abandoned cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours

# Re-engagement
Trigger: None
Condition: NOT logged_in within 30 days

# Upsell
Trigger: feature_limit_reached
Condition: plan = 'free'
"""


def clean(text: str) -> Reading:
    reading = read(text)
    assert reading.diagnostics == ()
    return reading


def codes(text: str, limits: Limits | None = None) -> list[str]:
    return [found.code for found in read(text, limits=limits).diagnostics]


def test_the_four_rules_everything_starts_from() -> None:
    rules = clean(SEED).rules
    assert [rule.title for rule in rules] == ["Welcome series", "Abandoned cart", "Re-engagement", "Upsell"]
    assert [rule.id for rule in rules] == ["welcome-series", "abandoned-cart", "re-engagement", "upsell"]
    assert [type(rule.trigger) for rule in rules] == [
        nodes.EventTrigger,
        nodes.EventTrigger,
        nodes.NoTrigger,
        nodes.EventTrigger,
    ]


def test_they_also_read_without_the_blank_lines_between_them() -> None:
    reading = read(SEED.replace("\n\n", "\n"))
    assert reading.ok
    assert reading.rules == clean(SEED).rules
    assert {found.code for found in reading.diagnostics} == {"no-blank-line"}


def test_the_form_on_one_line() -> None:
    (rule,) = clean("Trigger: cart_updated; Condition: NOT purchase_completed within 24h").rules
    assert rule.steps == clean(SEED).rules[1].steps


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert clean(SEED.replace("\n", end)).rules == clean(SEED).rules


@pytest.mark.parametrize("text", ["Trigger: a", "# Cart\nTrigger: a", "; Trigger: a"])
def test_a_byte_order_mark_is_no_part_of_the_text(text: str) -> None:
    assert clean(decoded(b"\xef\xbb\xbf" + text.encode())).rules == clean(text).rules


def test_only_the_first_byte_order_mark_is_left_out() -> None:
    assert decoded(b"\xef\xbb\xbf" * 2 + b"a") == "\ufeffa"


@pytest.mark.parametrize(
    ("data", "place"),
    [
        pytest.param("Trigger: a\nCondition: miasto = Łódź".encode("cp1250"), (2, 21), id="cp1250"),
        pytest.param("# ł\nTrigger: a # ł".encode() + b"\xb3", (2, 15), id="counted in characters"),
        pytest.param("Trigger: a".encode("utf-16"), (1, 1), id="utf-16"),
        pytest.param("Trigger: ł".encode()[:-1], (1, 10), id="cut off"),
        pytest.param(b"\xef\xbb\xbfTrigger: \xb3\xb3\xb3\nTriger: b", (1, 10), id="behind a mark"),
    ],
)
def test_bytes_that_are_no_utf_8_are_one_error_at_the_first(data: bytes, place: tuple[int, int]) -> None:
    for reading in (read(decoded(data)), read_cases(decoded(data))):
        (found,) = reading.diagnostics
        assert found.code == "not-utf-8"
        assert reading.source.place(found.span[0]) == place
        assert "�" in found.render(reading.source)
    assert read(decoded(data)).rules == ()


def test_indentation_and_blanks_do_not_matter() -> None:
    assert (
        clean("  trigger :  a  \n\t condition:NOT b within 1 day ").rules
        == clean("Trigger: a\nCondition: NOT b within 1 day").rules
    )


def test_a_line_without_a_word_continues_the_one_above() -> None:
    text = "Trigger: a\nCondition: NOT b\n  # in the first days\n  within 1 day\n\n  AND NOT c within 1 day"
    (rule,) = clean(text).rules
    assert rule.steps == clean("Trigger: a; Condition: NOT b within 1 day AND NOT c within 1 day").rules[0].steps
    assert rule.notes == ("in the first days",)


def test_title_and_notes() -> None:
    (rule,) = clean("#\n# Cart\n#  One mail.\n#\n# Two.\nTrigger: a # at once\n# More.\nAction: b").rules
    assert rule.title == "Cart"
    assert rule.notes == ("One mail.", "", "Two.", "at once", "More.")


def test_a_comment_below_the_first_line_is_no_title() -> None:
    (rule,) = clean("Trigger: a\n# note").rules
    assert (rule.title, rule.notes) == (None, ("note",))


def test_a_blank_line_detaches_a_comment() -> None:
    (rule,) = clean("# Section\n\nTrigger: a").rules
    assert rule.title is None
    assert rule.notes == ()


def test_a_block_without_rule_or_trigger_continues_the_rule_above() -> None:
    text = "# Cart\nTrigger: a\n\n# after a day\n\n# write\nWait: 1 day\nAction: b\n\n# Next\n\n# Other\nTrigger: c"
    first, second = clean(text).rules
    assert first.notes == ("after a day", "write")
    assert len(first.steps) == 2
    assert (second.title, second.notes) == ("Other", ())


def test_a_rule_spans_from_its_title_to_its_last_word() -> None:
    text = "\n\n# Cart\nTrigger: a \n\nAction: b  # now\n\n\n# Other\nTrigger: c"
    rule = clean(text).rules[0]
    assert text[slice(*rule.span)] == "# Cart\nTrigger: a \n\nAction: b  # now"


def test_marks_inside_quotes_are_text() -> None:
    (rule,) = clean("Trigger: a\nCondition: x = 'a; # Wait: b' AND y = “c; d” AND z = a#b").rules
    assert len(rule.steps) == 1


def test_an_unclosed_quote_ends_with_its_line() -> None:
    assert codes("Trigger: 'a\nCondition: b wihtin 3 days") == ["unclosed-quote", "syntax"]


def test_rule_gives_the_identity() -> None:
    (rule,) = clean("# Cart\nRule: cart.v2\nTrigger: a").rules
    assert (rule.id, rule.named, rule.title) == ("cart.v2", True, "Cart")


def test_without_title_the_identity_comes_from_what_the_rule_does() -> None:
    (first,) = clean("Trigger: a; Action: b").rules
    (second,) = clean("Trigger :  a\n# note\nAction: 'b'").rules
    (third,) = clean("Trigger: a; Action: c").rules
    assert first.id == second.id != third.id
    assert first.id.startswith("rule-")


@pytest.mark.parametrize(
    ("title", "identity"), [("Abandoned cart!", "abandoned-cart"), ("Żółw — 2 dni", "żółw-2-dni"), ("a_b.c", "a-b-c")]
)
def test_identities_of_titles(title: str, identity: str) -> None:
    assert clean(f"# {title}\nTrigger: a").rules[0].id == identity


def test_a_title_of_signs_alone_gives_no_identity() -> None:
    assert clean("# !!!\nTrigger: a").rules[0].id.startswith("rule-")


# ------------------------------------------------------------------------------------------------ caps


def test_a_file_has_a_largest_size() -> None:
    assert codes("Trigger: a", Limits(file_size=5)) == ["file-too-large"]
    assert codes("Trigger: ż", Limits(file_size=10)) == ["file-too-large"]
    assert codes("Trigger: ż", Limits(file_size=11)) == []


def test_a_clause_has_a_greatest_length() -> None:
    text = "Trigger: a\nCondition: x = " + "y" * 10_000
    assert codes(text) == ["clause-too-long"]


def test_a_file_holds_so_many_rules() -> None:
    text = "Trigger: a\n\nTrigger: b\n\nTrigger: c"
    reading = read(text, limits=Limits(rules=2))
    assert [found.code for found in reading.diagnostics] == ["too-many-rules"]
    assert len(reading.rules) == 2


@pytest.mark.parametrize("nest", ["NOT " * 51 + "a", "(" * 51 + "a" + ")" * 51, "NOT (" * 26 + "a" + ")" * 26])
def test_nesting_has_a_cap(nest: str) -> None:
    assert codes(f"Trigger: t\nCondition: {nest}") == ["too-deep"]


def test_many_brackets_side_by_side_are_fine() -> None:
    text = " AND ".join(["NOT (a AND NOT b)"] * 40)
    assert read(f"Trigger: t\nWait: 1 day\nCondition: {text}").ok
