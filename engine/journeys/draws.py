"""Stable chance: samples, splits and holdouts (ruling 26)."""

from __future__ import annotations

import hashlib


def drawn(rule: str, which: str | int, person: str) -> float:
    """A number in [0, 100), always the same for the same person.

    ``which`` is a name, shared by every rule, or what tells draws of one rule apart: the ordinal of a sample or
    split, or ``"holdout"`` under :func:`drawn_holdout`. Draws under different names are independent.
    """
    key = f"name\0{which}" if isinstance(which, str) else f"rule\0{rule}\0{which}"
    return _fraction(f"{key}\0{person}")


def drawn_holdout(rule: str, name: str | None, person: str) -> float:
    """The draw of a holdout: by its name, else the rule's own."""
    return drawn(rule, name, person) if name else _fraction(f"holdout\0{rule}\0{person}")


def _fraction(key: str) -> float:
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / 2**64 * 100
