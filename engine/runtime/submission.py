"""Calls with items, from where they are checked to the answer they get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.model import ValidEvent
from engine.receipt import Accepted, Duplicate, Outcome, Receipt, Rejection
from engine.runtime.intake import Arrival, Early, Partly, Repeat, Taken, Valid
from engine.runtime.once import Once
from engine.store import Connection

Beside = Callable[[Connection, Receipt], None]
"""Writes something of its own in the transaction that stores a call, once it is known what became of the items."""


@dataclass(frozen=True, slots=True)
class Originals:
    """The items of a call as they came, of which those that are refused are to be kept in quarantine.

    Not ``every`` one of them: only what a key that may stand in web pages cannot say.
    """

    items: Sequence[Any]
    received_at: int
    source: str
    every: bool = True


@dataclass(frozen=True, slots=True)
class Submission:
    """A call as it waits for the writer: every item, valid or refused already. ``first`` is the first one's index."""

    items: Sequence[Arrival | Rejection]
    first: int = 0
    once: Once | None = None
    beside: Beside | None = None
    originals: Originals | None = None

    def __post_init__(self) -> None:
        if self.once is not None and self.once.lasts is None and len(self.items) != 1:
            raise ValueError("only a call with one event can be held by its event; give the key a time")

    @property
    def arrivals(self) -> list[Arrival]:
        """The valid items."""
        return [one for one in self.items if isinstance(one, Arrival)]

    @property
    def writes(self) -> bool:
        """Whether there is anything to do for it in the store."""
        more = (self.once, self.beside, self.originals)
        return any(one is not None for one in more) or any(isinstance(one, Arrival) for one in self.items)

    def receipt(self, taken: Iterator[Taken]) -> Receipt:
        """The answer, given what became of the valid items, in order."""
        outcomes: list[Outcome] = []
        for index, one in enumerate(self.items, self.first):
            if isinstance(one, Rejection):
                outcomes.append(one)
                continue
            what = next(taken)
            if isinstance(what, bytes):
                outcomes.append(Accepted(index, what, one.historical))
            elif isinstance(what, Early):
                outcomes.append(Accepted(index, what.id, one.historical, before_live=what.rules))
            elif isinstance(what, Partly):
                outcomes.append(Accepted(index, what.id, one.historical, what.withheld))
            else:
                outcomes.append(_not_taken(index, one.item, what))
        return Receipt(tuple(outcomes))


def _not_taken(index: int, item: Valid, what: Repeat | Rejection) -> Outcome:
    """What an item is told that was not taken."""
    if isinstance(what, Rejection):
        return replace(what, index=index, event=item.name if isinstance(item, ValidEvent) else None)
    return Duplicate(index, what.id, item.message_id or "", what.conflict)
