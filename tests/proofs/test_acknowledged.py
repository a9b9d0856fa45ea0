"""Acknowledged means stored: ``lapse serve`` is killed under load, and every 2xx answer is held against the store."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from engine import Engine
from engine.api import spellings
from tests.cli.conftest import PATIENCE, Ran, Served

CLIENTS = 6
BATCH = 5
RULES = "Rule: r\nTrigger: a\nAction: hello\n"
STORED = "SELECT json_extract(properties, '$.number'), public_id FROM events WHERE source <> 'action'"
Started = Callable[..., "subprocess.Popen[bytes]"]
Serving = Callable[..., Served]


class Ledger:
    """What clients were told: the id of every event that was acknowledged, by the number it carries."""

    def __init__(self, port: int, key: str, numbers: Iterator[int]) -> None:
        self.sent: set[int] = set()
        self.told: dict[int, str] = {}
        self._port, self._key, self._numbers = port, key, numbers
        self._guard = threading.Lock()
        self._enough = threading.Event()
        self._wanted = 0

    def fill(self, wanted: int, server: subprocess.Popen[bytes]) -> None:
        """Have clients send until so many events are acknowledged, kill the server, and see them all off."""
        self._wanted = wanted
        clients = [threading.Thread(target=self._client, args=(one,)) for one in range(CLIENTS)]
        for one in clients:
            one.start()
        assert self._enough.wait(PATIENCE)
        server.kill()
        server.wait()
        for one in clients:
            one.join()

    def _client(self, place: int) -> None:
        """Odd ones send batches; every other event has a message id."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            while True:
                numbers = self._some(BATCH if place % 2 else 1)
                ids = _ask(connection, self._key, numbers)
                with self._guard:
                    self.told |= zip(numbers, ids, strict=True)
                    if len(self.told) >= self._wanted:
                        self._enough.set()
        except (OSError, http.client.HTTPException):
            pass  # the server is gone
        finally:
            connection.close()

    def _some(self, how_many: int) -> list[int]:
        with self._guard:
            numbers = [next(self._numbers) for _ in range(how_many)]
            self.sent |= set(numbers)
            return numbers


def event(number: int) -> dict[str, object]:
    named = {"message_id": f"m-{number}"} if number % 2 else {}
    return {"event": "a", "user_id": f"u-{number % 97}", "properties": {"number": number}, **named}


def _ask(connection: http.client.HTTPConnection, key: str, numbers: list[int]) -> list[str]:
    """The ids of events that were acknowledged."""
    events = [event(number) for number in numbers]
    path, body = ("/v1/events", events[0]) if len(events) == 1 else ("/v1/events/batch", {"events": events})
    connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    found = json.loads(answer.read())
    assert answer.status == 200, found
    outcomes = found.get("outcomes", [found])
    assert {one["status"] for one in outcomes} == {"accepted"}
    return [one["id"] for one in outcomes]


def survive(place: Path, lapse: Callable[..., Ran], started: Started, serving: Serving, rounds: int) -> None:
    (place / "rules").mkdir()
    (place / "rules" / "r.rules").write_text(RULES)
    key = lapse("keys", "create", "--role", "agent", "--format", "json").json["key"]
    chance = random.Random(20260101)
    numbers = count()
    sent: set[int] = set()
    told: dict[int, str] = {}
    for _ in range(rounds):
        (place / "log").unlink(missing_ok=True)
        process = started("serve", "--port", "0")
        ledger = Ledger(serving(process, key).port, key, numbers)
        ledger.fill(chance.randrange(1, 400), process)
        sent |= ledger.sent
        told |= ledger.told
        check(place, sent, told)


def check(place: Path, sent: set[int], told: dict[int, str]) -> None:
    with Engine.open(f"sqlite:///{place / 'lapse.db'}") as engine, engine.store.read() as connection:
        rows = connection.exec_driver_sql(STORED).all()
    assert max(Counter(number for number, _ in rows).values()) == 1, "an event is stored twice"
    stored = {number: spellings.event(id) for number, id in rows}
    assert stored.keys() <= sent
    assert told.items() <= stored.items(), "an acknowledged event is lost"


def test_kills_under_load(place: Path, lapse: Callable[..., Ran], started: Started, serving: Serving) -> None:
    survive(place, lapse, started, serving, 3)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_kills_under_load(place: Path, lapse: Callable[..., Ran], started: Started, serving: Serving) -> None:
    survive(place, lapse, started, serving, 30)
