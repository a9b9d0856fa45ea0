"""How a finding is shown, and the small tools behind it."""

from __future__ import annotations

import pytest

from engine.language import Diagnostic, nodes, read
from engine.language.diagnostics import Fix
from engine.language.renames import renamed
from engine.language.source import Place, Source
from engine.language.suggest import distance, nearest


def shown(text: str, span: tuple[int, int], help_: str | None = None) -> list[str]:
    return Diagnostic("syntax", "error", "odd", span, help_).render(Source("a.rules", text)).splitlines()


def test_place_line_caret_and_help() -> None:
    assert shown("Trigger: a\nWait: b", (17, 18), "write 2 days") == [
        "a.rules:2:7: error: odd [syntax]",
        " 2 | Wait: b",
        "   |       ^",
        "   = help: write 2 days",
    ]


def test_the_caret_stands_under_wide_and_combining_letters_and_tabs() -> None:
    assert shown("\t日本 e\u0301 x", (7, 8))[2] == "   | \t       ^"
    assert shown("日本", (0, 2))[2] == "   | ^^^^"


def test_a_long_line_is_cut_around_the_caret() -> None:
    line = shown("x" * 500 + "Y" + "x" * 500, (500, 501))
    assert len(line[1]) < 130
    assert line[1][line[2].index("^")] == "Y"


def test_what_cannot_be_printed_is_marked() -> None:
    assert "a�b" in shown("a\x00b", (0, 1))[1]


def test_a_finding_as_data() -> None:
    found = Diagnostic("syntax", "error", "odd", (11, 15), "do", Fix((11, 15), "Wait:"))
    assert found.to_dict(Source("a.rules", "Trigger: a\nWiat b")) == {
        "code": "syntax",
        "severity": "error",
        "message": "odd",
        "help": "do",
        "file": "a.rules",
        "line": 2,
        "column": 1,
        "end_line": 2,
        "end_column": 5,
        "fix": {"start": 11, "end": 15, "text": "Wait:"},
    }


def test_findings_come_in_the_order_of_the_file() -> None:
    reading = read("Trigger: a where\n\nTrigger: b; Wait: 3 dayz; Wait: 25 h 4\n\n# b\nTrigger: c\n\n# b\nTrigger: d")
    starts = [found.span for found in reading.diagnostics]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("offset", "place"),
    [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (4, (3, 1)), (5, (4, 1)), (99, (4, 2)), (-1, (1, 1))],
)
def test_lines_and_columns(offset: int, place: tuple[int, int]) -> None:
    assert Source("", "a\n\r\n\rb").place(offset) == Place(*place)


def test_lines() -> None:
    source = Source("", "a\nb\r\nc\rd")
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [("adn", "and", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ca", "abc", 3)],
)
def test_distance(first: str, second: str, steps: int) -> None:
    assert distance(first, second) == distance(second, first) == steps


@pytest.mark.parametrize(
    ("word", "known", "best"),
    [("adn", ["and", "or"], "and"), ("houres", ["hours", "hour"], "hours"), ("xyz", ["and"], None), ("a", ["b"], None)],
)
def test_nearest(word: str, known: list[str], best: str | None) -> None:
    assert nearest(word, known) == best


def rules(text: str) -> tuple[nodes.Rule, ...]:
    return read(text).rules


def test_a_title_that_changed_without_a_name() -> None:
    live = rules("# Cart\nTrigger: a\n\n# Other\nTrigger: b")
    found = renamed(live, rules("# Abandoned cart\nTrigger: a\n\n# Other\nTrigger: b"))["abandoned-cart"]
    assert found.code == "renamed"
    assert found.help == "add 'Rule: cart' to keep its state"


@pytest.mark.parametrize(
    "text", ["# Cart\nTrigger: a", "# Abandoned\nRule: cart\nTrigger: a", "# New\nTrigger: c", "# Cart\nTrigger: c"]
)
def test_what_is_no_rename(text: str) -> None:
    assert renamed(rules("# Cart\nTrigger: a"), rules(text)) == {}
