"""How long a store waits for others, how long it keeps them waiting, and how long its log may become."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Limits of one process on a store. The settings of the same purpose say what each is for."""

    timeout: float = 30.0
    """Seconds to wait for the turn to write."""
    transaction: float = 0.1
    """Seconds that a transaction over many rows should take."""
    log_bytes: int = 64 * 1024 * 1024
    """The size of the log at which a writer brings it into the file."""


DEFAULT = StoreLimits()
