"""The dialects that are spoken."""

from __future__ import annotations

from engine.api import flameup, flokit, flownally, native, segment
from engine.api.dialect import Dialect

DIALECTS: tuple[Dialect, ...] = (
    native.DIALECT,
    flokit.DIALECT,
    flameup.DIALECT,
    flownally.DIALECT,
    segment.DIALECT,
)
"""Each answers under its name; the one the settings call ``root`` at ``/`` too."""
