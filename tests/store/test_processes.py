"""Several processes on one store: nothing is lost, one daemon, checkpoints while others write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import StoreLocked
from engine.store.store import Store
from tests.stopwatch import at_most

WRITE = """
import sys
from engine.store.store import Store
from engine.store.writer import Writer
store = Store("sqlite:///" + sys.argv[1])
def handle(connection, texts):
    for text in texts:
        connection.exec_driver_sql("INSERT INTO meta VALUES (1, ?, '')", (text,))
    return texts
writer = Writer(store, handle, lambda: None)
for number in range(int(sys.argv[3])):
    print(writer.submit(f"{sys.argv[2]}-{number}").result(), flush=True)
writer.close()
store.close()
"""

WITNESSED = """
import fcntl, os, sys
from contextlib import contextmanager
from engine.store import sqlite
from engine.store.limits import StoreLimits
from engine.store.store import Store
from engine.store.writer import Writer
store = Store("sqlite:///" + sys.argv[1], StoreLimits(log_bytes=200_000))
@contextmanager
def alone():
    witness = os.open(sys.argv[1] + ".witness", os.O_RDWR | os.O_CREAT)
    fcntl.flock(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield
    os.close(witness)
plain, checkpoints = sqlite.checkpoint, []
def checkpoint(connection):
    with alone():
        checkpoints.append(plain(connection))
        return checkpoints[-1]
sqlite.checkpoint = checkpoint
class Witnessed(Writer):
    def _transaction(self, *given):
        with alone():
            return super()._transaction(*given)
def handle(connection, texts):
    for text in texts:
        connection.exec_driver_sql("INSERT INTO meta VALUES (1, ?, hex(zeroblob(5000)))", (text,))
    return texts
writer = Witnessed(store, handle, lambda: None)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    writer.submit(f"{sys.argv[2]}-{number}").result()
    if number % 20 == 0:
        store.checkpoint()
writer.close()
print(sum(checkpoints), store.log_bytes, flush=True)
store.close()
"""

HOLD = """
import sys
from engine.store.store import Store
store = Store("sqlite:///" + sys.argv[1])
lock = store.lock()
print("held", flush=True)
sys.stdin.read()
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-c", program, *map(str, arguments)], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=os.getcwd())


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM meta WHERE workspace_id = 1").scalar_one())


def test_processes_that_open_and_write_at_once_lose_nothing(path: Path) -> None:
    """They also create the file at once."""
    processes = [start(WRITE, path, number, 100) for number in range(4)]
    acknowledged = sum(len(one.communicate(timeout=240)[0].split()) for one in processes)
    assert [one.returncode for one in processes] == [0] * 4
    store = Store(f"sqlite:///{path}")
    assert count(store) == acknowledged == 400
    store.close()


def test_checkpoints_get_their_turn_among_writers(path: Path, store: Store) -> None:
    processes = [start(WRITE, path, number, 400) for number in range(3)]
    for one in processes:
        told(one)
    whole = 0
    while any(one.poll() is None for one in processes):
        with at_most(5):
            whole += store.checkpoint()
        time.sleep(0.02)
    assert [one.wait() for one in processes] == [0] * 3
    for one in processes:
        one.communicate()
    assert count(store) == 1_200
    assert whole > 0
    assert store.checkpoint()
    assert store.doctor()["log_bytes"] == 0
    assert store.doctor()["integrity"] == "ok"


def test_no_checkpoint_runs_while_another_process_writes(path: Path, store: Store) -> None:
    """An SQLite with the WAL-reset bug may damage the file by it. The witness's lock would be refused."""
    processes = [start(WITNESSED, path, number, 100) for number in range(3)]
    for one in processes:
        assert told(one) == "ready"
    ends = [one.communicate("\n", timeout=240)[0].split() for one in processes]
    assert [one.returncode for one in processes] == [0] * 3
    assert all(int(checkpoints) >= 5 for checkpoints, _ in ends)
    assert all(int(left) < 250_000 for _, left in ends)
    assert count(store) == 300
    assert store.doctor()["integrity"] == "ok"


def test_acknowledged_rows_survive_a_kill(path: Path) -> None:
    process = start(WRITE, path, "k", 100_000)
    last = ""
    for _ in range(50):
        last = told(process)
    process.send_signal(signal.SIGKILL)
    rest = process.communicate()[0].split()
    acknowledged = int((rest[-1] if rest else last).split("-")[1]) + 1
    store = Store(f"sqlite:///{path}")
    assert count(store) >= acknowledged >= 50
    assert store.doctor()["integrity"] == "ok"
    store.close()


def test_a_second_daemon_is_refused_with_the_firsts_process(path: Path, store: Store) -> None:
    holder = start(HOLD, path)
    assert told(holder) == "held"
    with pytest.raises(StoreLocked, match=rf"process {holder.pid} .*lapse\.db") as refused:
        store.lock()
    assert refused.value.holder == store.holder() == holder.pid
    holder.kill()
    holder.communicate()
    assert store.holder() is None
    lock = store.lock()
    with pytest.raises(StoreLocked, match=str(os.getpid())):
        store.lock()
    lock.release()
    lock.release()
    store.lock().release()


def test_a_reader_that_stays_does_not_stop_a_checkpoint_for_long(store: Store) -> None:
    with store.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM meta").scalar_one()
        with store.engine.begin() as other:
            other.exec_driver_sql("INSERT INTO meta VALUES (1, 'a', '')")
        with at_most(2):
            assert not store.checkpoint()
    assert store.checkpoint()
