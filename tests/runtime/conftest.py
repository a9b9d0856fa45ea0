"""Engines in memory or on a file, under a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import WallClock
from engine.config import load_settings
from engine.testing import Clock, Travel
from tests.runtime.sends import Opened

START = "2026-01-01T00:00:00Z"

Lab = Callable[..., Travel]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """``lab(rules, **settings)``: an engine with rules given as text."""
    opened: list[Travel] = []

    def make(rules: str = "", **settings: object) -> Travel:
        path = tmp_path / f"r{len(opened)}.rules"
        path.write_text(rules)
        given = {"store": "sqlite://", **settings}
        travel = Travel(path if rules else None, start=START, settings=load_settings(**given))
        opened.append(travel)
        return travel

    yield make
    for travel in opened:
        travel.close()


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-01-01T00:00:00Z")


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Opened]:
    """``opened(rules, **settings)``: an engine on the test's file; without rules, another process on it."""
    engines: list[Engine] = []

    def make(rules: str | None = None, *, by: Clock | WallClock = clock, **settings: Any) -> Engine:
        path = tmp_path / "r.rules"
        if rules is not None:
            path.write_text(rules)
        given = load_settings(store=f"sqlite:///{tmp_path / 'lapse.db'}", **settings)
        engines.append(Engine.open(rules=path if rules is not None else None, clock=by, settings=given))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
