"""How much memory requests may take together: what is read is counted as it comes, what is parsed before it is.

A body takes :data:`PLAIN` times its bytes (:data:`WIDE` where it is not ASCII) and :data:`PER_VALUE` bytes for each of
its values, and never more than :data:`MOST` times its bytes. One that holds more values than the setting
``api.body_values`` is refused unparsed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

from engine.api.dialect import LARGE_BYTES, Refused
from engine.errors import RefusedError
from engine.json_values import holds_more, most_values
from engine.strict_json import parse_json

PLAIN: Final = 4
"""Bytes of memory for a byte of a body in ASCII: as it came, decoded, in its texts, and as what is stored of it."""

WIDE: Final = 10
"""The same where one wide character makes four bytes of every character."""

PER_VALUE: Final = 128
"""Bytes of memory for a value of a body, its key and its place in a list or an object included."""

MOST: Final = 40
"""Bytes of memory for a byte of a body at most: lists in lists."""


@dataclass
class MemoryBudget:
    """What all requests under way share. Safe to use from any thread."""

    most: int
    used: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, count: int, held: int) -> bool:
        """Take ``count`` bytes more for a request that holds ``held``. One that is alone always gets them."""
        with self._lock:
            if self.used + count > self.most and self.used > held:
                return False
            self.used += count
            return True

    def give_back(self, count: int) -> None:
        with self._lock:
            self.used -= count


class RequestMemory:
    """The memory of one request. Release it when the request is answered."""

    def __init__(self, budget: MemoryBudget, values: int) -> None:
        """``values`` is how many values its body may hold, over all that is parsed of it."""
        self._budget = budget
        self._values = values
        self._left = values
        self.held = 0

    def hold(self, count: int) -> None:
        """Take ``count`` bytes more. Raises Refused (503) where the service has no more."""
        if not self._budget.take(count, self.held):
            message = "too much is under way at this moment; send it again"
            raise Refused(503, "busy", message, headers={"Retry-After": "1", "Connection": "close"})
        self.held += count

    def release(self) -> None:
        """Give back all that is held."""
        self._budget.give_back(self.held)
        self.held = 0

    def parse(self, raw: bytes) -> Any:
        """Return the value of the JSON text ``raw``. A large one is not for the event loop.

        Raises Refused: 400 (``malformed``) for what is no JSON or holds too many values, 503 where memory is short.
        """
        values = self._counted(raw)
        self._left -= values
        size, each = len(raw), PLAIN if raw.isascii() else WIDE
        self.hold(min(each * size + PER_VALUE * values, MOST * size) - size)
        try:
            return parse_json(raw)
        except RefusedError as error:
            raise Refused(400, "malformed", error.reason) from None

    def _counted(self, raw: bytes) -> int:
        """At most how many values ``raw`` holds."""
        if len(raw) <= LARGE_BYTES and len(raw) // 2 < self._left:
            return most_values(raw)
        values = most_values(raw)
        if values <= self._left:
            return values
        if holds_more(raw, self._left):
            raise Refused(400, "malformed", f"the body holds more than {self._values} values; send fewer at a time")
        return self._left
