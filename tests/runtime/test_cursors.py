"""Cursors: they lead on, whatever comes in or goes, and say nothing of how much others store."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.runtime import cursors, deliveries, pages
from engine.runtime.cursors import LAST
from engine.runtime.engine import Engine
from engine.runtime.pages import Asked

from .conftest import Lab

RULES = "Rule: r\nTrigger: a\nAction: mail\n"
Page = Any
LISTS: dict[str, Callable[[Engine, str | None], Page]] = {
    "events": lambda engine, after: engine.events(limit=2, after=after),
    "arrivals": lambda engine, after: engine.arrivals(limit=2, after=after),
    "journeys": lambda engine, after: pages.journeys(engine, Asked(limit=2, after=after)),
    "deliveries": lambda engine, after: engine.deliveries(deliveries.Asked(limit=2, after=after)),
    "quarantine": lambda engine, after: engine.quarantined(2, after),
}


def fill(engine: Engine, of: str = "u") -> None:
    """Six people, each with an event, a journey and an action; and as many refused items."""
    engine.ingest([{"event": "a", "user_id": f"{of}{number}"} for number in range(6)])
    refused = [{"event": "", "user_id": f"q{number}"} for number in range(6)]
    engine.submit(refused, source="segment", quarantine=True).result()


def whole(engine: Engine, name: str, after: str | None = None) -> list[Any]:
    found: list[Any] = []
    while True:
        page = LISTS[name](engine, after)
        found += getattr(page, "events", None) or page.items
        after = page.after
        if after is None:
            return found


@pytest.mark.parametrize("name", LISTS)
def test_pages_follow_one_another_whatever_comes_in(lab: Lab, name: str) -> None:
    with lab(RULES) as here:
        fill(here.engine)
        first = LISTS[name](here.engine, None)
        before = whole(here.engine, name)
        assert len(before) == 6
        fill(here.engine, "v")
        assert whole(here.engine, name, first.after) == before[2:]


@pytest.mark.parametrize("name", ["events", "arrivals", "quarantine"])
def test_a_page_leads_on_also_when_its_last_row_is_erased_meanwhile(lab: Lab, name: str) -> None:
    with lab(RULES) as here:
        fill(here.engine)
        here.engine.ingest([{"event": "b", "user_id": f"q{number}"} for number in range(6)])
        before = whole(here.engine, name)
        page = LISTS[name](here.engine, None)
        for number in range(3, 6):
            here.engine.erase(f"q{number}")
        gone = [one for one in before if one not in whole(here.engine, name)]
        assert len(gone) == 3
        assert before[1] in gone
        assert whole(here.engine, name, page.after) == [one for one in before[2:] if one not in gone]


@pytest.mark.parametrize("name", LISTS)
def test_a_cursor_is_good_for_its_own_list_alone(lab: Lab, name: str) -> None:
    with lab(RULES) as here:
        fill(here.engine)
        after = LISTS[name](here.engine, None).after
        assert after is not None
        for other in LISTS.keys() - {name}:
            with pytest.raises(ConfigError, match="is no cursor"):
                LISTS[other](here.engine, after)


def test_a_cursor_of_another_workspace_is_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        for engine in (one, two):
            fill(engine)
        for name in ("events", "arrivals", "quarantine"):
            after = LISTS[name](one, None).after
            assert LISTS[name](one, after)
            with pytest.raises(ConfigError, match="is no cursor"):
                LISTS[name](two, after)


def test_a_changed_cursor_is_none(lab: Lab) -> None:
    with lab(RULES) as here:
        fill(here.engine)
        after = here.engine.events(limit=2).after
        assert after is not None
        sealed = base64.b32decode(after)
        for place in range(len(sealed)):
            changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(sealed))
            with pytest.raises(ConfigError, match="is no cursor"):
                here.engine.events(after=base64.b32encode(changed).decode())
        for text in (after[:-8], after + after[:8], after.lower(), after[1:], f" {after}", f"{after}="):
            with pytest.raises(ConfigError, match="is no cursor"):
                here.engine.events(after=text)


def test_what_is_no_cursor_is_shown_shortened(lab: Lab) -> None:
    with lab() as here, pytest.raises(ConfigError) as caught:
        here.engine.events(after="\ud800" + "x" * 10_000)
    assert len(str(caught.value).encode()) < 200


PLACES = [(0, 0), (0, 1), (0, 2), (1, 1), (LAST, LAST), (1_767_225_600_000_000, 412_806)]


def test_any_place_is_found_again_and_no_two_look_alike(lab: Lab) -> None:
    with lab() as here, here.engine.store.read() as connection:
        workspace = here.engine.workspace
        texts = [cursors.cursor(connection, workspace, "events", place) for place in PLACES]
        assert [cursors.behind(connection, workspace, "events", text) for text in texts] == PLACES
        for text, other in combinations(texts, 2):
            assert sum(a == b for a, b in zip(text, other, strict=True)) < len(text) // 3
