"""``lapse run``: stopped by signals as a process, else in this one."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter

import pytest

from engine.clock import SECOND
from engine.daemon import Daemon
from engine.runtime.engine import Engine
from engine.testing import Clock

from .conftest import PATIENCE, wait_for

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
    assert running.wait(timeout=50) == 0
    assert time.monotonic() - asked < 40  # a wake-up may be a minute off, and a busy disk takes its time
    assert (place / "log").read_text().splitlines()[-1].endswith("stopped")


BACKLOG = """\
Rule: welcome
Trigger: signed_up
Wait: 1 second
Action: send_email "hello"
"""
STOP_AFTER = 2.0
IN_FLIGHT = 8
"""Sends of a channel at once (``concurrency``)."""
SLOWNESS = 4.0
"""Seconds that a loaded machine may take to end a process that is told to."""


@pytest.mark.parametrize("people", [1_200, pytest.param(12_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_a_signal_stops_it_soon_however_much_is_due_and_nothing_is_lost(place, started, people):
    (place / "rules" / "welcome.rules").write_text(BACKLOG)
    (place / "lapse.toml").write_text("[guard]\npeople_per_hour = 100000\n")
    clock = Clock(time.time_ns() // 1000 - 3_600 * SECOND)
    with Engine.open(f"sqlite:///{place}/lapse.db", rules=place / "rules", clock=clock) as engine:
        engine.ingest([{"event": "signed_up", "user_id": f"u{number}"} for number in range(people)])
    one = started("run")
    wait_for(lambda: sent_in(place / "log"))
    asked = time.monotonic()
    one.send_signal(signal.SIGTERM)
    assert one.wait(timeout=50) == 0
    took, first = time.monotonic() - asked, sent_in(place / "log")
    assert took < STOP_AFTER + SLOWNESS
    assert len(first) < people, "it went on until all was done"
    started("run", log="again")
    wait_for(lambda: len(first.keys() | sent_in(place / "again").keys()) == people, PATIENCE * people / 1_200)
    again = sent_in(place / "again")
    assert max(first.values()) == max(again.values()) == 1
    twice = first.keys() & again.keys()
    assert len(twice) <= IN_FLIGHT, "sent again are only those under way when the deadline passed"
    assert not twice or took >= STOP_AFTER


def sent_in(log):
    """How often each action was sent, by its key, as the log has it."""
    return Counter(re.findall(r'send_email "hello" for .* \((\w+)\)', log.read_text()))


@pytest.fixture
def held(place):
    """A store that has its daemon."""
    with Engine.open(f"sqlite:///{place}/lapse.db", rules=place / "rules") as engine:
        daemon = Daemon(engine)
        yield engine
        daemon.stop()


def test_a_second_daemon_on_the_file_is_refused(held, lapse):
    ran = lapse("run")
    assert (ran.code, ran.out) == (2, "")
    assert f"error: process {os.getpid()} runs the daemon of" in ran.err


def test_a_second_daemon_with_other_rules_leaves_those_that_are_live(place, held, lapse):
    (place / "other").mkdir()
    (place / "other" / "rules.rules").write_text("Rule: other\nTrigger: a\n")
    assert lapse("run", "--rules", "other").code == 2
    assert list(lapse("rules", "--format", "json").json["rules"]) == ["welcome"]


def test_it_says_what_it_loaded_and_what_nothing_binds(while_running):
    ran = while_running(lambda log: wait_for(lambda: any("nothing binds" in line for line in log)))
    assert ran.code == 0
    assert "1 rule live from 1 file on sqlite:///lapse.db" in ran.err
    assert "warning nothing binds the action 'send_email': it is written to the log only" in ran.err
    assert ran.err.splitlines()[-1].endswith("stopped")


def test_nothing_is_said_of_actions_that_are_bound(place, while_running):
    (place / "lapse.toml").write_text('[actions]\nsend_email = "log"\n')
    ran = while_running(lambda log: None)
    assert (ran.code, "nothing binds" in ran.err) == (0, False)


def test_an_action_that_comes_with_a_changed_file_is_named_too(place, while_running):
    def change(log):
        (place / "rules" / "welcome.rules").write_text(RULES.replace("send_email", "ring_up"))
        wait_for(lambda: any("'ring_up'" in line for line in log))

    assert while_running(change).code == 0


@pytest.mark.parametrize("verb", ["run", "serve"])
@pytest.mark.parametrize("channel", [
    'type = "webhook"\nurl = "https://crm.example.com/"',
    'type = "email"\nhost = "smtp.example.com"\nfrom = "shop@example.com"',
], ids=["webhook", "email"])  # fmt: skip
def test_a_channel_whose_certificates_cannot_be_read_is_told_and_it_does_not_start(
    place, lapse, monkeypatch, channel, verb
):
    (place / "lapse.toml").write_text(f'[channels.out]\n{channel}\n[actions]\nsend_email = "out"\n')
    monkeypatch.setenv("SSL_CERT_FILE", "nowhere.pem")
    ran = lapse(verb)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines()[-1] == (
        "error: the channel 'out' cannot work: the certificates it is to trust cannot be read, "
        "see SSL_CERT_FILE: No such file or directory"
    )


def test_every_action_is_a_line_of_the_log(place, while_running):
    ran = while_running(signing_up(place))
    (line,) = [line for line in ran.err.splitlines() if "hello" in line]
    assert re.search(r'send_email "hello" for ~[0-9a-f]{12} by welcome', line)


def test_the_log_can_be_json_lines(place, while_running):
    ran = while_running(signing_up(place), "--format", "json")
    entries = [json.loads(line) for line in ran.err.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
    (sent,) = [entry for entry in entries if entry["logger"] == "lapse.actions"]
    assert {"action": "send_email", "rule": "welcome"}.items() <= sent.items()
    assert sent["person"].startswith("~")


def test_a_changed_file_is_loaded_again_and_a_wrong_one_changes_nothing(place, while_running):
    def change(log):
        (place / "rules" / "welcome.rules").write_text(RULES.replace("hello", "hi"))
        wait_for(lambda: "rules reloaded" in log)
        (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
        wait_for(lambda: any("the rules that were live stay live" in line for line in log))

    assert while_running(change).code == 0


def test_waiting_journeys_are_taken_along_when_asked_for(place, lapse, while_running):
    waits = RULES.replace("Action:", "Wait: 1 day\nAction:")
    (place / "rules" / "welcome.rules").write_text(waits)
    with Engine.open(f"sqlite:///{place}/lapse.db", rules=place / "rules") as engine:
        assert engine.ingest({"event": "signed_up", "user_id": "ann"}).ok
    (place / "rules" / "welcome.rules").write_text(waits.replace("hello", "hi"))
    ran = while_running(lambda log: None, "--migrate")
    assert "welcome: of 1 waiting journey 1 moved, 0 stayed, 0 ended" in ran.err


def test_rules_with_errors_are_shown_and_it_does_not_start(place, lapse, while_running):
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
    ran = while_running(lambda log: None)
    assert ran.code == 2
    assert "wrong.rules:2:1: error: " in ran.err


def test_where_rules_are_live_errors_are_shown_and_it_starts_with_those(place, lapse, while_running):
    assert lapse("rules", "--rules", "rules").code == 0
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")

    def mend(log):
        assert any("wrong.rules:2:1: " in line for line in log)
        assert any("the rules that were live stay live" in line for line in log)
        assert any("1 rule live from the store on" in line for line in log)
        signing_up(place)(log)
        (place / "rules" / "wrong.rules").write_text("Rule: mended\nTrigger: a\n")
        wait_for(lambda: "rules reloaded" in log)

    assert while_running(mend).code == 0
    assert sorted(lapse("rules", "--format", "json").json["rules"]) == ["mended", "welcome"]


def test_journeys_cannot_be_taken_along_to_rules_with_errors(place, lapse, while_running):
    assert lapse("rules", "--rules", "rules").code == 0
    (place / "rules" / "wrong.rules").write_text("Trigger: a\nConditon: b\n")
    ran = while_running(lambda log: None, "--migrate")
    assert ran.code == 2
    assert "wrong.rules:2:1: error: " in ran.err


def test_a_folder_that_is_not_there_is_told_plainly(while_running):
    ran = while_running(lambda log: None, "--rules", "absent")
    assert ran.code == 2
    assert "there are no rules at 'absent'" in ran.err


def test_an_action_bound_to_python_is_refused(place, while_running):
    (place / "lapse.toml").write_text('[actions]\nsend_email = "python"\n')
    ran = while_running(lambda log: None)
    assert ran.code == 2
    assert "'send_email' is bound to Python" in ran.err


def signing_up(place):
    """What another process does: somebody signs up."""

    def work(log):
        with Engine.open(f"sqlite:///{place}/lapse.db") as service:
            assert service.ingest({"event": "signed_up", "user_id": "ann"}).ok
        wait_for(lambda: any("hello" in line for line in log))

    return work
