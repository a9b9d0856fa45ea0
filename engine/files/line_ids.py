"""Message ids for lines that have none, so that a file run again stores nothing twice."""

from __future__ import annotations

import hashlib
from typing import Any

from engine.strict_json import canonical


class LineIds:
    """Names each line of one file by what it says and by how many equal lines stood before it.

    Equal lines are different events; the same line of the same file always gets the same id. Keeps about 100
    bytes a line.
    """

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def give(self, item: dict[str, Any]) -> None:
        """Adds a ``message_id`` to ``item`` unless it has one.

        What cannot be written as JSON is left alone: no validator takes it.
        """
        digest = digest_of(item)
        if digest is not None:
            short = shortened(digest)
            self._seen[short] = self._seen.get(short, 0) + 1
            item["message_id"] = line_id(digest, self._seen[short])


def digest_of(item: dict[str, Any]) -> bytes | None:
    """What a line says, in 16 bytes. None for one that needs no id, or cannot be written as JSON."""
    if item.get("message_id"):
        return None
    try:
        text = canonical({key: value for key, value in item.items() if key != "message_id"})
    except TypeError:
        return None
    return hashlib.blake2b(text, digest_size=16).digest()


def shortened(digest: bytes) -> int:
    """What equal lines are counted by, 64 bits: should two others share it, a number is skipped, for good."""
    return int.from_bytes(digest[:8], "big", signed=True)


def line_id(digest: bytes, number: int) -> str:
    """The id of the ``number``-th of the lines that say this, from 1."""
    return f"{digest.hex()}-{number}"
