"""What a path reads, when values compare, and totals (section 3, rulings 2 and 36)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from engine.journeys import values
from engine.journeys.values import Operand
from engine.language import nodes

FIELDS = {"a": {"b": {"c": 1}}, "items": [{"sku": "s1", "tags": ["x"]}, {"sku": "s2"}, 3], "none": None, "flat": 5}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("flat", 5),
        ("a.b.c", 1),
        ("a.b.z", None),
        ("flat.deeper", None),
        ("absent", None),
        ("none", None),
        ("items.sku", ["s1", "s2"]),
        ("items.tags", [["x"]]),
        ("items.absent", None),
    ],
)
def test_a_path(path: str, found: object) -> None:
    assert values.read(FIELDS, tuple(path.split("."))) == found


Row = tuple[Any, nodes.Operator, Any, bool]
ROWS: list[Row] = [
    (5, "=", 5, True),
    (5, "=", 5.0, True),
    (5, "=", "5", False),
    ("5", "=", 5, False),
    ("free", "=", "Free", False),
    (True, "=", 1, False),
    (1, "=", True, False),
    (True, "=", True, True),
    (None, "=", 5, False),
    (None, "!=", 5, True),
    (5, "!=", 5, False),
    ("5", "!=", 5, True),
    (["a", "b"], "=", "b", True),
    (["a", "b"], "!=", "b", False),
    ([["a"], ["b"]], "=", "b", True),
    ([], "=", "b", False),
    ([], "!=", "b", True),
    ({"a": 1}, "=", "a", False),
    (None, "is set", None, False),
    (0, "is set", None, True),
    ("", "is set", None, True),
    (None, "is not set", None, True),
    (0, "is not set", None, False),
    (5, ">", 4, True),
    (5, ">", 5, False),
    (5, ">=", 5, True),
    (4.5, "<", 5, True),
    (5, "<=", 4, False),
    (True, ">", 0, False),
    ("5", ">", 4, False),
    ("b", ">", "a", False),
    (None, "<", 4, False),
    ([1, 9], ">", 5, True),
    ("2026-01-02", ">", "2026-01-01", True),
    ("2026-01-02", ">=", "2026-01-02T00:00:00Z", True),
    ("2026-01-02T01:00+02:00", "<", "2026-01-02", True),
    ("2026-01-02", ">", "soon", False),
    ("09:30", "<", "10:00", True),
    ("09:30", "<", "2026-01-01", False),
    ("hello", "contains", "ell", True),
    ("hello", "contains", "ELL", False),
    (["a", "b"], "contains", "b", True),
    (["ab"], "contains", "a", False),
    (["1"], "contains", 1, False),
    (5, "contains", 5, False),
    (None, "contains", "a", False),
    ("hello", "starts with", "he", True),
    ("hello", "starts with", "lo", False),
    ("hello", "ends with", "lo", True),
    (["x", "hello"], "ends with", "lo", True),
    (5, "starts with", "5", False),
    (None, "ends with", "a", False),
]


@pytest.mark.parametrize(("left", "operator", "right", "held"), ROWS, ids=str)
def test_ruling_36(left: Any, operator: nodes.Operator, right: Any, held: bool) -> None:
    sides = [] if "set" in operator else [Operand(right)]
    assert values.holds(left, operator, sides, datetime.UTC) is held


@pytest.mark.parametrize(
    ("left", "operator", "right", "held"),
    [
        (2, "in", (1, 2), True),
        (3, "in", (1, 2), False),
        (None, "in", (1, 2), False),
        (None, "not in", (1, 2), True),
        (2, "not in", (1, 2), False),
        ([3, 2], "in", (1, 2), True),
        (1, "between", (1, 5), True),
        (5, "between", (1, 5), True),
        (6, "between", (1, 5), False),
        ("3", "between", (1, 5), False),
        (None, "between", (1, 5), False),
        ([0, 6], "between", (1, 5), False),
        ("2026-01-05", "between", ("2026-01-01", "2026-01-05"), True),
    ],
    ids=str,
)
def test_ruling_36_with_several_sides(left: Any, operator: nodes.Operator, right: tuple[Any, ...], held: bool) -> None:
    assert values.holds(left, operator, [Operand(one) for one in right], datetime.UTC) is held


@pytest.mark.parametrize(
    ("left", "bare", "held"),
    [(True, True, True), ("true", True, True), (True, False, True), ("true", False, False), ("True", True, False)],
)
def test_ruling_36_bare_true_equals_the_boolean_and_that_text(left: Any, bare: bool, held: bool) -> None:
    assert values.holds(left, "=", [Operand(True, bare=bare)], datetime.UTC) is held
    assert values.holds([left], "contains", [Operand(True, bare=bare)], datetime.UTC) is held


@pytest.mark.parametrize(
    ("left", "right", "held"),
    [(7, "7", True), ("7", 7, True), (7, "07", False), (7.0, "7", False), (7.5, "7.5", False), (True, "1", False)],
)
def test_section_3_against_the_trigger_a_whole_number_equals_its_own_digits(left: Any, right: Any, held: bool) -> None:
    assert values.holds(left, "=", [Operand(right, correlated=True)], datetime.UTC) is held
    assert values.holds(left, "=", [Operand(right)], datetime.UTC) is False


@pytest.mark.parametrize(
    ("function", "given", "found"),
    [
        ("sum", [], 0),
        ("sum", [1, 2.5, "3", None, True], 3.5),
        ("sum", [[1, 2], 3], 6),
        ("sum", [0.1] * 10, 1.0),
        ("sum", [10**20, 1, -(10**20)], 1),
        ("average", [], None),
        ("average", ["x"], None),
        ("average", [1, 2, "x"], 1.5),
        ("min", [], None),
        ("min", [3, 1, "0"], 1),
        ("max", [], None),
        ("max", [3, 1, True], 3),
        ("count", [], 0),
        ("count", [{}, {}], 2),
        ("count of different", [], 0),
        ("count of different", ["x", "x", None, ["y", "x"]], 2),
        ("count of different", [1, 1.0, "1", True], 3),
    ],
)
def test_ruling_2_totals(function: str, given: list[Any], found: float | None) -> None:
    assert values.total(function, given) == found


@pytest.mark.parametrize(
    ("value", "name"), [(None, "none"), ("c1", "c1"), (1, "1"), (True, "true"), ({"b": 1, "a": 2}, '{"a": 2, "b": 1}')]
)
def test_a_value_as_text(value: Any, name: str) -> None:
    assert values.text(value) == name
