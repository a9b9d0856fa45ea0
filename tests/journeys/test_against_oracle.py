"""The engine against the oracle: its table of examples, then rules and timelines nobody thought of."""

from __future__ import annotations

import pytest

from engine.journeys.rulebook import Settings
from engine.language import nodes, read
from tests.oracle import oracle
from tests.oracle.build import hour
from tests.oracle.examples import CASES, Case

from . import comparing


def rule_of(case: Case) -> nodes.Rule:
    (rule,) = read(case.rule).rules
    return rule


@pytest.mark.parametrize("lazy", [False, True], ids=["told", "lazy"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_example(case: Case, lazy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given = dict(case.settings)
    settings = Settings(grace=given.get("grace", 0), zone=given.get("default_zone") or "UTC")
    monkeypatch.setattr("engine.journeys.conditions.drawn", lambda rule, which, person: _drawn(case, rule, which))
    monkeypatch.setattr("engine.journeys.steps.drawn", lambda rule, which, person: _drawn(case, rule, which, "split"))
    monkeypatch.setattr("engine.journeys.steps.drawn_holdout", lambda rule, name, person: _held(case, rule, name))
    rule, until = rule_of(case), hour(case.until)
    bench = comparing.replay(rule, case.people, until, settings, given.get("live_at"), lazy=lazy)
    wanted = oracle.decide_all(rule, case.people, until, draw=case.draw, **given)
    for name in case.people:
        assert comparing.of_engine(bench, name) == comparing.of_oracle(wanted[name])


def _drawn(case: Case, rule: str, which: str | int, kind: str = "sample") -> float:
    return 100 * case.draw((None, which, 0) if isinstance(which, str) else (rule, kind, which), "p")


def _held(case: Case, rule: str, name: str | None) -> float:
    return 100 * case.draw((None, name, 0) if name else (rule, "holdout", 0), "p")
