"""What a command needs and lacks is told before it changes anything: no file is made, no rule goes live."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from engine.runtime.engine import Engine

GOOD = "Rule: welcome\nTrigger: signed_up\nAction: send_email\n"
OTHER = "Rule: other\nTrigger: signed_up\nAction: send_email\n"
WRONG = "Rule: welcome\nTrigger: signed_up\nActon: send_email\n"

HOOK = '[channels.crm]\ntype = "webhook"\nurl = "https://crm.example.com/"\n{more}[actions]\nsend_email = "crm"\n'
SETTINGS = {
    "secret": HOOK.format(more='secrets = [{ env = "NOT_SET_ANYWHERE" }]\n'),
    "hook": HOOK.format(more=""),
    "python": '[actions]\nsend_email = "python"\n',
    "wrong": 'stroe = "sqlite:///x.db"\n',
    "sender": '[channels.mail]\ntype = "email"\nhost = "h"\nfrom = "nobody"\n[actions]\nsend_email = "mail"\n',
}
DAEMON = [
    ("secret", "NOT_SET_ANYWHERE is empty or not set"),
    ("hook", "pip install 'lapse[webhook]'"),
    ("python", "is bound to Python"),
    ("wrong", "'stroe' is no setting"),
    ("sender", "the channel 'mail' cannot work"),
]
MISSING = {"hook": "httpcore2"}

ALONE = [
    (("serve", "--port", "{taken}"), GOOD, "cannot listen at 127.0.0.1, port"),
    (("serve", "--no-daemon", "--port", "{taken}"), GOOD, "cannot listen at 127.0.0.1, port"),
    (("serve", "--no-daemon", "--rules", "rules"), GOOD, "--no-daemon makes no rules live"),
    (("serve", "--rules", "nowhere"), GOOD, "'nowhere'"),
    (("serve",), WRONG, "nothing was done"),
    (("run", "--rules", "nowhere"), GOOD, "'nowhere'"),
    (("run",), WRONG, "nothing was done"),
    (("ingest", "absent.jsonl"), GOOD, "absent.jsonl cannot be read"),
    (("ingest", "there.jsonl", "absent.jsonl"), GOOD, "absent.jsonl cannot be read"),
    (("ingest", "there.jsonl", "--map", "nonsense"), GOOD, "is not FIELD=COLUMN"),
    (("ingest", "there.jsonl", "--rules", "nowhere"), GOOD, "'nowhere'"),
    (("ingest", "there.jsonl"), WRONG, "nothing was done"),
    (("rules", "--rules", "rules"), WRONG, "nothing was done"),
    (("rules", "welcom", "--rules", "rules"), GOOD, "did you mean 'welcome'"),
    (("keys", "create"), GOOD, "a key needs a --role"),
    (("keys", "create", "--role", "owner", "--expires", "2020-01-01T00:00:00Z"), GOOD, "that is over already"),
    (("keys", "create", "--role", "owner", "--workspace", "nowhere"), GOOD, "there is no workspace 'nowhere'"),
    (("workspaces", "create", "no/name"), GOOD, "is no name of a workspace"),
    (("pause", "--channel", "nowhere"), GOOD, "there is no channel 'nowhere'"),
    (("pause", "welcome", "--all"), GOOD, "name a rule, a --channel, or say --all"),
    (("types", "create", "order.paid", "--schema", "schema.json"), GOOD, "schema"),
    (("types", "create", ""), GOOD, "event"),
]


@pytest.fixture
def taken():
    """A port that is listened to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def folder(place):
    (place / "rules").mkdir()
    (place / "rules" / "welcome.rules").write_text(GOOD)
    (place / "there.jsonl").write_text(
        '{"event": "signed_up", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z"}\n'
    )
    (place / "schema.json").write_text('{"type": "nonsense"}')


def files(place: Path) -> set[str]:
    return {one.name for one in place.iterdir()}


@pytest.mark.parametrize(
    ("words", "text", "told"), ALONE, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_a_command_that_cannot_be_carried_out_makes_no_store(lapse, place, taken, words, text, told):
    (place / "rules" / "welcome.rules").write_text(text)
    before = files(place)
    ran = lapse(*(word.format(taken=taken) for word in words))
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert files(place) == before


@pytest.mark.parametrize("verb", ["run", "serve"])
@pytest.mark.parametrize(("name", "told"), DAEMON)
def test_a_daemon_whose_settings_cannot_work_makes_no_store(lapse, place, monkeypatch, verb, name, told):
    (place / "lapse.toml").write_text(SETTINGS[name])
    if name in MISSING:
        monkeypatch.setitem(sys.modules, MISSING[name], None)
    before = files(place)
    ran = lapse(verb)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert files(place) == before


def test_the_service_without_its_packages_makes_no_store(lapse, place, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    before = files(place)
    ran = lapse("serve")
    assert ran.code == 2
    assert ran.err == "error: the HTTP service needs 'uvicorn', which is not installed: pip install 'lapse[serve]'\n"
    assert files(place) == before


def test_a_host_nobody_knows_makes_no_store(lapse, place, monkeypatch):
    def unknown(host: str, *_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Engine.open("sqlite:///lapse.db", rules="rules"):
        pass
    (place / "rules" / "welcome.rules").write_text(OTHER)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ran = lapse("serve", "--host", "no.such.host")
    assert ran.code == 2
    assert "cannot listen at no.such.host" in ran.err
    assert live() == ["welcome"]


def live() -> list[str]:
    with Engine.open("sqlite:///lapse.db") as engine:
        return sorted(engine.live.rules[one].program.id for one in engine.live.rules)


LIVE = [
    (("serve", "--port", "{taken}"), "", "cannot listen at 127.0.0.1, port"),
    (("serve",), "secret", "NOT_SET_ANYWHERE"),
    (("serve", "--rules", "rules", "--rules", "nowhere"), "", "'nowhere'"),
    (("run",), "secret", "NOT_SET_ANYWHERE"),
    (("run",), "python", "is bound to Python"),
    (("ingest", "absent.jsonl"), "", "absent.jsonl cannot be read"),
    (("rules", "nope", "--rules", "rules"), "", "no rule 'nope' is live"),
]


@pytest.mark.parametrize(
    ("words", "settings", "told"), LIVE, ids=lambda one: " ".join(one) if isinstance(one, tuple) else ""
)
def test_a_command_that_cannot_be_carried_out_leaves_the_rules_that_are_live(
    lapse, place, taken, words, settings, told
):
    with Engine.open("sqlite:///lapse.db", rules="rules"):
        pass
    (place / "rules" / "welcome.rules").write_text(OTHER)
    (place / "lapse.toml").write_text(SETTINGS.get(settings, ""))
    ran = lapse(*(word.format(taken=taken) for word in words))
    assert ran.code == 2
    assert told in ran.err
    (place / "lapse.toml").unlink()
    assert live() == ["welcome"]


@pytest.mark.parametrize("verb", ["run", "serve"])
def test_a_log_that_cannot_be_written_is_told_and_nothing_starts(lapse, place, monkeypatch, verb):
    class Full:
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

        def close(self) -> None: ...

    monkeypatch.setattr("engine.cli.logs.stderr", Full)
    before = files(place)
    ran = lapse(verb)
    assert ran.code == 2
    assert ran.out == "error: the log cannot be written to standard error: No space left on device\n"
    assert files(place) == before
