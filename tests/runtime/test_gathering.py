"""History is gathered while its file comes in and decided once, with the same outcome as event by event.

But for rules with ``Existing people: include``: whom a first look finds to meet their Conditions starts, and gathered
history is seen by one first look as a whole, as if all of the file had come in one call.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import iso
from engine.config import load_settings
from engine.files import EventFile
from engine.ingesting import ingest_file
from engine.runtime.deciding import Deciding
from engine.runtime.operations import Operations
from engine.testing import Clock, Recorder, travel

RULES = """
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "reminder"

Rule: lapsed
Trigger: None
Condition: NOT any event within 3 days
Action: send_email "we miss you"

Rule: loyal
Trigger: None
Condition: purchase_completed at least 2 times in the last 30 days
Action: set person.tier = "gold"

Rule: gold
Trigger: None
Condition: person.tier = "gold"
Action: send_push "gold"

Rule: page
Trigger: viewed
For each: trigger.page
Condition: NOT purchase_completed in the last 10 days
Wait: 1 hour
Action: send_email "page"
Exit: left

Rule: greeted
Trigger: signed_up
Wait: 2 days
Action: send_email "tips"
Exit: purchase_completed
"""
DAY_ZERO = "2026-01-10T00:00:00Z"
START = 1_768_003_200_000_000
DAY = 86_400_000_000
NAMES = ("cart_updated", "purchase_completed", "viewed", "left", "signed_up", "seen")

Events = list[dict[str, Any]]


class Store:
    """A store under a clock that stands still until it is moved."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path, self.clock, self.recorder = path, Clock(DAY_ZERO), Recorder()
        (path / "r.rules").write_text(RULES)
        self.engine = self.open(path / "r.rules")

    def open(self, rules: Path | None = None) -> Engine:
        settings = load_settings(store=f"sqlite:///{self.path / 'lapse.db'}", operation_page=3)
        return Engine.open(rules=rules, clock=self.clock, settings=settings, fallback=self.recorder)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What was decided, but for chance and for what only saves looking."""
        columns = {
            "journeys": "rule, version, person_id, value, start, due_at, ended_at, reason, acted_at, left_at",
            "outbox": "rule, person_id, step, name, status, reason, moment, due_at, ready_at, left_at",
            "set_aside": "rule, person_id",
            "events": "person_id, at, (SELECT name FROM event_types WHERE id = type_id), historical",
            "people": "id, first_seen, merged_into",
        }
        with self.engine.store.read() as connection:
            return {
                name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT {one} FROM {name}")), key=repr)
                for name, one in columns.items()
            }

    def outcome(self) -> tuple[Any, Any]:
        """What is decided by now, and what leaves in the days after."""
        self.engine.run_due()
        self.engine.settle()
        rows = self.rows()
        travel(self.engine, self.clock, START + 12 * DAY)
        self.engine.settle()
        sent = sorted((one.person, one.action, one.template or "", one.moment) for one in self.recorder.sent)
        return rows, (self.rows(), sent)


def item(chance: random.Random, earliest: int, latest: int) -> dict[str, Any]:
    user = chance.choice(("u1", "u2", "u3", "u4", "u5"))
    who: dict[str, Any] = {"user_id": user}
    if chance.random() < 0.2:
        who = {"anonymous_id": f"a{user}"}
    elif chance.random() < 0.1:
        who["anonymous_id"] = f"a{user}"
    at = iso(chance.randrange(earliest, latest))
    if chance.random() < 0.15:
        tier = chance.choice(("gold", "silver"))
        return {"type": "identify", "user_id": user, "traits": {"tier": tier}, "timestamp": at}
    name = chance.choice(NAMES)
    return {"event": name, **who, "timestamp": at, "properties": {"page": chance.choice("xy")}}


def story(seed: int) -> tuple[Events, list[Events], list[Events]]:
    """What comes live first, and pieces of history with what comes live between them."""
    chance = random.Random(seed)
    before = [item(chance, START - 2 * DAY, START) for _ in range(12)]
    pieces = [[item(chance, START - 20 * DAY, START) for _ in range(8)] for _ in range(4)]
    between = [[item(chance, START - DAY, START) for _ in range(chance.randrange(3))] for _ in pieces]
    return before, pieces, between


def play(store: Store, seed: int, *, gather: bool) -> tuple[Any, Any]:
    before, pieces, between = story(seed)
    assert store.engine.ingest(before).ok
    store.engine.run_due()
    for piece, live in zip(pieces, between, strict=True):
        store.engine.ingest(piece, historical=True, gather=gather)
        store.engine.ingest(live)
    store.engine.decide_gathered()
    return store.outcome()


@pytest.mark.parametrize("seed", range(12))
def test_history_that_is_gathered_ends_as_event_by_event(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


@pytest.mark.parametrize("seed", range(12, 18))
def test_history_in_one_transaction_with_what_comes_live_ends_the_same(tmp_path: Path, seed: int) -> None:
    one, other = Store(tmp_path / "together"), Store(tmp_path / "one-by-one")
    together, at_once = play_together(one, seed), play(other, seed, gather=False)
    one.engine.close()
    other.engine.close()
    assert together[1] == at_once[1]


def play_together(store: Store, seed: int) -> tuple[Any, Any]:
    """As :func:`play`, but a piece of history and what comes live share a transaction."""
    before, pieces, between = story(seed)
    assert store.engine.ingest(before).ok
    store.engine.run_due()
    aside = 0
    for piece, live in zip(pieces, between, strict=True):
        with held(store.engine):
            told = [
                store.engine.submit(piece, historical=True, gather=True),
                *(store.engine.submit(one) for one in live),
            ]
        assert all(one.result().ok for one in told)
        aside += len(store.rows()["set_aside"])
    assert aside, "what only history touches waits"
    store.engine.decide_gathered()
    return store.outcome()


@contextmanager
def held(engine: Engine) -> Iterator[None]:
    """Have the writer wait, so that what is handed in meanwhile shares its next transaction."""
    busy, go_on = threading.Event(), threading.Event()
    holding = threading.Thread(target=engine.writer.run, args=(lambda _: (busy.set(), go_on.wait(10)),))
    holding.start()
    assert busy.wait(10)
    yield
    go_on.set()
    holding.join()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 400))
def test_history_of_many_kinds_ends_as_event_by_event(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)


def check(path: Path, seed: int) -> None:
    one, other = Store(path / "gathered"), Store(path / "one-by-one")
    gathered, at_once = play(one, seed, gather=True), play(other, seed, gather=False)
    one.engine.close()
    other.engine.close()
    assert gathered[1] == at_once[1]
    assert gathered[0] == at_once[0]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    found = Store(tmp_path / "store")
    yield found
    found.engine.close()


def file_of(store: Store, people: int, times: int) -> Path:
    """A file that comes back to the same people piece by piece."""
    path = store.path / "history.jsonl"
    lines = (
        {"event": "purchase_completed", "user_id": f"u{person}", "timestamp": iso(START - turn * DAY - person)}
        for turn in range(1, times + 1)
        for person in range(people)
    )
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_a_file_decides_each_pair_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.ingesting.TOGETHER", 10)
    for person in range(10):
        store.engine.ingest({"event": "seen", "user_id": f"u{person}"})
    decided: list[int] = []
    decide = Deciding.decide
    monkeypatch.setattr(Deciding, "decide", lambda self, touches: decided.append(len(touches)) or decide(self, touches))
    told: list[tuple[int, int]] = []
    with EventFile(file_of(store, 10, 8)) as file:
        ingest_file(store.engine, file, historical=True, deciding=lambda *one: told.append(one))
    assert sum(decided) <= 10 * 5, "ten people, under no more than the rules that look at what came"
    assert told[-1][0] == told[-1][1] > 0
    with store.engine.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM set_aside").scalar() == 0


@pytest.mark.parametrize("moves", ["nothing happens", "the process ends amid the pages"])
def test_after_a_crash_what_was_gathered_is_decided_by_whoever_works_on_the_store(
    store: Store, moves: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, pieces, _ = story(3)
    store.engine.ingest(pieces[0], historical=True, gather=True)
    store.engine.run_due()
    assert store.rows()["set_aside"], "while pieces may come, nobody begins"
    if moves != "nothing happens":
        page = Operations._page

        def dies(self: Operations, *given: Any, **more: Any) -> Any:
            page(self, *given, **more)
            raise RuntimeError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(Operations, "_page", dies)
            with pytest.raises(RuntimeError):
                store.engine.decide_gathered()
    store.engine.close()
    store.clock.move("61 seconds")
    store.engine = store.open()
    assert store.rows()["set_aside"] == []


HONORED: dict[str, Callable[[Store], object]] = {
    "a view": lambda store: [one.rule for one in store.engine.person("u1").journeys],  # type: ignore[union-attr]
    "counts": lambda store: store.engine.settle() or [one.started for one in store.engine.counts_by_rule()],
    "an export": lambda store: [one["rule"] for one in store.engine.export("u1")["journeys"]],  # type: ignore[index]
}


@pytest.mark.parametrize("seen", HONORED)
def test_nobody_sees_that_history_waits(store: Store, tmp_path: Path, seen: str) -> None:
    other = Store(tmp_path / "at-once")
    history = [
        {"event": "purchase_completed", "user_id": "u1", "timestamp": iso(START - day * DAY)} for day in (1, 2, 3)
    ]
    for one, gather in ((store, True), (other, False)):
        one.engine.ingest({"event": "seen", "user_id": "u1"})
        one.engine.ingest(history, historical=True, gather=gather)
    assert store.rows()["set_aside"]
    assert HONORED[seen](store) == HONORED[seen](other)
    assert store.rows()["set_aside"] == []
    other.engine.close()


def test_an_action_does_not_leave_that_history_takes_back(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "at-once")
    for one, gather in ((store, True), (other, False)):
        one.engine.ingest({"event": "viewed", "user_id": "u1", "properties": {"page": "x"}})
        one.clock.move("1 hour")
        one.engine.decide_due()
        bought = {"event": "left", "user_id": "u1", "timestamp": iso(START + 1_000_000)}
        one.engine.ingest(bought, historical=True, gather=gather)
        one.engine.run_due()
    assert store.recorder.sent == other.recorder.sent
    other.engine.close()


def test_looking_gives_up_on_it_where_others_write_all_the_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = store.engine
    pieces = [item(random.Random(seed), START - 20 * DAY, START) for seed in range(40)]
    engine.ingest(pieces, historical=True, gather=True)
    before = len(store.rows()["set_aside"])
    gate, plain = engine.store.gate, engine.writer.run
    turns = []

    def run(function: Callable[[Any], Any]) -> Any:
        turns.append(function)
        gate.waited += 0.2
        return plain(function)

    monkeypatch.setattr(engine.writer, "run", run)
    assert not engine.settle(0.3)
    assert len(turns) == 2
    assert 0 < len(store.rows()["set_aside"]) < before
    assert engine.settle()
    assert not store.rows()["set_aside"]
