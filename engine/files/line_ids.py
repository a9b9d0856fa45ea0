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
        if item.get("message_id"):
            return
        try:
            text = canonical({key: value for key, value in item.items() if key != "message_id"})
        except TypeError:
            return
        digest = hashlib.blake2b(text, digest_size=16)
        # Eight bytes do for counting: should two lines share them, a number is skipped, for good.
        short = int.from_bytes(digest.digest()[:8], "big")
        number = self._seen[short] = self._seen.get(short, 0) + 1
        item["message_id"] = f"{digest.hexdigest()}-{number}"
