"""``lapse pause`` and ``lapse resume``."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def rules(lapse, place):
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


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_rule_that_is_not_live_is_told_plainly(lapse, verb):
    ran = lapse(verb, "wellcome")
    assert ran.code == 2
    assert ran.err == "error: no rule 'wellcome' is live; did you mean 'welcome'?\n"
