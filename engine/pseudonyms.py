"""What stands for a person's id or address where it may not be shown: always the same for the same text and key."""

from __future__ import annotations

import hashlib
import re
from typing import Final

_BYTES: Final = 6
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:@]+@[^\s<>\"'(),;:@]+")


def pseudonym(text: str, key: bytes = b"") -> str:
    """Return what stands for ``text``: ``~`` and 12 hex digits, which nobody without the ``key`` can work out."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=_BYTES, person=b"pseudonym")
    return f"~{digest.hexdigest()}"


def without_people(text: str, names: tuple[str | None, ...] = (), key: bytes = b"") -> str:
    """Return ``text`` with pseudonyms in the place of ``names`` and of whatever looks like a mail address."""
    for name in names:
        if name:
            text = text.replace(name, pseudonym(name, key))
    return _ADDRESS.sub(lambda found: pseudonym(found.group(), key), text)
