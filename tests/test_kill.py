"""A process that ingests and fires is killed at random: nothing acknowledged is lost, no action is missing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import Engine, Outgoing
from engine.clock import HOUR, WallClock
from engine.testing import Clock

ROUNDS = 5


def killed_after(forks: subprocess.Popen[str], first: int, lines: int) -> list[list[str]]:
    """What a process said until it was killed, some lines in."""
    assert forks.stdin is not None
    assert forks.stdout is not None
    forks.stdin.write(f"{first}\n")
    forks.stdin.flush()
    process, said = int(forks.stdout.readline()), []
    while (line := forks.stdout.readline()) not in ("dead\n", ""):
        said.append(line.split())
        if len(said) == lines:
            os.kill(process, signal.SIGKILL)
    assert len(said) >= lines, "it ended by itself"
    return said


@contextmanager
def forking(store: Path, rules: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.killed", str(store), str(rules)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parent.parent)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def survive(tmp_path: Path, rounds: int) -> None:
    store, rules = tmp_path / "lapse.db", tmp_path / "r.rules"
    rules.write_text("Rule: r\nTrigger: a\nAction: hello\n")
    with Engine.open(f"sqlite:///{store}", rules=rules):
        pass
    chance = random.Random(20260101)
    took: dict[str, str] = {}
    sent: list[tuple[str, str]] = []
    with forking(store, rules) as forks:
        for _ in range(rounds):
            for what, first, second in killed_after(forks, len(took), chance.randrange(1, 60)):
                if what == "took":
                    took[first] = second
                else:
                    sent.append((first, second))
    after_the_leases = Clock(WallClock().now() + HOUR)
    with Engine.open(f"sqlite:///{store}", rules=rules, clock=after_the_leases) as engine:
        finished = _finish(engine, store, rules)
        for number, id in took.items():
            again = engine.ingest({"event": "a", "user_id": f"u{number}", "message_id": f"m{number}"})
            assert [one.id for one in again.duplicates] == [id], "an acknowledged event is lost"
    keys = {key for _, key in sent} | finished
    people = {person for person, _ in sent}
    assert {f"u{number}" for number in took} <= people | _people(store, rules), "an action is missing"
    assert len(sent) - len({key for _, key in sent}) <= rounds, "more repeats than sends under way when killed"
    assert len(keys) >= len(took)


def _finish(engine: Engine, store: Path, rules: Path) -> set[str]:
    """Send what the last kill left behind; gives its keys."""
    keys: set[str] = set()

    def send(action: Outgoing) -> None:
        keys.add(action.key)

    engine.action("hello")(send)
    engine.run_due()
    return keys


def _people(store: Path, rules: Path) -> set[str]:
    """Everybody an action is recorded as having left for, or as being on its way to."""
    with Engine.open(f"sqlite:///{store}", rules=rules) as engine:
        return {one.person for one in engine.sent()}


def test_kills_at_random(tmp_path: Path) -> None:
    survive(tmp_path, ROUNDS)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_many_kills_at_random(tmp_path: Path) -> None:
    survive(tmp_path, 50)
