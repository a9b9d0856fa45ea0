"""``lapse run``, as a process."""

from __future__ import annotations

import json
import signal
import time

import pytest

from engine.clock import WallClock, iso

from .conftest import wait_for

RULES = """\
Rule: welcome
Trigger: signed_up
Action: send_email "hello"
"""


@pytest.fixture(autouse=True)
def rules(place):
    (place / "rules").mkdir()
    (place / "rules" / "welcome.rules").write_text(RULES)


@pytest.fixture
def running(place, started):
    """A daemon that is up; its log lies in ``log``."""
    one = started("run")
    wait_for(lambda: "1 rule live" in (place / "log").read_text())
    return one


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_soon(place, running, how):
    asked = time.monotonic()
    running.send_signal(how)
    assert running.wait(timeout=10) == 0
    assert time.monotonic() - asked < 2
    assert (place / "log").read_text().splitlines()[-1].endswith("stopped")


def test_a_second_daemon_on_the_file_is_refused(place, running, process):
    ran = process("run")
    assert ran.code == 2
    assert "error: " in ran.err
    assert "daemon" in ran.err
    assert "Traceback" not in ran.err
    assert running.poll() is None


def test_a_second_daemon_with_other_rules_leaves_those_that_are_live(place, running, process):
    (place / "other").mkdir()
    (place / "other" / "rules.rules").write_text("Rule: other\nTrigger: a\n")
    assert process("run", "--rules", "other").code == 2
    assert process("ingest", "-", stdin=signed_up("ann")).code == 0
    wait_for(lambda: "hello" in (place / "log").read_text())


def test_it_says_what_it_loaded_and_what_nothing_binds(place, running):
    log = (place / "log").read_text()
    assert "1 rule live from 1 file on sqlite:///lapse.db" in log
    assert "nothing in lapse.toml binds 'send_email': written to the log only" in log


def test_every_action_is_a_line_of_the_log(place, running, process):
    ran = process("ingest", "-", stdin=signed_up("ann"))
    assert ran.code == 0
    wait_for(lambda: "hello" in (place / "log").read_text())
    (line,) = [line for line in (place / "log").read_text().splitlines() if "hello" in line]
    assert 'send_email "hello" for ann by welcome' in line


def test_the_log_can_be_json_lines(place, started, process):
    started("run", "--format", "json")
    wait_for(lambda: "1 rule live" in (place / "log").read_text())
    assert process("ingest", "-", stdin=signed_up("ann")).code == 0
    wait_for(lambda: "hello" in (place / "log").read_text())
    entries = [json.loads(line) for line in (place / "log").read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
    (sent,) = [entry for entry in entries if entry["logger"] == "lapse.actions"]
    assert {"action": "send_email", "rule": "welcome", "person": "ann"}.items() <= sent.items()


def test_a_changed_file_is_loaded_again_and_a_wrong_one_changes_nothing(place, running, process):
    (place / "rules" / "welcome.rules").write_text(RULES.replace("hello", "hi"))
    wait_for(lambda: "rules reloaded" in (place / "log").read_text())
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
    wait_for(lambda: "the rules that were live stay live" in (place / "log").read_text())


def test_rules_with_errors_are_shown_and_it_does_not_start(place, process):
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
    ran = process("run")
    assert ran.code == 2
    assert "wrong.rules:2:1: error: " in ran.err


def test_a_folder_that_is_not_there_is_told_plainly(process):
    ran = process("run", "--rules", "absent")
    assert ran.code == 2
    assert "there are no rules at 'absent'" in ran.err


def test_an_action_bound_to_python_is_refused(place, process):
    (place / "lapse.toml").write_text('[actions.send_email]\nchannel = "python"\n')
    ran = process("run")
    assert ran.code == 2
    assert "'send_email' is bound to Python" in ran.err


def signed_up(user: str) -> bytes:
    return json.dumps({"event": "signed_up", "user_id": user, "timestamp": iso(WallClock().now())}).encode()
