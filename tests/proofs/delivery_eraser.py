"""Erases people from a process of its own: ``python -m tests.proofs.delivery_eraser STORE``.

For each line of standard input, somebody's id, it prints ``[TOLD, AT]`` as JSON: what ``Engine.erase`` gave, and when
(seconds).
"""

from __future__ import annotations

import json
import sys
import time

from engine import Engine


def main(store: str) -> None:
    with Engine.open(store) as engine:
        for line in sys.stdin:
            told = engine.erase(line.strip())
            sys.stdout.write(json.dumps([told, time.time()]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
