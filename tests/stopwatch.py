"""Upper bounds on durations that hold on a machine that is slow, or busy with other things."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_BEAT: Final = 0.02


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fails when what is done inside takes longer.

    The clock is a thread that counts its own short waits: while the machine keeps the test from running, it keeps the
    clock from going on.
    """
    over, beats = threading.Event(), 0

    def beat() -> None:
        nonlocal beats
        while not over.wait(_BEAT):
            beats += 1

    clock = threading.Thread(target=beat)
    clock.start()
    try:
        yield
    finally:
        over.set()
        clock.join()
    assert beats * _BEAT <= seconds, "it took too long"


@contextmanager
def processor_at_most(seconds: float) -> Iterator[None]:
    """Fails when what is done inside takes this thread more of the processor's time: for what is one long step.

    The garbage collector stands still: how long it takes is by what other tests have left behind.
    """
    collecting = gc.isenabled()
    gc.disable()
    begun = time.thread_time()
    try:
        yield
    finally:
        took = time.thread_time() - begun
        if collecting:
            gc.enable()
    assert took <= seconds, "it took too much of the processor's time"
