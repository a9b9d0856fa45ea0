"""Reading as a whole: memory, linear work, and that nothing a user can write raises."""

from __future__ import annotations

import random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language import Reading, layout, read, read_cases, reader
from engine.language.catalog import Catalog
from engine.language.limits import Limits

RULE = """# Cart {n}
Trigger: cart_updated{n} where cart_total >= {n}
Condition: NOT purchase_completed within {n} hours
Action: send_email "cart{n}"
"""


def file_of(count: int) -> str:
    return "\n".join(RULE.replace("{n}", str(number)) for number in range(1, count + 1))


def clauses_parsed(text: str) -> int:
    with patch.object(reader, "parse", wraps=reader.parse) as parse:
        read(text)
    return parse.call_count


def test_an_unchanged_file_is_not_parsed_again() -> None:
    text = file_of(40)
    first = read(text)
    with patch.object(reader, "_judge") as judged:
        again = read(text)
    judged.assert_not_called()
    assert all(one is other for one, other in zip(first.rules, again.rules, strict=True))


def test_an_edit_parses_only_what_it_changed() -> None:
    text = file_of(40)
    read(text)
    assert clauses_parsed("# A new rule\nTrigger: quite_new\nWait: 77 days\n\n" + text) == 2


def test_a_moved_rule_keeps_its_meaning_and_gets_new_places() -> None:
    text = file_of(3)
    moved = read("Trigger: other\n\n" + text)
    assert moved.rules[1:] == read(text).rules
    for rule in moved.rules[1:]:
        assert moved.source.text[slice(*rule.trigger.span)].startswith("cart_updated")


def test_a_moved_rule_is_not_parsed_again() -> None:
    text = "# Sampled\nTrigger: s\nCondition: in 5% sample AND in 6% sample\nWait: 99 minutes\n"
    (rule,) = read(text).rules
    assert clauses_parsed("Trigger: other\n\n" + text) <= 1
    assert read("Trigger: other\n\n" + text).rules[1] == rule


def test_findings_move_along() -> None:
    text = "Trigger: a\nCondition: NOT b within 24 houres\n"
    for prefix in ("", "Trigger: c\n\n"):
        (found,) = read(prefix + text).diagnostics
        assert (prefix + text)[slice(*found.span)] == "houres"
        assert found.fix
        assert (prefix + text)[slice(*found.fix.span)] == "houres"


def test_work_grows_with_the_file_and_no_faster() -> None:
    """Calls of the scanner and the parser, counted instead of timed."""
    for count in (100, 400):
        with patch.dict(reader._judged, clear=True):
            assert clauses_parsed(file_of(count)) == 3 * count


@pytest.mark.parametrize("unit", ["“", "'", '"a" ', "#", ";", "(", "a ", "\n", "a: ", "NOT ", "=", "# x\n", "«»"])
def test_odd_files_of_full_size_are_read_in_time(unit: str) -> None:
    """Half the size takes about half the time; a quadratic scan of these would take minutes."""
    text = unit * (900_000 // len(unit))
    assert isinstance(read(text[:300_000]), Reading)


def test_clauses_that_lack_their_colons_are_told_apart_so_many_times_and_no_more() -> None:
    text = "Trigger: a\nAction: b\n" + "End\n" * 2_000
    with patch.object(reader, "parse", wraps=reader.parse) as parse:
        found = read(text).diagnostics
    assert parse.call_count <= 2 * Limits().nesting + 3
    assert sum(one.code == "missing-colon" for one in found) == Limits().nesting + 1


def test_a_rule_with_a_mistake_is_written_and_not_among_those_that_can_run() -> None:
    reading = read("# Good\nTrigger: a\n\n# Bad\nTrigger: b\nWait: 3 dayz\nAction: c\n\nTags: d\n\nRule: e\n")
    assert [rule.id for rule in reading.rules] == ["good"]
    assert [rule.id for rule in reading.written] == ["good", "bad", "e"]
    assert reading.written[1].tags == ("d",)


def test_nobody_can_tell_the_identity_of_a_rule_whose_name_cannot_be_read() -> None:
    reading = read("# Cart\nTrigger: a\n\n# Cart\nRule: b c\nTrigger: b\n\nTrigger: c\nWait: 3 dayz\n")
    assert [rule.id for rule in reading.written] == ["cart", "", ""]
    assert [found.code for found in reading.diagnostics] == ["several-words", "unknown-unit"]


def test_what_is_known_of_a_broken_rule_moves_along() -> None:
    text = "Trigger: a\nWait: 3 dayz\nCondition: b before any c\n"
    for prefix in ("", "Trigger: d\n\n"):
        reading = read(prefix + text)
        assert [found.code for found in reading.diagnostics] == ["unknown-unit", "race-without-window"]
        span = reading.diagnostics[1].span
        assert reading.source.text[slice(*span)] == "b before any c"


def test_one_rule_taken_elsewhere_is_refused() -> None:
    reading = read("# Cart\nTrigger: a")
    refused = reading.refusing(reading.rules[0], "other.rules")
    assert not refused.ok
    assert refused.diagnostics[0].code == "duplicate-id"
    assert "other.rules" in refused.diagnostics[0].message


def test_the_catalog_is_asked_anew_for_a_remembered_rule() -> None:
    text = "Trigger: cart_updated\nAction: send"
    assert read(text).diagnostics == ()
    known = Catalog(actions=frozenset({"send_email"}))
    assert [found.code for found in read(text, catalog=known).diagnostics] == ["unknown-action"]


# ------------------------------------------------------------------------------------------------ fuzz

WORDS = [
    *("Trigger:", "Condition:", "Wait:", "Action:", "If:", "Else:", "Else if:", "End:", "Split:", "Limit:", "Rule:"),
    *(
        "NOT",
        "AND",
        "OR",
        "(",
        ")",
        '"',
        "'",
        "“",
        "”",
        "„",
        "«",
        ";",
        "#",
        "a",
        "b",
        "where",
        "same",
        "then",
        "within",
    ),
    *("3", "days", "in the last", "in the next", "since", "trigger", "at least", "2", "times", "more than", "ago", "="),
    *(
        "!=",
        ">=",
        "<",
        ",",
        "is",
        "set",
        "not in",
        "between",
        "contains",
        "10%",
        "sample",
        "sum of",
        "count of",
        "from",
    ),
    *(
        "person.x",
        "trigger.y",
        "09:00",
        "2026-13-40",
        "every",
        "day",
        "monday",
        "until",
        "for at most",
        "or now",
        "set",
    ),
    *("track", "with", "to", "once", "per", "over all people", "9" * 40, "-3", "hours", "0", "none", "x.y", ".", "..."),
    *("1h30m", "24houres", "!a", "a&&b", "\\", "é", "ß", "ſ", "İ", "𝒳", "٣", "before any", "any event", "except"),
    *("\n", "\n\n", "\t", "\r", "\x00", "\u2028", "\ufeff", '"q q"', "exactly", "different", "Goal:", "last"),
]


def survives(text: str) -> None:
    """Reading, showing and laying out a text works, whatever it is."""
    reading = read(text)
    read_cases(text)
    for found in reading.diagnostics:
        assert 0 <= found.span[0] <= found.span[1] <= len(text)
        assert found.render(reading.source)
        assert found.to_dict(reading.source)["line"] >= 1
    for rule in reading.rules:
        assert read(layout(rule)).rules == (rule,)


@settings(max_examples=300)
@given(st.text())
def test_any_text(text: str) -> None:
    survives(text)
    survives(f"Trigger: a\nCondition: {text}")


@pytest.mark.parametrize("seed", range(20))
def test_words_of_the_language_in_any_order(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        start = draw.choice(["", "Trigger: a\n", "Trigger: a; Condition: "])
        count = draw.randint(1, 25)
        survives(start + draw.choice([" ", ""]).join(draw.choice(WORDS) for _ in range(count)))
