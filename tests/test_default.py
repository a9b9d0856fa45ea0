"""The engine of a process that did not open one."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine import default
from engine.errors import ConfigError
from engine.runtime.engine import Engine

RULES = "Rule: welcome\nTrigger: signed_up\nWait: 1 day\nAction: hello\n"
WRONG = "Rule: wrong\nTriger: signed_up\n"
SIGNED_UP = {"event": "signed_up", "user_id": "ann"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with rules, and nothing of the tester's settings."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("LAPSE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "welcome.rules").write_text(RULES)
    yield tmp_path
    default.close()


def waiting() -> dict[str, int]:
    own = default.default_engine()
    own.settle()
    return {one.rule: one.waiting for one in own.counts_by_rule()}


def test_it_makes_the_rules_of_the_settings_live(place: Path) -> None:
    assert engine.ingest(SIGNED_UP).ok
    assert waiting() == {"welcome": 1}


def test_wrong_rules_are_refused_where_none_is_live(place: Path) -> None:
    (place / "rules" / "wrong.rules").write_text(WRONG)
    with pytest.raises(ConfigError, match="'lapse check' shows them all"):
        engine.ingest(SIGNED_UP)
    (place / "rules" / "wrong.rules").unlink()
    assert engine.ingest(SIGNED_UP).ok
    assert waiting() == {"welcome": 1}


def test_wrong_rules_leave_those_that_are_live(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Engine.open("sqlite:///lapse.db", rules="rules"):
        pass
    (place / "rules" / "wrong.rules").write_text(WRONG)
    assert engine.ingest(SIGNED_UP).ok
    assert waiting() == {"welcome": 1}
    logged = [(one.levelno, one.getMessage()) for one in caplog.records if one.name.startswith("lapse")]
    assert any(level == logging.ERROR and "wrong.rules:2:1: " in text for level, text in logged)
    assert any("the rules that were live stay live" in text for _, text in logged)


def test_whoever_names_rules_in_a_program_is_refused_also_where_others_are_live(place: Path) -> None:
    with Engine.open("sqlite:///lapse.db", rules="rules"):
        pass
    (place / "rules" / "wrong.rules").write_text(WRONG)
    with pytest.raises(ConfigError, match="'lapse check' shows them all"):
        Engine.open("sqlite:///lapse.db", rules="rules")
    with Engine.open("sqlite:///lapse.db") as opened:
        assert not opened.load("rules").ok
        assert list(opened.live.rules) == [1]
