"""``lapse addresses``."""

from __future__ import annotations

import sqlite3

import pytest

from engine.runtime.engine import Engine
from engine.testing import Clock

REASON = "550 no such \x1b[31muser"


def bounce(place, at, who):
    """A mail to somebody at example.com, and its bounce at once."""
    rules = place / "hello.rules"
    rules.write_text('Rule: hello\nTrigger: go\nAction: send_email "hello"\n')
    with Engine.open("sqlite:///lapse.db", rules=rules, clock=Clock(at)) as engine:
        engine.identify(who, {"email": f"{who}@example.com"})
        engine.ingest({"event": "go", "user_id": who})
        engine.run_due()
        report = {"event": "email_bounced", "user_id": who, "caused_by": engine.deliveries().items[0].key}
        engine.ingest({**report, "properties": {"hard": True, "reason": REASON}})


@pytest.fixture
def bounced(place):
    """An address that takes no mail, as of a moment."""
    bounce(place, "2026-01-01T10:00:00Z", "ann")


def test_without_any(lapse, new_store):
    ran = lapse("addresses")
    assert (ran.code, ran.out) == (0, "no address is kept from its mail\n")
    assert lapse("addresses", "--format", "json").json == {"addresses": [], "after": None}


def test_they_are_shown_with_why_and_since_when(lapse, bounced):
    ran = lapse("addresses")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].split() == [
        "ann@example.com", "email", "2026-01-01", "10:00", "550", "no", "such", "\\x1b[31muser",
    ]  # fmt: skip
    assert lapse("addresses", "--format", "json").json == {
        "addresses": [
            {
                "address": "ann@example.com",
                "channel_type": "email",
                "since": "2026-01-01T10:00:00Z",
                "reason": REASON,
            }
        ],
        "after": None,
    }


def test_of_somebody_who_is_erased_the_address_is_not_shown(lapse, bounced):
    assert lapse("erase", "ann", "--yes").code == 0
    assert "(not known any more)" in lapse("addresses").out
    assert lapse("addresses", "--format", "json").json["addresses"][0]["address"] is None


def test_pages(lapse, bounced, place):
    bounce(place, "2026-01-02T10:00:00Z", "bob")
    first = lapse("addresses", "--limit", "1", "--format", "json").json
    assert f"older ones: --after {first['after']}" in lapse("addresses", "--limit", "1").out
    assert "ann@example.com" in lapse("addresses", "--after", first["after"]).out
    assert lapse("addresses", "--after", "x").code == 2


def test_one_is_let_go(lapse, bounced):
    ran = lapse("addresses", "forget", "Ann@example.com")
    assert (ran.code, ran.out) == (0, "mail goes to 'Ann@example.com' again\n")
    ran = lapse("addresses", "forget", "ann@example.com")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "'ann@example.com' is not kept from its mail; 'lapse addresses' shows those that are\n"
    assert lapse("addresses").out == "no address is kept from its mail\n"
    assert lapse("addresses", "forget").code == 2


def test_in_a_workspace(lapse, bounced):
    assert lapse("workspaces", "create", "acme").code == 0
    assert lapse("addresses", "--workspace", "acme").out == "no address is kept from its mail\n"
    assert lapse("addresses", "forget", "ann@example.com", "--workspace", "acme").code == 1
    assert lapse("addresses", "--workspace", "amce").code == 2


def test_the_store_has_no_address_but_on_the_timeline(lapse, bounced, place):
    store = sqlite3.connect(place / "lapse.db")
    (row,) = store.execute("SELECT * FROM unreachable").fetchall()
    store.close()
    assert "ann" not in str(row)
