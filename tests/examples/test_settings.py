"""The configuration to start from: it loads, and the packs are at home in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from engine import checking
from engine.clock import DAY, iso
from engine.config import Settings, load_settings
from engine.ruletests import run_tests
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import catalog_of
from engine.testing import Clock, travel

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


def test_nights_go_by_each_persons_own_clock_whatever_the_rule_s_zone_is(settings: Settings) -> None:
    rule = "Rule: r\nTrigger: go\nAction: send_email\nZone: Europe/Warsaw\n"
    Path("r.rules").write_text(rule)
    clock = Clock("2026-01-01T12:00:00Z")
    sent: list[str] = []
    mails = {"send_email": lambda action: sent.append(action.person)}
    with Engine.open(rules="r.rules", settings=settings, clock=clock, actions=mails) as engine:
        engine.identify("tokyo", {"timezone": "Asia/Tokyo"})
        engine.ingest([{"event": "go", "user_id": user} for user in ("tokyo", "nobody-knows")])
        travel(engine, clock, "2026-01-01T22:00:00Z")
        assert sent == ["nobody-knows"]  # in Tokyo it is 21:00, and in Warsaw 13:00
        travel(engine, clock, "2026-01-01T23:00:00Z")
        assert sent == ["nobody-knows", "tokyo"]


def test_what_is_handed_to_a_colleague_waits_for_no_night_and_needs_no_consent(settings: Settings) -> None:
    clock = Clock("2026-01-01T23:00:00Z")
    with Engine.open(rules=ROOT / "rules", settings=settings, clock=clock) as engine:
        tasks: list[tuple[str, int]] = []
        engine.action("open_task")(lambda action: tasks.append((str(action.variables["to"]), clock.now())))
        known = {"plan": "premium", "account_manager": "tom@example.com", "unsubscribed": True, "timezone": "UTC"}
        engine.identify("ana", known)
        for _ in range(8):
            engine.ingest({"event": "feature_used", "user_id": "ana"})
            travel(engine, clock, clock.now() + DAY)
        engine.ingest({"event": "nps_submitted", "user_id": "ana", "properties": {"score": 4}})
        travel(engine, clock, "2026-02-01T00:00:00Z")
        assert [(to, iso(at)) for to, at in tasks] == [("tom@example.com", "2026-01-21T23:00:00Z")]


def test_no_secret_stands_in_it() -> None:
    found = tomllib.loads((ROOT / "examples" / "lapse.toml").read_text())
    assert found["channels"]["mail"]["password"] == {"env": "SMTP_PASSWORD"}
    assert found["channels"]["push"]["secrets"] == [{"env": "PUSH_SECRET"}]
    assert found["channels"]["team"]["url"] == {"env": "SLACK_URL"}
