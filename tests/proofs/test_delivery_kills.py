"""A sender is killed again and again, at random and at each point where it matters, before receivers that never die.

Every action arrives; what arrives twice is the same bytes under the same id; and no more arrives twice than was on its
way when its sender was killed. With ``at_most_once`` nothing does.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from engine import Engine
from tests.proofs.arrivals import Arrival, Arrivals, helper, recording, until

CONCURRENCY = 4
PEOPLE = 15
"""New ones before each kill, with an action on each channel."""

POINTS = ("claimed", "sealed", "before", "held", "answered", "recorded", "random")
"""Where a sender dies. ``held``: a receiver has it and has not answered; ``random``: some arrivals after it began."""

RULES = """\
Rule: told
Trigger: went
Action: tell_crm "hello"

Rule: mailed
Trigger: went
Action: send_email "hello"
"""
SETTINGS = """\
store = "sqlite:///lapse.db"

[channels.crm]
type = "webhook"
url = "http://127.0.0.1:{crm}/{run}"
allow = ["127.0.0.1"]
secrets = [{{ file = "secret" }}]
{common}

[channels.mail]
type = "email"
host = "127.0.0.1"
port = {mail}
tls = "none"
from = "Shop <run-{run}@shop.example>"
{common}

[actions]
tell_crm = "crm"
send_email = "mail"

[guard]
people_per_hour = 1000000

[delivery]
lease = "2 minutes"
"""
STATES = "SELECT key, name, status FROM outbox"
LEASES_END = "UPDATE outbox SET due_at = 0, ready_at = 0 WHERE status = 'sending'"


class Sender:
    """A process that sends."""

    def __init__(self, forks: subprocess.Popen[str], *told: str | int) -> None:
        assert forks.stdin is not None
        assert forks.stdout is not None
        self._said = forks.stdout
        forks.stdin.write(json.dumps(told) + "\n")
        forks.stdin.flush()
        self._process = int(self._said.readline())
        self._seen_dead = False

    @property
    def is_dead(self) -> bool:
        return self._seen_dead or bool(select.select([self._said], [], [], 0)[0])

    def kill(self) -> None:
        """Kill it, unless it is dead, and wait for its end."""
        if not self._seen_dead:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            self._seen_dead = self._said.readline() == "dead\n"


class Killing:
    """Senders on one store, one after the other; each comes by a way of its own."""

    def __init__(self, place: Path, forks: subprocess.Popen[str], crm: Arrivals, mail: Arrivals, delivery: str) -> None:
        self.place, self.crm, self.mail = place, crm, mail
        self._forks = forks
        self._common = f'concurrency = {CONCURRENCY}\ntimeout = "1 minute"\ndelivery = "{delivery}"'
        self._chance = random.Random(20260101)
        self.runs = 0
        self.points: Counter[str] = Counter()
        (place / "r.rules").write_text(RULES)
        (place / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        (place / "templates").mkdir()
        for kind, text in (
            ("subject", "Hello"),
            ("txt", "Hello {{ person.email }},\r\nnumber {{ trigger.number }}.\n"),
        ):
            (place / "templates" / f"hello.{kind}").write_text(text)
        self._set_up()
        self.engine = Engine.open(rules=place / "r.rules")

    def _set_up(self) -> None:
        """The settings of the next run."""
        given = {"run": self.runs, "crm": self.crm.port, "mail": self.mail.port, "common": self._common}
        (self.place / "lapse.toml").write_text(SETTINGS.format(**given))

    def ingest(self) -> None:
        first = self.runs * PEOPLE
        for number in range(first, first + PEOPLE):
            self.engine.identify(f"u{number}", {"email": f"u{number}@example.com"})
        events = [
            {"event": "went", "user_id": f"u{number}", "properties": {"number": number}}
            for number in range(first, first + PEOPLE)
        ]
        assert self.engine.ingest(events).ok

    @property
    def arrived(self) -> int:
        return len(self.crm.all) + len(self.mail.all)

    def kill(self, point: str) -> None:
        """Let a sender run that dies at a point, or is killed there. What it had is free at once, not after a while."""
        self.ingest()
        first, seen = point in ("claimed", "sealed"), self.arrived
        with self._running(point, self._chance.randint(1, 2 if first else PEOPLE)) as sender:
            held = self._chance.choice([self.crm, self.mail]) if point == "held" else None
            with nullcontext() if held is None else held.answering_nobody():
                if held is not None:
                    there = len(held.all)
                    until(lambda: len(held.all) > there)
                elif point == "random":
                    wanted = seen + self._chance.randint(0, 2 * PEOPLE)
                    until(lambda: self.arrived >= wanted or self.all_left())
                else:
                    until(lambda: sender.is_dead or self.all_left())
                sender.kill()
        self.engine.writer.run(lambda connection: connection.exec_driver_sql(LEASES_END).close())
        self.points[point] += 1

    def finish(self) -> None:
        """A last sender does what the others left."""
        with self._running("none", 0):
            until(self.all_left)

    @contextmanager
    def _running(self, point: str, time: int) -> Iterator[Sender]:
        self._set_up()
        sender = Sender(self._forks, str(self.place), point, time)
        try:
            yield sender
        finally:
            sender.kill()
            self.runs += 1

    def states(self) -> dict[str, dict[str, str]]:
        """By action, the state of each key."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        with self.engine.store.read() as connection:
            for key, name, status in connection.exec_driver_sql(STATES):
                found[name][key] = status
        return found

    def all_left(self) -> bool:
        return {status for states in self.states().values() for status in states.values()} <= {"sent", "parked"}


Kill = Callable[[str, int], Killing]


@pytest.fixture
def kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kill]:
    """``kill(delivery, times)``: senders are killed so often, the last one finishes; gives what there is to see."""
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def run(delivery: str, times: int) -> Killing:
            crm = stack.enter_context(recording(tmp_path, "http", "crm"))
            mail = stack.enter_context(recording(tmp_path, "smtp", "mail"))
            forks = stack.enter_context(helper("delivery_sender"))
            killing = Killing(tmp_path, forks, crm, mail, delivery)
            stack.callback(killing.engine.close)
            for number in range(times):
                killing.kill(POINTS[number % len(POINTS)])
            killing.finish()
            return killing

        yield run


def at_least_once(killing: Killing, kills: int) -> None:
    told = [f"{kills} kills ({', '.join(f'{point} {times}' for point, times in killing.points.items())})"]
    for name, action, receiver in (("webhook", "tell_crm", killing.crm), ("mail", "send_email", killing.mail)):
        arrivals, states = receiver.all, killing.states()[action]
        assert len(states) == kills * PEOPLE
        assert set(states.values()) == {"sent"}
        assert {key(one) for one in arrivals} == states.keys(), "an action is missing"
        assert len({(one.id, one.digest) for one in arrivals}) == len(states), "one id has two bodies"
        again = arrived_again(arrivals)
        assert max(again.values(), default=0) <= CONCURRENCY, "more came twice than was on its way"
        told.append(f"{name}: {len(states)} actions, {len(arrivals) - len(states)} raw duplicates")
    sys.stdout.write("; ".join(told) + "\n")


def at_most_once(killing: Killing, kills: int) -> None:
    told = [f"{kills} kills, at most once"]
    for name, action, receiver in (("webhook", "tell_crm", killing.crm), ("mail", "send_email", killing.mail)):
        arrived, states = Counter(map(key, receiver.all)), killing.states()[action]
        assert len(states) == kills * PEOPLE
        assert max(arrived.values()) == 1
        sent, parked = ({key for key, state in states.items() if state == wanted} for wanted in ("sent", "parked"))
        assert sent | parked == states.keys()
        assert sent <= arrived.keys() <= states.keys()
        assert 0 < len(parked) <= kills * CONCURRENCY
        told.append(
            f"{name}: {len(states)} actions, {len(parked)} parked, {len(parked & arrived.keys())} of them arrived"
        )
    sys.stdout.write("; ".join(told) + "\n")


def key(arrival: Arrival) -> str:
    """The action's: a mail's id is made of it."""
    return arrival.headers.get("lapse-key", arrival.id)


def arrived_again(arrivals: list[Arrival]) -> Counter[str]:
    """By the sender's way, how many it sent that came once more, by the same or another one."""
    left = Counter(one.id for one in arrivals)
    again: Counter[str] = Counter()
    for one in arrivals:
        left[one.id] -= 1
        again[one.way] += left[one.id] > 0
    return again


def test_kills(kill: Kill) -> None:
    at_least_once(kill("at_least_once", 10), 10)


def test_kills_of_what_may_not_come_twice(kill: Kill) -> None:
    at_most_once(kill("at_most_once", 7), 7)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_many_kills(kill: Kill) -> None:
    at_least_once(kill("at_least_once", 100), 100)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_many_kills_of_what_may_not_come_twice(kill: Kill) -> None:
    at_most_once(kill("at_most_once", 100), 100)
