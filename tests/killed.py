"""Processes to be killed: each ingests and fires, and says on standard output what it was acknowledged and has sent.

Run as ``python -m tests.killed STORE RULES``, which loads once what is slow to load. For each number on standard input
it forks a process that begins with that person, and prints its process's number, and ``dead`` when it is. Every line
between was true before it was printed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from engine import Engine, Outgoing
from engine.language.grammar import automaton


def fire(store: str, rules: str, first: int) -> None:
    def send(action: Outgoing) -> None:
        print("sent", action.person, action.key, flush=True)

    with Engine.open(f"sqlite:///{store}", rules=Path(rules)) as engine:
        engine.action("hello")(send)
        engine.run_due()
        for number in range(first, first + 1_000_000):
            receipt = engine.ingest({"event": "a", "user_id": f"u{number}", "message_id": f"m{number}"})
            print("took", number, receipt.ids[0] if receipt.ids else receipt.duplicates[0].id, flush=True)
            engine.run_due()


def main(store: str, rules: str) -> None:
    automaton()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            print(os.getpid(), flush=True)
            fire(store, rules, int(line))
        os.waitpid(process, 0)
        print("dead", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
