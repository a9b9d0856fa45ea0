"""The caps on what is read: named, generous, and there so that no file can stall the reader."""

from __future__ import annotations

from dataclasses import dataclass

MOST_DAYS = 10_000
"""The longest duration a rule may name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file of rules may be."""

    file_size: int = 1_000_000
    """Bytes of a file, as UTF-8."""

    clause_length: int = 10_000
    """Characters of one clause."""

    nesting: int = 50
    """Brackets, NOTs and branches inside one another."""

    rules: int = 10_000
    """Rules in a file."""
