"""Edits of a live rule: whoever is under way finishes on the version they entered with (section 5, ruling 31)."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.clock import iso
from engine.runtime.rulefiles import NO_FILES
from engine.testing import Travel

from .conftest import Lab

CART = "Rule: r\nTrigger: cart\nCondition: NOT buy within 24 hours\nAction: mail\n"
EDITS = [
    pytest.param("Rule: r\nTrigger: cart\nAction: push\n", id="steps"),
    pytest.param("Rule: r\nTrigger: cart\nCondition: NOT buy within 2 hours\nAction: push\n", id="opening Condition"),
    pytest.param("Rule: r\nTrigger: view\nAction: push\n", id="trigger"),
    pytest.param("Rule: r\nTrigger: None\nCondition: NOT view within 9 days\nAction: push\n", id="no trigger any more"),
    pytest.param("Rule: r\nTrigger: every day at 09:00\nWait: 9 days\nAction: push\n", id="a schedule"),
]


def edit(lab: Travel, folder: Path, text: str) -> None:
    (folder / "r0.rules").write_text(text)
    assert lab.engine.reload().ok


def left(lab: Travel) -> list[tuple[str, str]]:
    return [(one.action, iso(one.moment)) for one in lab.actions]


@pytest.mark.parametrize("text", EDITS)
def test_one_that_waits(lab: Lab, tmp_path: Path, text: str) -> None:
    with lab(CART) as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.move("1 hour")
        edit(here, tmp_path, text)
        here.move("2 days")
        assert ("mail", "2026-01-02T00:00:00Z") in left(here)


@pytest.mark.parametrize("text", EDITS)
def test_one_that_a_late_event_has_decided_again(lab: Lab, tmp_path: Path, text: str) -> None:
    with lab(CART) as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.move("1 hour")
        edit(here, tmp_path, text)
        here.engine.ingest({"event": "buy", "user_id": "u1", "timestamp": "2025-12-31T23:00:00Z"})
        here.move("2 days")
        assert ("mail", "2026-01-02T00:00:00Z") in left(here)


@pytest.mark.parametrize("text", EDITS)
@pytest.mark.parametrize("bought", [False, True], ids=["nothing came", "a late purchase"])
def test_an_action_that_has_yet_to_leave(lab: Lab, tmp_path: Path, text: str, bought: bool) -> None:
    """Its journey has ended, and the version it ran on is still needed to ask once more."""
    with lab(CART) as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.clock.move("25 hours")
        here.engine.decide_due()
        edit(here, tmp_path, text)
        if bought:
            here.engine.ingest({"event": "buy", "user_id": "u1", "timestamp": "2026-01-01T10:00:00Z"})
        here.engine.run_due()
        assert left(here) == ([] if bought else [("mail", "2026-01-02T00:00:00Z")])


@pytest.mark.parametrize("text", EDITS)
def test_one_that_has_ended_on_a_version_nobody_needs_stays_as_it_was(lab: Lab, tmp_path: Path, text: str) -> None:
    with lab(CART + "Wait: 1 hour\nAction: call\n") as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        here.move("26 hours")
        edit(here, tmp_path, text)
        here.engine.ingest({"event": "buy", "user_id": "u1", "timestamp": "2026-01-01T10:00:00Z"})
        here.move("1 hour")
        person = here.engine.person("u1")
        assert person is not None
        assert (person.journeys[0].reason, person.journeys[0].actions[0][0]) == ("finished", "mail")
        assert left(here)[:2] == [("mail", "2026-01-02T00:00:00Z"), ("call", "2026-01-02T01:00:00Z")]


def test_a_changed_trigger_never_fires_for_the_past(lab: Lab, tmp_path: Path) -> None:
    with lab("Rule: r\nTrigger: cart\nAction: mail") as here:
        here.move("3 hours")
        here.engine.ingest({"event": "view", "user_id": "u1", "timestamp": "2026-01-01T02:00:00Z"})
        here.move("1 minute")
        edit(here, tmp_path, "Rule: r\nTrigger: view\nAction: push")
        here.engine.ingest({"event": "view", "user_id": "u1", "timestamp": "2026-01-01T01:00:00Z"})
        here.move("1 day")
        assert left(here) == [("push", "2026-01-01T01:00:00Z")]


def test_a_folder_without_files_ends_nothing_and_a_file_without_rules_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A volume may not be there yet, or a checkout be under way."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "r.rules").write_text(CART)
    with Travel(folder) as here:
        here.engine.ingest({"event": "cart", "user_id": "u1"})
        (folder / "r.rules").unlink()
        assert here.engine.reload().readings == ()
        assert [rule.id for rule in here.engine.live.rules.values()] == ["r"]
        (folder / "none.rules").write_text("")
        assert here.engine.reload().ok
        assert not here.engine.live.rules
    assert caplog.messages == [NO_FILES, "the rule 'r' is no longer in the files: waiting journeys ended: 1"]
