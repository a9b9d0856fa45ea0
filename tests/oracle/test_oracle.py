"""The oracle against the table of examples."""

from __future__ import annotations

import pytest

from engine.language import nodes, read

from .build import ev, hour
from .examples import CASES, Case, describe
from .oracle import decide_all


def rule_of(case: Case) -> nodes.Rule:
    reading = read(case.rule)
    assert reading.ok, "\n".join(str(found) for found in reading.diagnostics)
    (rule,) = reading.rules
    return rule


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_example(case: Case) -> None:
    decided = decide_all(rule_of(case), case.people, hour(case.until), draw=case.draw, **case.settings)
    found = {name: [describe(one, case.steps, case.iso) for one in journeys] for name, journeys in decided.items()}
    assert found == {name: list(journeys) for name, journeys in case.answers.items()}


def test_names_of_examples_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("shuffle", [0, 1])
def test_entries_may_come_in_any_order(shuffle: int) -> None:
    rule = rule_of(CASES[1])
    entries = [ev(0, "cart_updated"), ev(3, "purchase_completed"), ev(30, "cart_updated")]
    given = entries if shuffle else entries[::-1]
    found = decide_all(rule, {"p": given}, hour(100))["p"]
    assert [describe(one) for one in found] == ["0 false@3", "30 match@54 finished@54"]
