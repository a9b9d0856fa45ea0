"""The page on templates: its rule reads, its Liquid renders, and no setting, code or variable is missing from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.delivery_settings import TemplateSettings
from engine.language import read
from engine.templates.analysis import ROOTS
from engine.templates.checking import look_over
from engine.templates.codes import CODES
from engine.templates.dialect import BRACKETS, DEPTH
from engine.templates.filters import FILTERS
from engine.templates.rendering import Facts, Renderer

from .pages import ROOT, Block, blocks, named

PAGE = ROOT / "docs" / "templates.md"
TEXT = PAGE.read_text("utf-8")
(RULE,) = blocks(PAGE, "rules")
LIQUID = blocks(PAGE, "liquid")
MADE = {
    0: "Hello there,\n\nwe take 20% off.\n- Cup\n- Hat\n\n",
    1: "1 March 2026, 23:30\n",
}


@pytest.mark.parametrize(("place", "block"), list(enumerate(LIQUID)), ids=[named(block) for block in LIQUID])
def test_every_template_makes_what_it_says(tmp_path: Path, place: int, block: Block) -> None:
    (tmp_path / "winback.txt").write_text(block.text)
    settings = TemplateSettings(folder=tmp_path)
    assert look_over(settings, [read(RULE.text)], lambda _: False).findings == ()
    variables = {
        "person": {"timezone": "Europe/Warsaw"},
        "trigger": {"items": [{"name": "Cup"}, {"name": "Hat"}]},
        "with": {"discount": 20},
        "journey": {"start": 1_772_404_200_000_000},
    }
    made = Renderer(settings).render("winback", Facts(variables, 0))
    assert made is not None
    assert made.text == MADE[place]


def test_the_rule_reads() -> None:
    assert [one.message for one in read(RULE.text).diagnostics if one.severity == "error"] == []


def test_a_value_that_looks_like_liquid_is_shown_as_it_would_be(tmp_path: Path) -> None:
    (written,) = re.findall(r"first name is `(.+?)`", TEXT)
    (tmp_path / "t.txt").write_text("{{ person.first_name }}")
    made = Renderer(TemplateSettings(folder=tmp_path)).render("t", Facts({"person": {"first_name": written}}, 0))
    assert made is not None
    assert made.text == written


def test_every_setting_is_listed_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", TEXT, re.MULTILINE)
    fields = TemplateSettings.model_fields
    assert rows == [(name, str(one.default), one.description) for name, one in fields.items()]


def test_every_code_is_listed() -> None:
    rows = re.findall(r"^\| `(template-[a-z-]+)` \| (\w+) \| (.*) \|$", TEXT, re.MULTILINE)
    assert rows == [(name, one.severity, one.meaning) for name, one in CODES.items()]


def test_every_variable_and_filter_is_named() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT.split("| Variable |")[1].split("\n\n")[0], re.MULTILINE) == list(ROOTS)
    ours = TEXT.split("## Filters and tags")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", ours)) == set(FILTERS)


def test_how_deep_and_how_many() -> None:
    told = TEXT.replace("\n", " ")
    assert f"Templates take in one another {DEPTH} deep, and blocks stand in one another {DEPTH} deep." in told
    assert f"An expression opens at most {BRACKETS:,} brackets." in told


@pytest.mark.parametrize("option", ["--rule", "--with", "--trigger", "--language", "--html", "--format"])
def test_the_options_that_are_told_are_there(option: str) -> None:
    assert option in TEXT
    assert option in CliRunner().invoke(app, ["preview", "--help"]).stdout
