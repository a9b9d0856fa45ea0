"""What all verbs have in common: help, version, errors."""

from __future__ import annotations

import pytest

VERBS = ("run", "replay", "check", "test", "ingest", "preview", "rules", "person", "deliveries", "redrive", "doctor")


def test_help_names_every_verb(lapse):
    ran = lapse("--help")
    assert ran.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_page_with_an_example(lapse, verb):
    ran = lapse(verb, "--help")
    assert ran.code == 0
    assert f"  lapse {verb}" in ran.out
    assert "Options:" in ran.out


def test_version(lapse):
    ran = lapse("--version")
    assert ran.code == 0
    assert ran.out.startswith("lapse ")


def test_an_unknown_verb_is_refused(lapse):
    ran = lapse("rnu")
    assert ran.code == 2
    assert "'run'" in ran.err


def test_wrong_settings_are_told_without_a_traceback(lapse, place):
    (place / "lapse.toml").write_text('stroe = "sqlite:///x.db"\n')
    ran = lapse("rules")
    assert ran.code == 2
    assert "did you mean 'store'?" in ran.err
    assert "Traceback" not in ran.err


def test_a_store_that_cannot_be_opened_is_told_without_a_traceback(lapse, place):
    ran = lapse("rules", "--store", f"sqlite:///{place}/absent/lapse.db")
    assert ran.code == 2
    assert ran.err.startswith("error: ") or "\nerror: " in ran.err
    assert "Traceback" not in ran.err
