"""The page on event types: its program runs, and nothing that is set, compared or raised is missing from it."""

from __future__ import annotations

import re

import pytest

from engine import errors
from engine.schemas.predefined import PREDEFINED
from engine.schemas.settings import TypeSettings
from engine.schemas.subset import ANNOTATIONS, COMPARED

from .pages import ROOT, blocks

PAGE = ROOT / "docs" / "event-types.md"
TEXT = PAGE.read_text("utf-8")


def test_the_program_runs_and_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks(PAGE, "python")
    exec(compile(block.text, PAGE.name, "exec"), {})
    assert re.fullmatch(r"evt-type_[0-9A-Z]{26} Missing required field: orderId\n", capsys.readouterr().out)


@pytest.mark.parametrize("name", TypeSettings.model_fields)
def test_every_setting_is_listed_with_its_default_and_meaning(name: str) -> None:
    setting = TypeSettings.model_fields[name]
    assert f"| `{name}` | `{setting.default}` | {setting.description} |" in TEXT


@pytest.mark.parametrize("word", sorted((COMPARED | ANNOTATIONS) - {"$schema"}))
def test_every_keyword_that_is_known_is_named(word: str) -> None:
    assert f"`{word}`" in TEXT.split("### What is compared")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", PREDEFINED)
def test_every_predefined_type_is_named(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("kind", errors.EventTypeError.__subclasses__(), ids=lambda one: one.__name__)
def test_every_error_is_listed(kind: type) -> None:
    assert f"| `{kind.__name__}` |" in TEXT
