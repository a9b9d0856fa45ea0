"""The language page: every example reads, and nothing of the language is missing from it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from engine.journeys.journey import Reason
from engine.language import layout, read, read_cases
from engine.language.codes import CODES
from engine.language.words import CASE_CLAUSES, CLAUSES, UNITS
from engine.ruletests import run_tests

from .pages import LANGUAGE, Block, anchors, blocks, named

TEXT = LANGUAGE.read_text("utf-8")


@pytest.mark.parametrize("block", blocks(LANGUAGE, "rules"), ids=named)
def test_rules_read_without_errors(block: Block) -> None:
    reading = read(block.text, f"{LANGUAGE.name}:{block.line}")
    assert [one.render(reading.source) for one in reading.diagnostics if one.severity == "error"] == []
    assert reading.rules


@pytest.mark.parametrize("block", blocks(LANGUAGE, "test-rules"), ids=named)
def test_cases_read_without_errors(block: Block) -> None:
    reading = read_cases(block.text, f"{LANGUAGE.name}:{block.line}")
    assert [one.render(reading.source) for one in reading.diagnostics] == []
    assert reading.cases


@pytest.mark.parametrize("block", blocks(LANGUAGE, "test-rules"), ids=named)
def test_cases_pass(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each against the rule of its name that the page showed last."""
    monkeypatch.chdir(tmp_path)
    shown = {
        rule.id: rule for one in blocks(LANGUAGE, "rules") if one.line < block.line for rule in read(one.text).rules
    }
    wanted = dict.fromkeys(case.rule for case in read_cases(block.text).cases)
    (tmp_path / "page.rules").write_text("\n".join(layout(replace(shown[id], named=True)) for id in wanted))
    (tmp_path / "page.test.rules").write_text(block.text)
    results = run_tests([tmp_path])
    assert results.results
    assert [(one.title, [fault.text for fault in one.faults]) for one in results.failed] == []
    assert results.ok


def test_the_page_opens_with_the_four_seed_rules() -> None:
    seed = (LANGUAGE.parents[1] / "examples" / "seed.rules").read_text("utf-8")
    assert blocks(LANGUAGE, "rules")[0].text == seed


@pytest.mark.parametrize("word", [one.word for one in (*CLAUSES.values(), *CASE_CLAUSES.values())])
def test_every_clause_is_described(word: str) -> None:
    assert re.search(rf"`{word}:", TEXT), f"no '{word}:' in backquotes on the page"


@pytest.mark.parametrize("word", [word for unit in UNITS for word in unit.words])
def test_every_unit_is_listed(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("code", CODES)
def test_every_message_is_listed_under_its_severity(code: str) -> None:
    errors, warnings = TEXT.split("| error | what it means |")[1].split("| warning | what it means |")
    row = f"| `{code}` | {CODES[code].meaning} |"
    assert row in (errors if CODES[code].severity == "error" else warnings)


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_way_a_journey_ends_is_named(reason: str) -> None:
    assert f"`{reason}`" in TEXT


def test_links_inside_the_page_lead_somewhere() -> None:
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors(LANGUAGE)
