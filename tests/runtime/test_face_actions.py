"""Actions and what binds them: where nothing is bound at all they go to the log, else what nothing binds waits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import Engine
from engine.config import load_settings
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing
from engine.delivery.routing import UNBOUND
from engine.errors import ConfigError
from engine.store import outbox
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
        assert sum('send_email "hello" for ' in line and " by r (" in line for line in told) == 2
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


@pytest.fixture
def lived(tmp_path: Path, rules: Path) -> Callable[..., Engine]:
    """``lived(actions)``: an engine on the test's file, as after a restart with these actions in lapse.toml."""
    clock = Clock()
    with Engine.open(rules=rules, settings=load_settings(store=f"sqlite:///{tmp_path}/lapse.db"), clock=clock):
        pass

    def again(actions: str, passed: str = "0", **more: object) -> Engine:
        clock.move(passed)
        Path("lapse.toml").write_text(f"[actions]\n{actions}")
        return Engine.open(settings=load_settings(store=f"sqlite:///{tmp_path}/lapse.db"), clock=clock, **more)

    return again


def statuses(engine: Engine, name: str) -> list[str]:
    with engine.store.read() as connection:
        rows = outbox.listing(connection, engine.workspace, 0, 1_000)
    return [one.status for one in rows if one.name == name]


def test_once_others_are_bound_what_is_not_waits_until_it_is(lived, caplog) -> None:
    """The rules are in the store, so a slip in the settings stops none of them."""
    with lived('send_emial = "log"\nsend_push = "log"\n') as engine:
        assert engine.unbound() == ["send_email"]
        engine.warn_of_unbound()
        engine.ingest([{"event": "a", "user_id": user} for user in ("ann", "bob")])
        engine.run_due()
        engine.run_due()
        assert statuses(engine, "send_email") == ["pending"] * 2
        assert statuses(engine, "send_push") == ["sent"] * 2
        assert engine.next_due() is None
        assert warnings(caplog) == [f"nothing binds the action 'send_email': it waits: {UNBOUND}"]
        errors = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
        assert errors == [f"actions 'send_email' wait: {UNBOUND}"]
    with lived('send_email = "log"\nsend_push = "log"\n', "23 hours") as engine:
        engine.run_due()
        assert statuses(engine, "send_email") == ["sent"] * 2


def test_what_waited_for_its_binding_for_too_long_is_late(lived) -> None:
    with lived('send_push = "log"\n') as engine:
        engine.ingest({"event": "a", "user_id": "ann"})
        engine.run_due()
    with lived('send_push = "log"\ndefault = "log"\n', "25 hours") as engine:
        engine.run_due()
        assert statuses(engine, "send_email") == ["skipped_late"]


def test_what_left_already_waits_too_when_its_binding_is_gone(lived) -> None:
    tries: list[int] = []

    def fails_once(action: Outgoing) -> None:
        tries.append(action.attempt)
        if len(tries) == 1:
            raise OSError("down")

    bound = 'send_email = "python"\nsend_push = "log"\n'
    with lived(bound) as engine:
        engine.action("send_email")(fails_once)
        engine.ingest({"event": "a", "user_id": "ann"})
        engine.run_due()
        assert statuses(engine, "send_email") == ["failed"]
    with lived('send_push = "log"\n', "1 hour") as engine:
        engine.run_due()
        assert statuses(engine, "send_email") == ["failed"]
    with lived(bound) as engine:
        engine.action("send_email")(fails_once)
        engine.run_due()
        assert (statuses(engine, "send_email"), tries) == (["sent"], [1, 2])


def test_a_function_that_is_registered_binds_what_waited(lived) -> None:
    with lived('send_push = "log"\n') as engine:
        engine.ingest({"event": "a", "user_id": "ann"})
        engine.run_due()
        got: list[Outgoing] = []
        engine.action("send_email")(got.append)
        assert engine.unbound() == []
        engine.run_due()
        assert [one.action for one in got] == ["send_email"]


def test_where_actions_go_nowhere_none_waits(lived) -> None:
    recorder = Recorder()
    with lived('send_push = "log"\n', fallback=recorder) as engine:
        engine.ingest({"event": "a", "user_id": "ann"})
        engine.run_due()
        assert {one.action for one in recorder.sent} == {"send_email", "send_push"}


def test_an_edit_that_names_an_unbound_action_changes_nothing(rules) -> None:
    Path("lapse.toml").write_text('[actions]\nsend_email = "log"\nsend_push = "log"\n')
    with opened(rules) as engine:
        rules.write_text(rules.read_text().replace("send_push", "send_pish"))
        found = engine.reload()
        (problem,) = [one for _, one in found.findings if one.severity == "error"]
        assert (problem.code, problem.help) == ("unknown-action", "did you mean 'send_push'?")
        assert [rule.id for rule in engine.live.rules.values()] == ["r"]


def test_functions_given_when_it_is_opened_count_as_bound(rules) -> None:
    settings = load_settings(store="sqlite://", actions={"send_email": "log"})
    with pytest.raises(ConfigError, match="nothing is bound to the action 'send_push'"):
        Engine.open(rules=rules, settings=settings, clock=Clock())
    with Engine.open(rules=rules, settings=settings, clock=Clock(), actions={"send_push": print}) as engine:
        assert engine.unbound() == []


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
