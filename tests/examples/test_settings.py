"""The configuration to start from: it loads, and the packs are at home in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine import checking
from engine.config import Settings, load_settings
from engine.ruletests import run_tests
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import catalog_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lapse.toml").write_text((ROOT / "examples" / "lapse.toml").read_text())
    return load_settings(store="sqlite://")


def test_the_packs_load_under_it(settings: Settings) -> None:
    assert settings.actions.default is None
    checked = checking.check([ROOT / "rules"], catalog_of(settings))
    assert checked.errors == 0
    with Engine.open(rules=ROOT / "rules", settings=settings) as engine:
        assert engine.unbound() == []


def test_the_tests_of_the_packs_pass_under_it(settings: Settings) -> None:
    results = run_tests([ROOT / "rules"])
    assert results.ok
    assert len(results.results) > 50


def test_the_packs_load_without_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Engine.open("sqlite://", rules=ROOT / "rules") as engine:
        assert "send_email" in engine.unbound()


def test_marketing_is_capped_at_one_per_person_per_16_hours(settings: Settings) -> None:
    assert settings.caps == {"marketing": "1 per person per 16 hours"}


def test_no_secret_stands_in_it() -> None:
    found = tomllib.loads((ROOT / "examples" / "lapse.toml").read_text())
    assert found["channels"]["mail"]["password"] == {"env": "SMTP_PASSWORD"}
    assert found["channels"]["push"]["secrets"] == [{"env": "PUSH_SECRET"}]
    assert found["channels"]["team"]["url"] == {"env": "SLACK_URL"}
