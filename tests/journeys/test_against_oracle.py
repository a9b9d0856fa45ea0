"""The engine against the oracle: its table of examples, then rules and timelines nobody thought of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journeys.rulebook import Settings
from engine.language import nodes, read
from tests.oracle import oracle
from tests.oracle.build import hour
from tests.oracle.examples import CASES, Case
from tests.oracle.strategies import KERNEL, Features, crowds, ends, quiet_settings, rules

from . import comparing


def rule_of(case: Case) -> nodes.Rule:
    (rule,) = read(case.rule).rules
    return rule


@pytest.mark.parametrize("lazy", [False, True], ids=["told", "lazy"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_example(case: Case, lazy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = dict(case.settings)
    zone, quiet = chosen.get("default_zone") or "UTC", chosen.get("quiet", ())
    workspace = Settings(grace=chosen.get("grace", 0), zone=zone, quiet=quiet)
    monkeypatch.setattr("engine.journeys.conditions.drawn", lambda rule, which, person: _drawn(case, rule, which))
    monkeypatch.setattr("engine.journeys.steps.drawn", lambda rule, which, person: _drawn(case, rule, which, "split"))
    monkeypatch.setattr("engine.journeys.steps.drawn_holdout", lambda rule, name, person: _held(case, rule, name))
    rule, until = rule_of(case), hour(case.until)
    bench = comparing.replay(rule, case.people, until, workspace, chosen.get("live_at"), lazy=lazy)
    wanted = oracle.decide_all(rule, case.people, until, draw=case.draw, **chosen)
    for name in case.people:
        assert comparing.of_engine(bench, name) == comparing.of_oracle(wanted[name])


def _drawn(case: Case, rule: str, which: str | int, kind: str = "sample") -> float:
    return 100 * case.draw((None, which, 0) if isinstance(which, str) else (rule, kind, which), "p")


def _held(case: Case, rule: str, name: str | None) -> float:
    return 100 * case.draw((None, name, 0) if name else (rule, "holdout", 0), "p")


# -------------------------------------------------------------------------------- random rules and people

THOROUGH = settings(max_examples=400)
CONSENT_STEPS = ("action", "condition", "wait", "event", "set")
PARTS = {
    "kernel": KERNEL,
    "conditions": Features(triggers=("event",), steps=("action", "condition"), policies=("again",)),
    "steps": Features(triggers=("event",), policies=("again",)),
    "policies": Features(triggers=("event",), steps=("action", "wait", "condition")),
    "none": Features(triggers=("none",)),
    "schedule": Features(triggers=("schedule",)),
    "consent": Features(
        items=("happened", "count", "fact"),
        steps=CONSENT_STEPS,
        policies=("again", "exit", "quiet", "purpose"),
        consent=4,
    ),
    "everything": Features(several_people=True, months=True, own_actions=True),
}


Quiet = tuple[nodes.QuietHours, ...]


def agree(rule: nodes.Rule, people: comparing.People, until: int, quiet: Quiet = (), *, lazy: bool = False) -> None:
    bench = comparing.replay(rule, people, until, Settings(quiet=quiet), lazy=lazy)
    wanted = oracle.decide_all(rule, people, until, draw=comparing.draw, quiet=quiet)
    for name in people:
        assert comparing.of_engine(bench, name) == comparing.of_oracle(wanted[name])


@pytest.mark.parametrize("part", PARTS)
@THOROUGH
@given(data=st.data())
def test_random(part: str, data: st.DataObject) -> None:
    features = PARTS[part]
    rule, people, until = data.draw(rules(features)), data.draw(crowds(features)), data.draw(ends())
    agree(rule, people, until, data.draw(quiet_settings()), lazy=data.draw(st.booleans()))
