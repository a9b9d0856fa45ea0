"""Nobody waits for the end of somebody else's work: workspaces take turns, and calls go before due journeys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.config import load_settings
from engine.receipt import Receipt
from engine.runtime import due
from engine.runtime.workspaces import Workspaces
from engine.testing import Clock, Recorder

CART = 'Rule: cart\nTrigger: cart_updated\nCondition: NOT bought within 1 hour\nAction: send_email "x"\n'


@pytest.fixture
def workspaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspaces]:
    monkeypatch.setattr(due, "DRAIN", 8)
    monkeypatch.setattr(due, "HASTE", 2)
    (tmp_path / "some.rules").write_text(CART)
    tables: dict[str, Any] = {"other": {"rules": str(tmp_path)}}
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db", rules=tmp_path, workspaces=tables)
    with Workspaces.open(settings=settings, clock=Clock(), fallback=Recorder()) as opened:
        opened.create("other")
        yield opened


def begin(workspaces: Workspaces, journeys: int) -> None:
    for engine in workspaces.engines:
        assert engine.ingest({"event": "cart_updated", "user_id": f"u-{one}"} for one in range(journeys)).ok
    workspaces.clock.move("2 hours")  # type: ignore[attr-defined]


@pytest.fixture
def watched(workspaces: Workspaces, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The workspace and the size of every page that is decided."""
    pages: list[tuple[int, int]] = []
    plain: Callable[..., Any] = due.DueWork._drain

    def drain(work: due.DueWork, connection: Any, **more: Any) -> Any:
        found = plain(work, connection, **more)
        pages.append((work._workspace, found[0]))
        return found

    monkeypatch.setattr(due.DueWork, "_drain", drain)
    return pages


def test_workspaces_take_turns(workspaces: Workspaces, watched: list[tuple[int, int]]) -> None:
    begin(workspaces, 20)
    assert workspaces.run_due().decided == 40
    assert watched == [(workspace, size) for size in (2, 3, 4, 5, 6) for workspace in (1, 2)]


def test_pages_are_small_while_calls_wait_and_large_again_after(
    workspaces: Workspaces, watched: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(workspaces, 40)
    awaited = iter([False, False, True, False, False, True])
    monkeypatch.setattr(type(workspaces.desk.writer), "is_awaited", property(lambda writer: next(awaited, False)))
    workspaces.default.run_due()
    assert [size for _, size in watched] == [2, 3, 4, 2, 3, 4, 2, 3, 4, 5, 6, 2]


def test_a_call_that_comes_while_a_page_is_decided_is_seen(workspaces: Workspaces) -> None:
    writer = workspaces.desk.writer
    seen: list[bool] = []
    calls: list[Future[Receipt]] = []

    def page(_connection: object) -> None:
        seen.append(writer.is_awaited)
        with ThreadPoolExecutor(1) as other:
            event = {"event": "page_viewed", "user_id": "u"}
            calls.append(other.submit(workspaces.default.submit, [event]).result())
        seen.append(writer.is_awaited)

    writer.run(page)
    assert calls[0].result(60).ok
    writer.run(lambda connection: seen.append(writer.is_awaited))
    assert seen == [False, True, False]


def test_actions_that_may_not_leave_hold_up_none_behind_them(workspaces: Workspaces) -> None:
    engine = workspaces.default
    begin(workspaces, 30)
    engine.decide_due()
    workspaces.clock.move("3 days")  # type: ignore[attr-defined]
    engine.ingest({"event": "cart_updated", "user_id": "late"})
    engine.run_due()
    (counts,) = engine.counts_by_rule()
    assert counts.outbox == {"skipped_late": 30}
