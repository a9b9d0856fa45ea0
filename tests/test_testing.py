"""Time travel: what left is kept, functions included, and time goes one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import load_settings
from engine.delivery.channels import Outgoing, SendError
from engine.testing import Travel

RULES = "Rule: r\nTrigger: go\nAction: mail\nWait: 1 hour\nAction: push\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "r.rules"
    path.write_text(RULES)
    return path


def test_what_functions_took_is_among_the_actions(rules: Path) -> None:
    got: list[str] = []
    with Travel(rules) as travel:

        @travel.engine.action("mail")
        def mail(action: Outgoing) -> None:
            got.append(action.action)
            if len(got) == 1:
                raise SendError("down")

        travel.engine.ingest({"event": "go", "user_id": "ann"})
        travel.move("2 hours")
        assert got == ["mail", "mail"]
        assert [(action.action, action.attempt) for action in travel.actions] == [("mail", 2), ("push", 1)]


def test_functions_are_known_before_the_rules_are_looked_at(rules: Path) -> None:
    settings = load_settings(store="sqlite://", channels={"calls": {"type": "python"}}, actions={"push": "calls"})
    got: list[str] = []
    given = {name: lambda action: got.append(action.action) for name in ("mail", "push")}
    with Travel(rules, settings=settings, actions=given) as travel:
        travel.engine.ingest({"event": "go", "user_id": "ann"})
        travel.move("2 hours")
    assert got == ["mail", "push"]


def test_time_does_not_go_back(rules: Path) -> None:
    with Travel(rules, start="2026-01-02T00:00:00Z") as travel:
        with pytest.raises(ValueError, match="it is 2026-01-02T00:00:00"):
            travel.move_to("2026-01-01T00:00:00Z")
        travel.move_to("2026-01-02T00:00:00Z")
