"""Verbs on stores that are not there."""

from __future__ import annotations

import pytest

RULES = "Rule: cart\nTrigger: cart_updated\n"
LOG = '{"event": "cart_updated", "user_id": "ann", "timestamp": "2026-01-01T00:00:00Z"}\n'

LOOKING = (
    ("addresses",),
    ("addresses", "forget", "ann@example.com"),
    ("deliveries",),
    ("doctor",),
    ("erase", "ann", "--yes"),
    ("events",),
    ("keys", "list"),
    ("keys", "revoke", "key_01HV8ZB8C3V5N6M7P8Q9R0S1T2"),
    ("pause",),
    ("pause", "cart"),
    ("person", "ann"),
    ("preview", "welcome", "--person", "ann"),
    ("quarantine",),
    ("redrive", "--all"),
    ("resume", "--all"),
    ("rules",),
    ("types",),
    ("types", "delete", "order.paid"),
    ("workspaces", "list"),
)
"""What has nothing to work on where there is no store."""

MAKING = (
    ("ingest", "log.jsonl"),
    ("keys", "create", "--role", "agent"),
    ("pause", "--all"),
    ("rules", "--rules", "some.rules"),
    ("types", "create", "order.paid"),
    ("workspaces", "create", "acme"),
)
"""What may be the first thing that is done with a store; so may ``run`` and ``serve``, see their own tests."""


@pytest.mark.parametrize("words", LOOKING, ids=" ".join)
def test_a_store_that_is_not_there_is_told_and_not_made(lapse, place, words):
    ran = lapse(*words, "--store", "sqlite:///typo.db")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"error: there is no store at '{place / 'typo.db'}'; name the one you mean with --store or LAPSE_STORE, "
        "or make one with 'lapse run', 'lapse serve' or 'lapse ingest'\n"
    )
    assert list(place.iterdir()) == []


def test_so_is_one_that_the_settings_name_and_one_in_a_folder_that_is_not_there(lapse, place, monkeypatch):
    assert f"there is no store at '{place / 'lapse.db'}'" in lapse("doctor").err
    (place / "lapse.toml").write_text('store = "sqlite:///shop.db"\n')
    assert f"there is no store at '{place / 'shop.db'}'" in lapse("doctor").err
    monkeypatch.setenv("LAPSE_STORE", "sqlite:///absent/lapse.db")
    assert f"there is no store at '{place / 'absent' / 'lapse.db'}'" in lapse("doctor").err
    (place / "absent").write_text("a file")
    assert f"there is no store at '{place / 'absent' / 'lapse.db'}'" in lapse("doctor").err


@pytest.mark.parametrize("words", MAKING, ids=" ".join)
def test_what_may_come_first_makes_the_store(lapse, place, words):
    (place / "some.rules").write_text(RULES)
    (place / "log.jsonl").write_text(LOG)
    assert lapse(*words, "--store", "sqlite:///new.db").code == 0
    assert lapse("doctor", "--store", "sqlite:///new.db").code == 0


def test_a_store_in_memory_is_always_there(lapse, place):
    ran = lapse("doctor", "--store", "sqlite://")
    assert ran.code == 0
    assert list(place.iterdir()) == []


def test_one_that_cannot_be_looked_for_is_told_with_why(lapse):
    ran = lapse("doctor", "--store", f"sqlite:///{'x' * 300}.db")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be opened" in ran.err
