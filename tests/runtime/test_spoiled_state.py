"""Cached state that cannot be read is worked out again from the timeline, and nobody else notices."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.config import load_settings
from engine.journeys.journey import FORMAT
from engine.testing import Clock, Recorder, travel

RULES = """
Rule: steps
Trigger: cart
Wait: 1 hour
Action: first with x = trigger.x
If: bought within 2 hours
  Action: thanks
Else:
  Action: set person.left = trigger.x
End:
Wait: 3 hours
Action: final

Rule: daily
Trigger: every day at 02:00
Action: daily

Rule: idle
Trigger: None
Condition: NOT any event in the last 3 hours
Action: idle
Limit: once per person per 2 days
"""
SPOILED = [
    "{",
    "[]",
    '{"place":"x"}',
    '{"v":99,"place":1}',
    '{"place":1,"effects":[[1,2]]}',
    "[[1,2,3]]",
    "null",
    "\x00",
]


class Shop:
    """A store on a file, with a crowd that is amid its journeys."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lapse.db"
        self.rules = folder / "r.rules"
        self.rules.write_text(RULES)
        self.clock = Clock("2026-01-01T00:00:00Z")
        self.sent = Recorder()

    def open(self) -> Engine:
        settings = load_settings(store=f"sqlite:///{self.path}")
        return Engine.open(rules=self.rules, clock=self.clock, settings=settings, fallback=self.sent)

    def begin(self, until: str) -> None:
        with self.open() as engine:
            engine.ingest(
                [{"event": "cart", "user_id": one, "message_id": one, "properties": {"x": one}} for one in "abc"]
            )
            travel(engine, self.clock, "2026-01-01T02:00:00Z")
            engine.ingest({"event": "bought", "user_id": "b", "message_id": "bought"})
            travel(engine, self.clock, until)

    def spoil(self, text: str, *persons: str) -> None:
        with sqlite3.connect(self.path) as store:
            asked = "person_id IN (SELECT person_id FROM identifiers WHERE value = ?)"
            for one in persons:
                for table in ("journeys", "watches"):
                    store.execute(f"UPDATE {table} SET state = ? WHERE {asked} AND state != ''", (text, one))
        store.close()

    def end(self, until: str = "2026-01-03T12:00:00Z") -> list[Any]:
        """What left and what is stored in the end; ids that chance made are left out."""
        with self.open() as engine:
            travel(engine, self.clock, until)
            assert engine.set_aside() == {}
            told = [(one.person, one.rule, one.action, one.moment, dict(one.variables)) for one in engine.sent()]
            with engine.store.read() as connection:
                rows = connection.exec_driver_sql(
                    "SELECT person_id, rule, start, decided_at, due_at, ended_at, reason, acted_at, left_at "
                    "FROM journeys ORDER BY person_id, rule, start"
                ).all()
                events = connection.exec_driver_sql(
                    "SELECT person_id, at, properties FROM attribute_changes ORDER BY person_id, at"
                ).all()
        return [sorted(map(str, told)), [tuple(row) for row in rows], [tuple(row) for row in events]]


WHEN = ["2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z", "2026-01-01T02:30:00Z", "2026-01-01T05:00:00Z"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    found = {}
    for when in WHEN:
        shop = Shop(tmp_path_factory.mktemp("sound"))
        shop.begin(when)
        found[when] = shop.end()
    return found


@pytest.mark.parametrize("text", SPOILED)
@pytest.mark.parametrize("when", WHEN)
def test_everybody_gets_what_they_would_have_got(
    tmp_path: Path, sound: dict[str, list[Any]], when: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(tmp_path)
    shop.begin(when)
    shop.spoil(text, "a", "b")
    with caplog.at_level(logging.WARNING):
        assert shop.end() == sound[when]
    assert not [one for one in caplog.messages if "set aside" in one]


def test_it_is_told_and_counted_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(tmp_path)
    shop.begin("2026-01-01T02:30:00Z")
    shop.spoil("{", "a")
    with caplog.at_level(logging.WARNING):
        shop.end()
    told = [one for one in caplog.messages if "worked out again" in one and "steps" in one]
    assert len(told) == 1
    with shop.open() as engine:
        notes = {one.rule: one.notes.get("state_rebuilt", 0) for one in engine.counts_by_rule()}
    assert notes["steps"] == 1


def test_person_and_erase_read_it_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.begin("2026-01-01T02:30:00Z")
    shop.spoil("{", "a", "c")
    with shop.open() as engine:
        seen = engine.person("a")
        assert seen is not None
        assert [one.actions[0][0] for one in seen.journeys if one.rule == "steps"] == ["first"]
        assert engine.erase("c") is not None
        assert engine.export("a") is not None


def test_a_store_of_the_first_format_opens_and_goes_on(tmp_path: Path, sound: dict[str, list[Any]]) -> None:
    """Before it had a version, a journey's state was the same without one, and a watch's a bare list."""
    shop = Shop(tmp_path)
    shop.begin(WHEN[3])
    with sqlite3.connect(shop.path) as store:
        written = f'"v":{FORMAT},'
        assert store.execute("SELECT count(*) FROM journeys WHERE instr(state, ?)", (written,)).fetchone()[0]
        assert store.execute("SELECT count(*) FROM watches WHERE instr(state, ?)", (written,)).fetchone()[0]
        store.execute("UPDATE journeys SET state = replace(state, ?, '')", (written,))
        store.execute("UPDATE watches SET state = json_extract(state, '$.moments') WHERE state != ''")
    store.close()
    assert shop.end() == sound[WHEN[3]]
    with shop.open() as engine:
        assert all("state_rebuilt" not in one.notes for one in engine.counts_by_rule())
