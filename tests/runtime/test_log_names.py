"""How logs name people: by what stands for them, unless the settings say by their ids."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli.logs import JsonLines, TextLines
from engine.config import load_settings
from engine.delivery.channels import SendError
from engine.pseudonyms import LogNames, pseudonym, without_people
from engine.runtime.engine import Engine
from engine.testing import Clock

WHO = "ann-personal-1"
ADDRESS = "ann.personal@example.com"
RULES = 'Rule: hello\nTrigger: signed_up\nAction: send_email "x" to person.email\n'


def acted(
    folder: Path,
    function: Callable[[Any], None] | None,
    store: str = "lapse.db",
    at: str = "2026-01-01T00:00:00Z",
    **settings: Any,
) -> None:
    """Somebody signs up, and an action leaves for them."""
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "r.rules").write_text(RULES)
    loaded = load_settings(store=f"sqlite:///{folder / store}", **settings)
    clock = Clock(at)
    with Engine.open(rules=folder / "rules", settings=loaded, clock=clock) as engine:
        if function is not None:
            engine.action("send_email")(function)
        engine.identify(WHO, {"email": ADDRESS})
        engine.ingest({"event": "signed_up", "user_id": WHO})
        engine.run_due()


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """All that the log has, as either format writes it."""
    own = [record for record in caplog.records if record.name.startswith("lapse")]
    return [form.format(record) for record in own for form in (TextLines(), JsonLines())]


def works(_action: Any) -> None:
    return None


def fails(_action: Any) -> None:
    raise ValueError(f"no {WHO} at <{ADDRESS}>")


def refuses(_action: Any) -> None:
    raise SendError(f"550 5.1.1 <{ADDRESS}>: no {WHO}", permanent=True)


@pytest.mark.parametrize("function", [None, works, fails, refuses], ids=["log", "sent", "failed", "dead"])
def test_no_id_and_no_address_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, function: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.DEBUG, "lapse"):
        acted(tmp_path, function)
        lines = logged(caplog)
        assert any("send_email" in line for line in lines)
        assert not any(WHO in line or ADDRESS in line for line in lines), lines
        caplog.clear()
        acted(tmp_path, function, "other.db", log_ids=True)
        assert any(WHO in line for line in logged(caplog))


def test_one_person_is_one_in_all_lines_of_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, "lapse.actions"):
        acted(tmp_path, None)
        acted(tmp_path, works, at="2026-01-02T00:00:00Z")
        acted(tmp_path, None, "other.db")
    people = [json.loads(JsonLines().format(one))["person"] for one in caplog.records if one.name == "lapse.actions"]
    assert len(people) == 3
    assert people[0] == people[1] != people[2]


def test_a_pseudonym_needs_its_key() -> None:
    assert pseudonym("ann", b"k") == pseudonym("ann", b"k")
    assert len({pseudonym("ann", b"k"), pseudonym("ann", b"l"), pseudonym("ben", b"k")}) == 3
    assert pseudonym("\ud800")


def test_only_whole_names_are_replaced() -> None:
    assert without_people("1 of 12 for u1: 1", ("1",)) == f"{pseudonym('1')} of 12 for u1: {pseudonym('1')}"
    assert (
        without_people("to <a.b+c@x.example>, and (d@e)", ())
        == f"to <{pseudonym('a.b+c@x.example')}>, and ({pseudonym('d@e')})"
    )
    assert LogNames(plain=True).text("a@b", "a") == "a@b"
