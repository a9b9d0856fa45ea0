"""The page on operations: its commands do what it says, and its figures are the settings'."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.app import app
from engine.config import load_settings
from engine.runtime.engine import Engine
from engine.store import files

from .pages import ROOT, blocks

PAGE = ROOT / "docs" / "operations.md"


def test_every_command_can_be_carried_out_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "backups").mkdir()
    Engine.open("sqlite:///lapse.db").close()
    commands = [line for block in blocks(PAGE, "sh") for line in block.text.splitlines()]
    assert len(commands) >= 6
    for command in commands:
        lapse, *words = shlex.split(command)
        ran = CliRunner().invoke(app, words)
        assert (lapse, ran.exit_code) == ("lapse", 0), f"{command}: {ran.output}"


def test_the_files_and_the_limit_are_those_of_the_program() -> None:
    text = PAGE.read_text("utf-8")
    assert [one for one in (files.LOG, files.INDEX, ".lock", ".gate") if f"`lapse.db{one}`" not in text] == []
    assert f"`backup_log_bytes` ({load_settings().backup_log_bytes:,})" in text
