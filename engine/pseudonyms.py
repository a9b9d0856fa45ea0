"""What stands for a person's id or address where it may not be shown: always the same for the same text and key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_BYTES: Final = 6
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")


def pseudonym(text: str, key: bytes = b"") -> str:
    """Return what stands for ``text``: ``~`` and 12 hex digits, which nobody without the ``key`` can work out."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=_BYTES, person=b"pseudonym")
    return f"~{digest.hexdigest()}"


def without_people(text: str, names: Iterable[str | None] = (), key: bytes = b"") -> str:
    """Return ``text`` with pseudonyms in the place of ``names`` and of whatever looks like a mail address."""
    for name in names:
        if name:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", pseudonym(name, key), text)
    return _ADDRESS.sub(lambda found: pseudonym(found.group(), key), text)


@dataclass(frozen=True, slots=True)
class LogNames:
    """How logs name people: by pseudonyms made with a ``key``, or ``plain`` by their ids and addresses."""

    key: bytes = b""
    plain: bool = False

    def name(self, person: str) -> str:
        """Return what a person is called."""
        return person if self.plain else pseudonym(person, self.key)

    def text(self, text: str, *people: str | None) -> str:
        """Return a text that may quote people."""
        return text if self.plain else without_people(text, people, self.key)
