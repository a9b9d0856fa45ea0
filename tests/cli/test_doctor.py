"""``lapse doctor``."""

from __future__ import annotations

import os
import re
import sqlite3

import pytest

from engine.clock import DAY, HOUR, WallClock, iso
from engine.daemon import Daemon
from engine.runtime.engine import Engine

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
    assert ran.out.endswith("all is well\n")


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
