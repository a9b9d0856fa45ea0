"""An engine in memory under a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.config import load_settings
from engine.testing import Travel

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
