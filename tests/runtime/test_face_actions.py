"""Actions and what binds them: a name that nothing binds goes to the log, and that is said once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from engine import Engine
from engine.config import load_settings
from engine.daemon import Daemon
from engine.errors import ConfigError
from engine.testing import Clock, Recorder

RULES = """
Rule: r
Trigger: a
Action: send_email "hello"
Action: send_push "hi"
Action: set person.x = 1
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "some.rules"
    path.write_text(RULES)
    return path


def opened(rules: Path | None, **more: object) -> Engine:
    return Engine.open(rules=rules, settings=load_settings(store="sqlite://"), clock=Clock(), **more)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]


def test_what_nothing_binds_is_written_to_the_log_and_said_once(rules, caplog) -> None:
    caplog.set_level(logging.INFO, "lapse")
    with opened(rules) as engine:
        assert engine.unbound() == ["send_email", "send_push"]
        engine.action("send_push")(lambda action: None)
        assert engine.unbound() == ["send_email"]
        assert warnings(caplog) == []
        for user in ("ann", "bob"):
            engine.ingest({"event": "a", "user_id": user})
            engine.run_due()
        assert warnings(caplog) == ["nothing binds the action 'send_email': it is written to the log only"]
        told = [one.getMessage() for one in caplog.records if one.name == "lapse.actions"]
        assert sum('send_email "hello" for ann by r' in line for line in told) == 1
        assert engine.counts_by_rule()[0].outbox == {"sent": 6}


def test_a_daemon_says_so_when_it_starts(rules, caplog) -> None:
    with opened(rules) as engine:
        daemon = Daemon(engine)
        daemon.start()
        daemon.stop()
    assert len(warnings(caplog)) == 2


def test_once_a_setting_binds_an_action_all_are_to_be_bound(rules) -> None:
    Path("lapse.toml").write_text('[actions]\nsend_mail = "log"\nsend_push = "log"\n')
    with pytest.raises(ConfigError, match="nothing is bound to the action 'send_email'"):
        opened(rules)
    with opened(None) as engine:
        engine.action("send_email")(lambda action: None)
        assert engine.load(rules).ok
        assert engine.unbound() == []
    Path("lapse.toml").write_text('[actions]\nsend_push = "log"\ndefault = "log"\n')
    with opened(rules) as engine:
        assert engine.unbound() == []


def test_an_edit_that_names_an_unbound_action_changes_nothing(rules) -> None:
    Path("lapse.toml").write_text('[actions]\nsend_email = "log"\nsend_push = "log"\n')
    with opened(rules) as engine:
        rules.write_text(rules.read_text().replace("send_push", "send_pish"))
        found = engine.reload()
        (problem,) = [one for _, one in found.findings if one.severity == "error"]
        assert (problem.code, problem.help) == ("unknown-action", "did you mean 'send_push'?")
        assert [rule.id for rule in engine.live.rules.values()] == ["r"]


def test_where_a_default_carries_the_others_all_are_bound(rules) -> None:
    Path("lapse.toml").write_text(
        '[actions]\ndefault = "hook"\n[channels.hook]\ntype = "webhook"\nurl = "https://example.com"\n'
    )
    with opened(rules) as engine:
        assert engine.unbound() == []


def test_where_actions_go_nowhere_no_binding_is_needed(rules) -> None:
    with opened(rules, fallback=Recorder()) as engine:
        assert engine.unbound() == []


def test_an_action_of_a_removed_rule_is_still_tried_again(rules) -> None:
    """It has left, so it goes on to its receiver; it must not stand as due for ever."""
    tries = []

    def fails_once(action: object) -> None:
        tries.append(action)
        if len(tries) == 1:
            raise OSError("down")

    clock = Clock()
    with Engine.open(rules=rules, settings=load_settings(store="sqlite://"), clock=clock) as engine:
        engine.action("send_email")(fails_once)
        engine.ingest({"event": "a", "user_id": "ann"})
        engine.run_due()
        rules.write_text("Rule: other\nTrigger: z\n")
        assert engine.reload().ok
        clock.move("1 hour")
        engine.run_due()
        assert len(tries) == 2
        assert engine.next_due() is None


# ---------------------------------------------------------------------------------------------- templates


def template(name: str, text: str) -> None:
    path = Path("templates") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_rules_that_name_a_broken_template_are_refused(rules) -> None:
    template("hello.txt", "Hi {{ persn.name }}")
    with pytest.raises(ConfigError, match=r"templates/hello.txt: .*'persn'"):
        opened(rules)
    template("hello.txt", "Hi {{ person.name }}{% render 'part' %}")
    template("part.txt", "{% if %}")
    with pytest.raises(ConfigError, match=r"templates/part.txt: "):
        opened(rules)
    template("part.txt", "!")
    with opened(rules) as engine:
        assert engine.live.rules


def test_what_only_other_templates_pass_on_may_be_left_out(rules) -> None:
    template("hello.txt", "{% render 'part' %}")
    template("other.txt", "{% render 'part', mood: 'gay' %}")
    template("part.txt", "Hi {{ mood }}")
    with opened(rules) as engine:
        assert engine.live.rules


def test_templates_of_somebody_else_hinder_nothing(rules) -> None:
    template("index.html", "{% extends 'base' %}{{ url_for('x') }}")
    with opened(rules) as engine:
        assert engine.live.rules


def test_where_actions_go_nowhere_templates_are_not_looked_at(rules) -> None:
    template("hello.txt", "Hi {{ persn.name }}")
    with opened(rules, fallback=Recorder()) as engine:
        assert engine.live.rules
