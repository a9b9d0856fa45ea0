"""``lapse doctor``."""

from __future__ import annotations

import os
import re
import sqlite3
import sys

import pytest

from engine.cli.app import command
from engine.clock import DAY, HOUR, SECOND, WallClock, iso
from engine.daemon import Daemon
from engine.delivery.channels import SendError
from engine.runtime.engine import Engine
from engine.testing import Clock

pytestmark = pytest.mark.usefixtures("new_store")

RULES = """\
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 1 second
"""


@pytest.fixture(autouse=True)
def rules(place):
    (place / "rules").mkdir()
    (place / "rules" / "cart.rules").write_text(RULES)


def test_a_new_store_is_well(lapse):
    ran = lapse("doctor", "--format", "json")
    assert ran.code == 0
    found = ran.json
    assert found["problems"] == []
    assert found["daemon"] == {"running": False, "process": None}
    assert found["counts"] == {"events": 0, "people": 0}
    assert found["store"]["version"] == sqlite3.sqlite_version
    assert isinstance(found["store"]["wal_reset_bug"], bool)
    assert found["zones"]["zone"] == "UTC"


def test_for_people(lapse):
    ran = lapse("doctor")
    assert ran.code == 0
    assert sqlite3.sqlite_version in ran.out
    assert "oldest action due for seconds none" in ran.out
    assert ran.out.endswith("all is well\n")


@pytest.mark.parametrize(("safe", "told"), [(True, "no"), (False, "yes; it may damage a file where a writer and a ")])
def test_a_bug_of_sqlite_that_lapse_keeps_clear_of_leaves_nobody_wondering(lapse, monkeypatch, safe, told):
    monkeypatch.setattr("engine.store.sqlite.safe_version", lambda: safe)
    ran = lapse("doctor")
    assert re.search(rf"^  wal reset bug +{told}", ran.out, re.MULTILINE)
    assert ("Lapse keeps them apart: nothing to do" in ran.out) is not safe
    assert lapse("doctor", "--format", "json").json["store"]["wal_reset_bug"] is not safe


def test_what_is_counted_of_no_rule_is_shown(place, lapse):
    with Engine.open(f"sqlite:///{place}/lapse.db") as engine:
        engine.ingest([{"event": "a", "user_id": user, "anonymous_id": "x"} for user in ("ann", "bob", "cleo")])
    assert lapse("doctor", "--format", "json").json["notes"] == {"identity_conflict": 2}
    assert re.search(r"identity conflict +2\n", lapse("doctor").out)


def test_the_daemon_that_holds_the_store_is_named(place, lapse):
    with Engine.open(f"sqlite:///{place}/lapse.db") as engine:
        daemon = Daemon(engine)
        ran = lapse("doctor", "--format", "json")
        daemon.stop()
    assert ran.json["daemon"] == {"running": True, "process": os.getpid()}


def test_a_backlog_nobody_works_on_is_a_problem(lapse, place):
    lapse("rules", "--rules", "rules")
    event = f'{{"event": "cart_updated", "user_id": "ann", "timestamp": "{iso(WallClock().now())}"}}\n'
    (place / "log.jsonl").write_text(event)
    assert lapse("ingest", "log.jsonl").code == 0
    store = sqlite3.connect(place / "lapse.db")
    with store:
        for table in ("journeys", "watches"):
            store.execute(f"UPDATE {table} SET due_at = due_at - ?", (HOUR,))
    store.close()
    ran = lapse("doctor")
    assert ran.code == 1
    assert "no daemon runs; start 'lapse run'" in ran.out


def test_a_clock_that_was_set_back_is_a_problem(lapse, place):
    (place / "log.jsonl").write_text('{"event": "a", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z"}\n')
    assert lapse("ingest", "log.jsonl").code == 0
    store = sqlite3.connect(place / "lapse.db")
    with store:
        store.execute("UPDATE events SET received_at = received_at + ?", (DAY,))
    store.close()
    ran = lapse("doctor")
    assert ran.code == 1
    assert "the clock was set back" in ran.out


def test_what_is_paused_by_hand_is_a_warning_and_else_a_problem(lapse, place):
    lapse("rules", "--rules", "rules")
    lapse("pause", "cart")
    ran = lapse("doctor", "--format", "json")
    assert (ran.code, ran.json["problems"]) == (0, [])
    assert ran.json["warnings"][0].endswith(": by hand; 'lapse resume cart' lets it go on")
    assert list(ran.json["paused"]) == ["rule cart"]
    with Engine.open(f"sqlite:///{place}/lapse.db") as engine:
        engine.pause_delivery("log", "the receiver answered 410")
        engine.pause_delivery(reason="too much at once")
    ran = lapse("doctor")
    assert ran.code == 1
    told = " ".join(ran.out.split())
    assert "problem: channel log is paused since" in told
    assert ": the receiver answered 410; 'lapse resume --channel log' lets it go on" in told
    assert "problem: all that leaves is paused since" in told
    assert "'lapse resume --all' lets it go on" in told


def test_how_long_what_is_to_leave_has_waited_paused_or_not(lapse, place):
    (place / "rules" / "cart.rules").write_text("Rule: cart\nTrigger: cart_updated\nAction: hello\n")
    assert lapse("doctor", "--format", "json").json["delivery"] == {
        "oldest_action_due": None, "oldest_action_due_for_seconds": None,
    }  # fmt: skip
    clock = Clock(WallClock().now() - HOUR)
    with Engine.open(f"sqlite:///{place}/lapse.db", rules=place / "rules", clock=clock) as engine:
        engine.pause_delivery()
        engine.ingest({"event": "cart_updated", "user_id": "ann"})
        engine.run_due()
    found = lapse("doctor", "--format", "json").json
    assert found["delivery"]["oldest_action_due"] == iso(clock.now())
    assert HOUR // SECOND <= found["delivery"]["oldest_action_due_for_seconds"] < 2 * HOUR // SECOND
    assert found["problems"] == []


def test_what_was_given_up_is_a_problem_with_a_way_out(lapse, place):
    (place / "rules" / "cart.rules").write_text("Rule: cart\nTrigger: cart_updated\nAction: hello\n")
    with Engine.open(f"sqlite:///{place}/lapse.db", rules=place / "rules") as engine:

        @engine.action("hello")
        def refuse(_action):
            raise SendError("nobody is there", permanent=True)

        engine.ingest({"event": "cart_updated", "user_id": "ann"})
        engine.run_due()
    (problem,) = lapse("doctor", "--format", "json").json["problems"]
    assert problem == (
        "1 action could not be delivered and will not be tried again; 'lapse deliveries --dead' shows why, "
        "'lapse redrive' takes them up again"
    )


CHANNELS = """\
[channels.team]
type = "slack"
url = { env = "SLACK_URL" }

[channels.mail]
type = "email"
host = "smtp.example.com"
from = "shop@example.com"
username = "shop"
password = { file = "password" }

[channels.crm]
type = "webhook"
url = "https://crm.example.com/hooks"
secrets = [{ env = "CRM_SECRET" }]

[channels.idle]
type = "slack"
url = { env = "NOBODY_SETS_THIS" }

[actions]
tell_team = "team"
send_email = "mail"
send_receipt = "mail"
default = "crm"
"""
SECRETS = {"SLACK_URL": "https://hooks.slack.com/T1/secret-path", "CRM_SECRET": f"whsec_{'abcd' * 8}"}


@pytest.fixture
def channels(place, monkeypatch):
    (place / "lapse.toml").write_text(CHANNELS)
    (place / "password").write_text("secret\n")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_each_channel_that_actions_are_bound_to_can_work(lapse, channels):
    ran = lapse("doctor", "--format", "json")
    assert ran.code == 0
    assert ran.json["channels"] == {
        "crm": {"type": "webhook", "actions": ["default"], "works": True, "why": None},
        "mail": {"type": "email", "actions": ["send_email", "send_receipt"], "works": True, "why": None},
        "team": {"type": "slack", "actions": ["tell_team"], "works": True, "why": None},
    }
    assert re.search(r"^  mail +email, for send_email, send_receipt: can work$", lapse("doctor").out, re.MULTILINE)


def test_without_bindings_everything_goes_to_the_log(lapse):
    assert lapse("doctor", "--format", "json").json["channels"] == {
        "log": {"type": "log", "actions": ["default"], "works": True, "why": None},
    }


@pytest.mark.parametrize(("variable", "value", "name", "why"), [
    ("SLACK_URL", "", "team", "the environment variable SLACK_URL is empty or not set, "),
    ("SLACK_URL", "https://hooks.slack.com:secret-path/", "team", "SLACK_URL: this is no url: its host or its port "),
    ("SLACK_URL", "https://[secret-path", "team", "SLACK_URL: this is no url: its host or its port cannot be read"),
    ("SLACK_URL", "http://127.0.0.1/secret-path", "team", "127.0.0.1 is not a public address; "),
    ("CRM_SECRET", "secret-path", "crm", "CRM_SECRET: a secret for signatures begins with 'whsec_'"),
    ("SSL_CERT_FILE", "nowhere.pem", "crm", "the certificates it is to trust cannot be read, see SSL_CERT_FILE: No "),
    ("SSL_CERT_FILE", "nowhere.pem", "mail", "the certificates it is to trust cannot be read, see SSL_CERT_FILE: No "),
    ("SSL_CERT_FILE", "password", "crm", "the certificates it is to trust cannot be read, see SSL_CERT_FILE: it "),
    ("SSL_CERT_FILE", "password", "mail", "the certificates it is to trust cannot be read, see SSL_CERT_FILE: it "),
])  # fmt: skip
def test_one_that_cannot_work_is_a_problem_and_no_secret_is_told(
    lapse, channels, monkeypatch, variable, value, name, why
):
    monkeypatch.setenv(variable, value)
    ran = lapse("doctor", "--format", "json")
    assert ran.code == 1
    assert ran.json["channels"][name]["works"] is False
    assert ran.json["channels"][name]["why"].startswith(why)
    assert f"the channel '{name}' cannot work: {ran.json['channels'][name]['why']}" in ran.json["problems"]
    ran = lapse("doctor")
    assert ran.code == 1
    assert ": cannot work\n" in ran.out
    assert f"problem: the channel '{name}' cannot work: {why}" in ran.out
    assert "secret-path" not in ran.out


def test_a_file_with_a_secret_has_to_be_readable(lapse, channels, place):
    (place / "password").write_bytes(b"\xff\xfe")
    (problem,) = lapse("doctor", "--format", "json").json["problems"]
    assert problem == (
        "the channel 'mail' cannot work: the file password is not text in UTF-8, and a channel needs the secret in it"
    )
    (place / "password").unlink()
    (problem,) = lapse("doctor", "--format", "json").json["problems"]
    assert problem.endswith("the file password cannot be read, and a channel needs the secret in it: "
                            "No such file or directory")  # fmt: skip


def test_what_has_to_be_installed_is_named(lapse, channels, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    found = lapse("doctor", "--format", "json").json["channels"]
    assert {name: one["why"] and one["why"].rpartition(": ")[2] for name, one in found.items()} == {
        "crm": "pip install 'lapse[webhook]'",
        "mail": None,
        "team": "pip install 'lapse[webhook]'",
    }


def test_functions_are_known_to_their_program_alone(lapse, place):
    (place / "lapse.toml").write_text('[actions]\nhello = "python"\ngoodbye = "log"\n')
    ran = lapse("doctor", "--format", "json")
    assert ran.code == 0
    assert ran.json["channels"]["python"] == {"type": "python", "actions": ["hello"], "works": None, "why": None}
    assert ran.json["warnings"] == [
        "only a program that registers a function carries out 'hello'; 'lapse run' and 'lapse serve' do not"
    ]


def test_what_waits_because_nothing_binds_it_is_a_problem_with_a_way_out(lapse, place):
    (place / "rules" / "cart.rules").write_text("Rule: cart\nTrigger: cart_updated\nAction: hello\nAction: bye\n")
    lapse("rules", "--rules", "rules")
    (place / "lapse.toml").write_text('[actions]\nhelo = "log"\nbye = "log"\n')
    with Engine.open(f"sqlite:///{place}/lapse.db") as engine:
        engine.ingest([{"event": "cart_updated", "user_id": user} for user in ("ann", "bob")])
        engine.run_due()
    ran = lapse("doctor", "--format", "json")
    assert (ran.code, ran.json["unbound"]) == (1, {"hello": 2})
    assert ran.json["problems"] == [
        "2 actions 'hello' wait: [actions] in lapse.toml binds others and not this one; name its channel there, or a "
        "default, and start Lapse again"
    ]
    (place / "lapse.toml").write_text('[actions]\nhello = "log"\nbye = "log"\n')
    ran = lapse("doctor", "--format", "json")
    assert (ran.code, ran.json["unbound"]) == (0, {})


def test_check_needs_no_secrets(lapse, channels, monkeypatch):
    for name in SECRETS:
        monkeypatch.delenv(name)
    assert lapse("check").code == 0


def test_one_event_is_taken_in_and_decided_in_memory(lapse, new_store):
    found = lapse("doctor", "--format", "json").json
    assert found["trial"] == {"decides_an_event": True, "why": None}
    assert found["extras"] == {"serve": "installed", "webhook": "installed"}
    assert found["counts"]["events"] == 0


def test_it_is_decided_whatever_the_settings_hold_back(lapse, place, new_store):
    (place / "lapse.toml").write_text(
        'quiet_hours = "00:00 to 23:59"\ngrace = "3 days"\n[types]\nunknown = "refuse"\n'
        '[caps]\nmarketing = "1 per person per day"\n'
    )
    assert lapse("doctor", "--format", "json").json["trial"]["decides_an_event"] is True


@pytest.mark.parametrize("module", ["jsonschema_rs", "orjson"])
def test_a_package_that_is_missing_is_named(lapse, new_store, monkeypatch, module):
    def broken(_zone):
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)

    monkeypatch.setattr("engine.trial._sent", broken)
    ran = lapse("doctor", "--format", "json")
    why = f"the package of '{module}', which Lapse needs, is not installed: pip install lapse"
    assert (ran.code, ran.json["trial"]) == (1, {"decides_an_event": False, "why": why})
    assert ran.json["problems"] == [f"an event cannot be taken in and decided: {why}"]


def test_what_else_goes_wrong_with_it_is_a_problem_too(lapse, new_store, monkeypatch):
    monkeypatch.setattr("engine.trial._sent", lambda _zone: 1 / 0)
    assert lapse("doctor", "--format", "json").json["problems"] == [
        "an event cannot be taken in and decided: ZeroDivisionError: division by zero"
    ]
    monkeypatch.setattr("engine.trial._sent", lambda _zone: [])
    (problem,) = lapse("doctor", "--format", "json").json["problems"]
    assert problem.endswith("the rule of the trial sent nothing")


def test_a_command_that_lacks_a_package_names_it(lapse, new_store, monkeypatch):
    monkeypatch.setitem(sys.modules, "engine.doctor", None)
    monkeypatch.delitem(sys.modules, "engine.cli.doctor", raising=False)
    command.cache_clear()
    ran = lapse("doctor")
    command.cache_clear()
    assert (ran.code, ran.err) == (
        2,
        "error: the package of 'engine.doctor', which Lapse needs, is not installed: pip install lapse\n",
    )


def test_a_full_disk_is_a_problem(lapse, monkeypatch):
    monkeypatch.setattr("engine.store.refusals.LEAST_FREE", 1 << 62)
    ran = lapse("doctor")
    assert ran.code == 1
    assert "problem: the disk is full: " in ran.out


def test_a_store_that_others_may_read_is_a_warning(lapse, place):
    (place / "lapse.db").chmod(0o644)
    assert lapse("doctor", "--format", "json").json["warnings"] == [
        "others than its owner may read or write the store's file (its rights are 644): chmod 600"
    ]
