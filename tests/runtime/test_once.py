"""Calls that count once: the first under a key is carried out, the others get its answer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.clock import DAY
from engine.config import load_settings
from engine.daemon import Daemon
from engine.receipt import Receipt
from engine.runtime.engine import Engine
from engine.runtime.once import Once
from engine.runtime.repeats import DIFFERS
from engine.store import counters
from engine.testing import Clock

from .conftest import Lab

GOOD = {"event": "a", "user_id": "u"}
BAD = {"event": "a"}


def key(name: str = "k", lasts: int | None = DAY, digest: bytes = b"1", **more: Any) -> Once:
    return Once(more.pop("namespace", "door"), name, lasts, digest, **more)


def differing(engine: Engine) -> int:
    with engine.store.read() as connection:
        return counters.counters(connection, engine.workspace).get((0, DIFFERS), 0)


LASTS = pytest.mark.parametrize("lasts", [DAY, None], ids=["for a time", "with its event"])


@LASTS
def test_a_repeated_call_gets_the_first_ones_answer_and_stores_nothing(lab: Lab, lasts: int | None) -> None:
    with lab() as here:
        first = here.engine.ingest(GOOD, once=key(lasts=lasts))
        again = here.engine.ingest(GOOD, once=key(lasts=lasts))
        assert (first.repeated, first.differs) == (False, False)
        assert (again.repeated, again.differs) == (True, False)
        assert again.outcomes == first.outcomes
        assert here.engine.arrivals().total == 1
        assert differing(here.engine) == 0


@LASTS
@pytest.mark.parametrize("item", [{"event": "b", "user_id": "v"}, BAD], ids=["good", "bad"])
def test_one_that_says_something_else_is_told_so_and_counted(lab: Lab, lasts: int | None, item: Any) -> None:
    with lab() as here:
        first = here.engine.ingest(GOOD, once=key(lasts=lasts))
        for times in (1, 2):
            other = here.engine.ingest(item, once=key(lasts=lasts, digest=b"2"))
            assert (other.repeated, other.differs) == (True, True)
            assert other.outcomes == first.outcomes
            assert differing(here.engine) == times
        assert here.engine.find("v") is None


def test_the_answer_is_complete(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest({**GOOD, "message_id": "m"})
        here.engine.types.create("strict", schema={"type": "object", "required": ["x"]})
        items = [
            GOOD,
            {**GOOD, "message_id": "m"},
            {"event": "half \ud83d", "user_id": "u"},
            {"event": "strict", "user_id": "u"},
            "text",
            {**GOOD, "user_id": "v", "message_id": "m"},
        ]
        first = here.engine.ingest(items, once=key())
        assert [one.status for one in first.outcomes] == [
            "accepted", "duplicate", "rejected", "rejected", "rejected", "duplicate",
        ]  # fmt: skip
        assert [one.event for one in first.rejected] == ["half \ud83d", "strict", None]
        assert here.engine.ingest(GOOD, once=key()).outcomes == first.outcomes


def test_keys_of_other_namespaces_are_other_keys_and_none_is_a_message_id(lab: Lab) -> None:
    with lab() as here:
        for lasts in (None, DAY):
            for namespace in ("message", "x", "y"):
                name = key(lasts=lasts, namespace=f"{namespace}-{lasts}")
                assert not here.engine.ingest(GOOD, once=name).repeated
        assert here.engine.ingest({**GOOD, "message_id": "k"}).stored == 1
        assert {one.message_id for one in here.engine.events().events} == {None, "k"}


def test_keys_of_other_workspaces_are_other_keys(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        for lasts in (DAY, None):
            assert not one.ingest(GOOD, once=key(lasts=lasts)).repeated
            assert not two.ingest(GOOD, once=key(lasts=lasts)).repeated


@LASTS
def test_a_call_of_which_nothing_was_accepted_uses_no_key_up(lab: Lab, lasts: int | None) -> None:
    with lab() as here:
        assert not here.engine.ingest(BAD, once=key(lasts=lasts)).repeated
        here.engine.types.create("a", schema={"type": "object", "required": ["x"]})
        assert not here.engine.ingest(GOOD, once=key(lasts=lasts)).ok
        first = here.engine.ingest({**GOOD, "properties": {"x": 1}}, once=key(lasts=lasts))
        assert (first.repeated, first.stored) == (False, 1)
        assert here.engine.ingest(BAD, once=key(lasts=lasts)).outcomes == first.outcomes


def test_unless_it_keeps_refusals(lab: Lab) -> None:
    with lab() as here:
        first = here.engine.ingest(BAD, once=key(keeps_refusals=True))
        again = here.engine.ingest(GOOD, once=key(keeps_refusals=True))
        assert again.repeated
        assert again.outcomes == first.outcomes
        assert here.engine.arrivals().total == 0


def test_a_duplicate_uses_its_key_up(lab: Lab) -> None:
    with lab() as here:
        named = {**GOOD, "message_id": "m"}
        (stored,) = here.engine.ingest(named).outcomes
        here.engine.ingest(named, once=key(lasts=None))
        (again,) = here.engine.ingest(GOOD, once=key(lasts=None)).outcomes
        assert again == stored


def test_a_key_is_free_again_when_its_time_is_over(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest(GOOD, once=key())
        here.clock.set(here.clock.now() + DAY - 1)
        assert here.engine.ingest(GOOD, once=key()).repeated
        here.clock.set(here.clock.now() + 1)
        assert not here.engine.ingest(GOOD, once=key()).repeated
        assert here.engine.ingest(GOOD, once=key()).repeated
        here.move("900 days")
        assert here.engine.ingest(GOOD, once=key("kept", lasts=None)).stored == 1
        here.move("900 days")
        assert here.engine.ingest(GOOD, once=key("kept", lasts=None)).repeated


def test_expired_answers_are_dropped(tmp_path: Path) -> None:
    clock = Clock()
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")
    with Engine.open(settings=settings, clock=clock) as engine:
        engine.ingest(GOOD, once=key("short", lasts=DAY))
        engine.ingest(GOOD, once=key("long", lasts=2 * DAY))
        clock.move("1 day")
        daemon = Daemon(engine)
        daemon._keep_house()
        daemon.stop()
        with engine.store.read() as connection:
            assert connection.exec_driver_sql("SELECT key FROM answers").scalars().all() == ["long"]


def test_calls_that_share_a_transaction(lab: Lab) -> None:
    """While the writer is busy they pile up, and then go together."""
    with lab() as here:
        go_on = threading.Event()
        blocked = threading.Thread(target=here.engine.writer.run, args=(lambda _: go_on.wait(60),))
        blocked.start()
        calls = [
            ([BAD], key("k")),
            ([BAD], key("k")),
            ([GOOD, GOOD], key("k")),
            ([GOOD], key("k", digest=b"2")),
            ([GOOD], key("other")),
            ([GOOD], key("event", lasts=None)),
            ([GOOD], key("event", lasts=None)),
            ([GOOD], key("k", lasts=None)),
            ([GOOD], None),
        ]
        futures = [here.engine.submit(items, once=once) for items, once in calls]
        go_on.set()
        receipts = [future.result() for future in futures]
        blocked.join()
        assert [one.repeated for one in receipts] == [False, False, False, True, False, False, True, False, False]
        assert [len(one.rejected) for one in receipts[:2]] == [1, 1]
        assert receipts[3].outcomes == receipts[2].outcomes
        assert receipts[6].outcomes == receipts[5].outcomes
        assert [one.differs for one in receipts] == [False, False, False, True, *[False] * 5]
        assert here.engine.arrivals().total == 6
        assert differing(here.engine) == 1


@LASTS
def test_a_hundred_threads_with_one_key_store_one_event(tmp_path: Path, lasts: int | None) -> None:
    with Engine.open(f"sqlite:///{tmp_path}/lapse.db") as engine, ThreadPoolExecutor(100) as pool:
        for number in range(20):
            gate = threading.Barrier(100)

            def call(place: int, gate: threading.Barrier = gate, name: str = f"k{number}") -> Receipt:
                gate.wait()
                return engine.ingest({**GOOD, "properties": {"place": place}}, once=key(name, lasts=lasts))

            receipts = list(pool.map(call, range(100)))
            assert len({one.ids[0] for one in receipts}) == 1
            assert Counter(one.repeated for one in receipts) == {False: 1, True: 99}
            assert engine.arrivals().total == number + 1


CALLS = """
import sys
from engine.runtime.engine import Engine
from engine.runtime.once import Once
with Engine.open(sys.argv[1]) as engine:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(100):
        for lasts in (10**12, None):
            once = Once("door", f"k{number}", lasts, b"")
            receipt = engine.ingest({"event": "a", "user_id": "u"}, once=once)
            print(receipt.outcomes[0].id, receipt.repeated, flush=True)
"""


def test_two_processes_on_one_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url):
        pass
    processes = [
        subprocess.Popen([sys.executable, "-c", CALLS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    told = [one.communicate(timeout=240)[0].split("\n")[:-1] for one in processes]
    assert len(told[0]) == 200
    for first, second in zip(*map(sorted, told), strict=True):
        assert first.split()[0] == second.split()[0]
        assert {first.split()[1], second.split()[1]} == {"True", "False"}
    with Engine.open(url) as engine:
        assert engine.arrivals().total == 200


def test_what_is_beside_a_call_is_written_with_it_and_not_for_a_repeat(lab: Lab) -> None:
    with lab() as here:
        seen: list[Receipt] = []
        for _ in range(2):
            here.engine.submit([GOOD, BAD], once=key(), beside=lambda _, receipt: seen.append(receipt)).result()
        (receipt,) = seen
        assert [one.status for one in receipt.outcomes] == ["accepted", "rejected"]


def test_a_key_held_by_an_event_needs_one() -> None:
    with pytest.raises(ValueError, match="cannot be held by a call that stored none"):
        key(lasts=None, keeps_refusals=True)


@pytest.mark.parametrize("items", [[], [GOOD, GOOD]])
def test_a_key_held_by_an_event_has_one(lab: Lab, items: list[Any]) -> None:
    with lab() as here, pytest.raises(ValueError, match="only a call with one event"):
        here.engine.ingest(items, once=key(lasts=None))


def test_a_future_cannot_be_cancelled(lab: Lab) -> None:
    """A client that hangs up changes nothing about what is stored, and does not stop the writer."""
    with lab() as here:
        go_on = threading.Event()
        blocked = threading.Thread(target=here.engine.writer.run, args=(lambda _: go_on.wait(60),))
        blocked.start()
        future = here.engine.submit([GOOD], once=key())
        assert not future.cancel()
        go_on.set()
        blocked.join()
        assert future.result().stored == 1
        assert here.engine.ingest(GOOD).ok


def test_answers_are_small(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([GOOD] * 1_000, once=key())
        with here.engine.store.read() as connection:
            (text,) = connection.exec_driver_sql("SELECT outcomes FROM answers").scalars()
        assert len(json.loads(text)) == 1_000
        assert len(text) < 30_000
