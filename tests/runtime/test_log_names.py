"""How logs name people: by what stands for them, unless the settings say by their ids."""

from __future__ import annotations

import ast
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.cli.logs import JsonLines, TextLines
from engine.config import load_settings
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing, SendError
from engine.pseudonyms import LogNames, pseudonym, without_people
from engine.runtime.engine import Engine
from engine.runtime.sending import Sending
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


# ------------------------------------------------------------------------------------------------ all alerts


def breaks(*_given: Any, **_more: Any) -> Any:
    raise ValueError(f"of {WHO} at <{ADDRESS}>")


def _attempt_breaks_off(folder: Path, patched: pytest.MonkeyPatch) -> None:
    patched.setattr("engine.runtime.sending.sender.attempt", breaks)
    acted(folder, works)


def _outcome_is_not_recorded(folder: Path, patched: pytest.MonkeyPatch) -> None:
    job = SimpleNamespace(action=_outgoing())
    future: Future[None] = Future()
    future.set_exception(_raised())
    Sending._ended(cast(Any, SimpleNamespace()), cast(Any, job), future)


def _outgoing() -> Outgoing:
    given: dict[str, Any] = {"key": "k", "rule": "r", "person": WHO, "action": "send_email", "template": "x"}
    return Outgoing(**given, step="1", moment=0, attempt=1, variables={"to": ADDRESS})


def _raised() -> ValueError:
    try:
        breaks()
    except ValueError as error:
        return error
    raise AssertionError


def _person_is_set_aside(folder: Path, patched: pytest.MonkeyPatch) -> None:
    patched.setattr("engine.runtime.deciding.advance", breaks)
    acted(folder, works)


def _rule_is_paused(folder: Path, patched: pytest.MonkeyPatch) -> None:
    patched.setattr("engine.runtime.deciding.advance", breaks)
    acted(folder, works, faults={"people": 1})


def _guard_stops_a_rule(folder: Path, patched: pytest.MonkeyPatch) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "r.rules").write_text(RULES)
    settings = load_settings(store="sqlite://", guard={"people_per_hour": 1})
    with Engine.open(rules=folder / "rules", settings=settings, clock=Clock()) as engine:
        engine.action("send_email")(works)
        for number in range(3):
            engine.identify(f"{WHO}{number}", {"email": ADDRESS})
            engine.ingest({"event": "signed_up", "user_id": f"{WHO}{number}"})
        engine.run_due()


def _channel_is_gone(folder: Path, patched: pytest.MonkeyPatch) -> None:
    def gone(_action: Any) -> None:
        raise SendError(f"410 <{ADDRESS}>: no {WHO}", permanent=True, gone=True)

    acted(folder, gone)


def _seal_breaks(folder: Path, patched: pytest.MonkeyPatch) -> None:
    patched.setattr("engine.delivery.channels.PythonChannel.seal", breaks)
    acted(folder, works)


def _state_is_spoiled(folder: Path, patched: pytest.MonkeyPatch) -> None:
    (folder / "rules").mkdir()
    (folder / "rules" / "r.rules").write_text("Rule: r\nTrigger: signed_up\nWait: 1 hour\nAction: send_email")
    clock = Clock()
    with Engine.open(rules=folder / "rules", settings=load_settings(store="sqlite://"), clock=clock) as engine:
        engine.ingest({"event": "signed_up", "user_id": WHO})
        engine.settle()
        engine.writer.run(lambda one: one.exec_driver_sql("UPDATE journeys SET state = '{\"" + WHO + "\"'"))
        clock.move("1 hour")
        engine.run_due()


def _job_of_the_daemon_fails(folder: Path, patched: pytest.MonkeyPatch) -> None:
    with Engine.open(settings=load_settings(store="sqlite://"), clock=Clock()) as engine:
        Daemon(engine)._guarded(breaks)()


ALERTS = {
    "the attempt broke off": _attempt_breaks_off,
    "what became of it is not recorded": _outcome_is_not_recorded,
    "the person is set aside": _person_is_set_aside,
    "is paused": _rule_is_paused,
    "has stopped itself": _guard_stops_a_rule,
    "is switched off": _channel_is_gone,
    "failed for a person (seal)": _seal_breaks,
    "worked out again": _state_is_spoiled,
    "a job of the daemon failed": _job_of_the_daemon_fails,
}


@pytest.mark.parametrize("said", ALERTS)
def test_no_alert_names_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.DEBUG, "lapse"), monkeypatch.context() as patched:
        ALERTS[said](tmp_path, patched)
    lines = logged(caplog)
    assert any(said in line for line in lines), lines
    assert not any(WHO in line or ADDRESS in line for line in lines), lines


LOGS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((Path(__file__).parents[2] / "engine").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGS:
                called = node.func.value
                if isinstance(called, ast.Name) and called.id in ("_log", "log", "logger"):
                    yield f"{path.name}:{node.lineno}", node


def test_no_log_call_writes_the_text_of_an_exception_or_an_action_as_it_is() -> None:
    calls = list(log_calls())
    assert len(calls) > 20
    for place, call in calls:
        assert cast(ast.Attribute, call.func).attr != "exception", place
        assert not any(word.arg == "exc_info" for word in call.keywords), place
        for given in call.args[1:]:
            assert not (isinstance(given, ast.Attribute) and given.attr in ("action", "person", "recipient")), place
