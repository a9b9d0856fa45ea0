"""A process to be killed: it ingests and fires, and says on standard output what it was acknowledged and what it sent.

Run as ``python -m tests.killed STORE RULES FIRST``; every line it prints was true before it was printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine import Engine, Outgoing


def main(store: str, rules: str, first: int) -> None:
    def send(action: Outgoing) -> None:
        print("sent", action.person, action.key, flush=True)

    with Engine.open(f"sqlite:///{store}", rules=Path(rules)) as engine:
        engine.action("hello")(send)
        engine.run_due()
        for number in range(first, first + 1_000_000):
            receipt = engine.ingest({"event": "a", "user_id": f"u{number}", "message_id": f"m{number}"})
            print("took", number, receipt.ids[0] if receipt.ids else receipt.duplicates[0].id, flush=True)
            engine.run_due()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
