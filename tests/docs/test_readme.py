"""The README and the pages it leads to: commands, rules, programs and links are what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.language import read

from .pages import ARCHITECTURE, LANGUAGE, README, ROOT, Block, blocks, named

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = [README, ARCHITECTURE, LANGUAGE, CONTRIBUTING, ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "examples").rglob("*.md"))


@pytest.mark.parametrize("place", [1, 2])
def test_every_change_runs_the_commands_that_stand_here(place: int) -> None:
    script = [sys.executable, str(ROOT / ".ci" / "readme_command.py"), str(place)]
    printed = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    assert printed == blocks(README, "sh")[place - 1].text
    assert "for place in 1 2; do" in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.mark.parametrize("block", blocks(README, "rules"), ids=named)
def test_rules_read_without_a_finding(block: Block) -> None:
    reading = read(block.text, f"{README.name}:{block.line}")
    assert [one.render(reading.source) for one in reading.diagnostics] == []


@pytest.mark.parametrize("block", blocks(README, "python"), ids=named)
def test_programs_are_python(block: Block) -> None:
    compile(block.text, f"{README.name}:{block.line}", "exec")


def test_the_program_that_travels_in_time_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (block,) = [one for one in blocks(README, "python") if "Travel" in one.text]
    exec(compile(block.text, f"{README.name}:{block.line}", "exec"), {})


@pytest.mark.parametrize("block", blocks(README, "toml"), ids=named)
def test_settings_are_settings(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lapse.toml").write_text(block.text)
    assert load_settings().channels


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [one for one in targets if not (page.parent / one).exists()] == []


def test_every_room_stands_on_the_architecture_page() -> None:
    page = ARCHITECTURE.read_text("utf-8")
    modules = {one.name for one in (ROOT / "engine").glob("*.py")} - {"__init__.py"}
    folders = {f"{one.parent.name}/" for one in (ROOT / "engine").glob("*/__init__.py")}
    assert [one for one in sorted(modules | folders) if one not in page] == []
