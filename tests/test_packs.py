"""The packs in ``rules/`` and the rules in ``examples/``: they read without a finding, and do what their tests say."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language import read, read_cases
from engine.language.case_nodes import Silent
from engine.ruletests import run_tests

ROOT = Path(__file__).parents[1]
PACKS = sorted(one for one in (ROOT / "rules").glob("*.rules") if not one.name.endswith(".test.rules"))
EXAMPLES = sorted(one for one in (ROOT / "examples").rglob("*.rules") if not one.name.endswith(".test.rules"))

SEED = """\
# Welcome series
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


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_seed_rules_stand_as_they_were_given() -> None:
    assert (ROOT / "examples" / "seed.rules").read_text("utf-8") == SEED


def test_ten_packs_ship() -> None:
    assert {one.stem for one in PACKS} == {
        "abandoned-cart", "churn-risk", "onboarding", "payment-failed", "post-purchase-review", "re-engagement",
        "trial-ending", "upsell", "welcome-series", "win-back",
    }  # fmt: skip


@pytest.mark.parametrize("path", [*PACKS, *EXAMPLES], ids=name)
def test_a_file_reads_without_a_finding(path: Path) -> None:
    reading = read(path.read_text("utf-8"), name(path))
    assert [one.render(reading.source) for one in reading.diagnostics] == []


def test_the_tests_of_the_examples_pass() -> None:
    results = run_tests([ROOT / "examples"])
    assert results.files == len(EXAMPLES) - len(list((ROOT / "examples" / "counts" / "shop").glob("*.rules")))
    assert [(one.title, [fault.text for fault in one.faults]) for one in results.failed] == []
    assert results.errors == []


@pytest.mark.parametrize("path", PACKS, ids=name)
def test_every_rule_of_a_pack_says_what_it_is_and_what_to_adapt(path: Path) -> None:
    for rule in read(path.read_text("utf-8"), name(path)).rules:
        assert rule.named
        assert rule.title
        assert any(note.startswith("To adapt:") for note in rule.notes), rule.id


@pytest.mark.parametrize("path", PACKS, ids=name)
def test_every_rule_of_a_pack_has_three_tests_and_one_of_silence(path: Path) -> None:
    beside = path.with_name(f"{path.stem}.test.rules")
    reading = read_cases(beside.read_text("utf-8"), name(beside))
    assert [one.render(reading.source) for one in reading.diagnostics] == []
    for rule in read(path.read_text("utf-8"), name(path)).rules:
        cases = [case for case in reading.cases if case.rule == rule.id]
        assert len(cases) >= 3, rule.id
        assert any(all(isinstance(one, Silent) for one in case.expectations) for case in cases), rule.id


@pytest.mark.parametrize("path", PACKS, ids=name)
def test_a_pack_does_what_its_tests_say(path: Path) -> None:
    results = run_tests([path])
    assert [(one.title, [fault.text for fault in one.faults]) for one in results.failed] == []
    assert results.ok
    assert results.results
