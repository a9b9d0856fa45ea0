"""``lapse pause`` and ``lapse resume``."""

from __future__ import annotations

import pytest

from engine.clock import WallClock
from engine.runtime import pausing
from engine.runtime.engine import Engine

SETTINGS = '[channels.crm]\ntype = "webhook"\nurl = "https://crm.example.com/"\n\n[actions]\ndefault = "log"\n'


@pytest.fixture(autouse=True)
def rules(lapse, place):
    (place / "lapse.toml").write_text(SETTINGS)
    (place / "some.rules").write_text("Rule: welcome\nTrigger: signed_up\n")
    assert lapse("rules", "--rules", "some.rules").code == 0


def test_a_rule_is_paused_until_it_is_resumed(lapse):
    assert lapse("pause", "welcome").out == "welcome is paused\n"
    assert lapse("rules", "--format", "json").json["rules"]["welcome"]["paused"]
    assert "welcome (paused)" in lapse("rules").out
    assert lapse("pause", "welcome").out == "welcome was paused already\n"
    assert lapse("resume", "welcome").out == "welcome goes on\n"
    assert lapse("resume", "welcome").out == "welcome was not paused\n"
    assert not lapse("rules", "--format", "json").json["rules"]["welcome"]["paused"]


@pytest.mark.parametrize(
    ("words", "what", "kind", "name"),
    [(("--channel", "crm"), "channel crm", "channel", "crm"), (("--all",), "all that leaves", "all", None)],
)
def test_a_channel_or_all_of_them(lapse, words, what, kind, name):
    assert lapse("pause", *words).out == f"{what} is paused\n"
    assert lapse("pause", *words).out == f"{what} was paused already\n"
    (told,) = lapse("pause", "--format", "json").json["pauses"]
    assert (told["kind"], told["name"], told["reason"]) == (kind, name, "by hand")
    assert lapse("resume", *words).out == f"{what} goes on\n"
    assert lapse("resume", *words).out == f"{what} was not paused\n"
    assert lapse("pause").out == "nothing is paused\n"


def test_what_is_paused_is_shown_with_why(lapse):
    with Engine.open("sqlite:///lapse.db") as engine:
        engine.writer.run(
            lambda connection: pausing.stop(
                connection, engine.workspace, "welcome", WallClock().now(), "it would act on more than 5 people"
            )
        )
        engine.pause_delivery("crm", "the receiver answered 410")
    told = lapse("pause").out.splitlines()
    assert ["rule welcome" in line and "more than 5 people" in line for line in told].count(True) == 1
    assert ["channel crm" in line and "410" in line for line in told].count(True) == 1
    assert "more than 5 people" in lapse("rules").out
    assert "more than 5 people" in lapse("rules", "welcome").out
    assert lapse("resume", "--all").out == (
        "all that leaves was not paused\nstill paused: rule welcome\nstill paused: channel crm\n"
    )
    lapse("resume", "welcome")
    lapse("pause", "welcome")
    assert "by hand" in lapse("rules", "welcome").out


def test_a_channel_whose_table_is_gone_can_go_on(lapse, place):
    lapse("pause", "--channel", "crm")
    (place / "lapse.toml").unlink()
    assert lapse("resume", "--channel", "crm").out == "channel crm goes on\n"
    assert lapse("resume", "--channel", "crm").code == 2


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_rule_or_channel_that_is_none_is_told_plainly(lapse, verb):
    ran = lapse(verb, "wellcome")
    assert ran.code == 2
    assert ran.err == "error: no rule 'wellcome' is live; did you mean 'welcome'?\n"
    ran = lapse(verb, "--channel", "crmm")
    assert ran.code == 2
    assert ran.err == "error: there is no channel 'crmm'; did you mean 'crm'?\n"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_one_thing_at_a_time(lapse, verb):
    for words in (("welcome", "--all"), ("--channel", "crm", "--all"), ("welcome", "--channel", "crm")):
        assert lapse(verb, *words).err == "error: name a rule, a --channel, or say --all\n"
    assert lapse("resume").code == 2
