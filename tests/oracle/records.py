"""What the oracle answers with, and what may be set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.language import nodes

from .conditions import Draw, DrawKey


@dataclass(frozen=True)
class Effect:
    """An action that left. ``set`` and ``track`` carry their target as template; a match is named ``match``."""

    at: int
    name: str
    template: str | None
    step: str


@dataclass(frozen=True)
class Skip:
    """An action that was reached and not taken."""

    at: int
    name: str
    template: str | None
    step: str
    why: str  # no_recipient, skipped_history, past_date, inactive, withdrawn


@dataclass
class Journey:
    """One run of the rule. ``trigger_at`` is the trigger it stands on, ``first_at`` the one that began it."""

    value: str | None
    trigger_at: int
    first_at: int
    start: int
    status: Literal["waiting", "ended"] = "waiting"
    ended_at: int | None = None
    reason: str | None = None
    actions: list[Effect] = field(default_factory=list)
    held_out: bool = False
    skipped: list[Skip] = field(default_factory=list)
    goal_at: int | None = None


def fake_draw(key: DrawKey, person: str) -> float:
    """A draw that is stable and independent, but not the engine's."""
    digest = hashlib.sha256(repr((key, person)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


@dataclass(frozen=True)
class Settings:
    until: int
    grace: int = 0
    live_at: int | None = None
    default_zone: str | None = None
    draw: Draw = fake_draw
    quiet: tuple[nodes.QuietHours, ...] = ()
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)
