"""The one place of a process where a store is written: engines of several workspaces share it, and its transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.config import Settings
from engine.receipt import Receipt
from engine.runtime.submission import Submission
from engine.store import Connection
from engine.store.limits import DEFAULT, StoreLimits
from engine.store.store import Store
from engine.store.writer import Writer


class Taker(Protocol):
    """An engine, as the desk sees it."""

    def take(self, connection: Connection, calls: Sequence[Submission]) -> list[Receipt]:
        """Carry out all its calls that wait, as one batch; gives what each is told."""
        ...

    def committed(self) -> None:
        """What the last batch did is on disk."""
        ...


Handed = tuple[Taker, Submission]
"""A call that waits, with the engine it is for."""


class Desk:
    """A store, opened, with its one writer. One transaction takes the waiting calls of all engines."""

    def __init__(self, url: str, limits: StoreLimits = DEFAULT) -> None:
        self.store = Store(url, limits)
        self.writer: Writer[Handed, Receipt] = Writer(
            self.store, self._handle, self._committed, weigh=lambda handed: len(handed[1].items)
        )
        self._taking: list[Taker] = []

    def _handle(self, connection: Connection, handed: Sequence[Handed]) -> list[Receipt]:
        places: dict[Taker, list[int]] = {}
        for place, (taker, _) in enumerate(handed):
            places.setdefault(taker, []).append(place)
        self._taking = list(places)
        told: dict[int, Receipt] = {}
        for taker, own in places.items():
            told |= zip(own, taker.take(connection, [handed[one][1] for one in own]), strict=True)
        return [told[place] for place in range(len(handed))]

    def _committed(self) -> None:
        taking, self._taking = self._taking, []
        for taker in taking:
            taker.committed()

    def close(self) -> None:
        """Finish what is queued and let go of the store."""
        self.writer.close()
        self.store.close()


def limits_of(settings: Settings) -> StoreLimits:
    """The settings' limits of a process on its store."""
    return StoreLimits(
        timeout=settings.store_timeout.total_seconds(),
        transaction=settings.store_transaction.total_seconds(),
        log_bytes=settings.store_log_bytes,
    )
