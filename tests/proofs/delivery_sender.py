"""Senders to be killed: each a daemon on the store of a folder, with the settings that lie there.

Run as ``python -m tests.proofs.delivery_sender``, which loads once what is slow to load. For each line of standard
input, ``[FOLDER, POINT, TIME]``, it forks a sender and prints its process's number, and a second line when it is dead.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import engine.delivery.client
import engine.templates.rendering  # noqa: F401 - loaded once
from engine import Engine
from engine.daemon import Daemon
from engine.delivery.email import EmailChannel
from engine.delivery.webhook import WebhookChannel
from engine.language.grammar import automaton


def send(folder: str, point: str, time: int) -> None:
    """Run until killed, by itself when it gets to ``point`` for the ``time``-th time.

    Points are those of ``Sending.reached``, and ``before``: a channel is about to send.
    """
    os.chdir(folder)
    times = itertools.count(1)

    def reached(name: str) -> None:
        if name == point and next(times) == time:
            os.kill(os.getpid(), signal.SIGKILL)

    for kind in (WebhookChannel, EmailChannel):
        kind.send = _after(lambda: reached("before"), kind.send)  # type: ignore[method-assign]
    with Engine.open() as engine:
        engine.sending.reached = reached
        Daemon(engine).start()
        threading.Event().wait()


def _after(first: Callable[[], None], work: Callable[..., None]) -> Callable[..., None]:
    def both(*given: Any) -> None:
        first()
        work(*given)

    return both


def main() -> None:
    automaton()
    for line in sys.stdin:
        sender = os.fork()
        if not sender:
            send(*json.loads(line))
        sys.stdout.write(f"{sender}\n")
        sys.stdout.flush()
        os.waitpid(sender, 0)
        sys.stdout.write("dead\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
