"""What is refused is not kept whole: so much of an item, of an answer, and of a workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.config import load_settings
from engine.model import NAME_SHOWN
from engine.receipt import CODES
from engine.runtime.engine import Engine
from engine.runtime.once import Once
from engine.store.answers import AnswerRow
from engine.testing import Clock

DAY = 86_400_000_000


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    engines: list[Engine] = []

    def make(**settings: Any) -> Engine:
        engines.append(Engine.open(settings=load_settings(quarantine=settings), clock=Clock("2026-01-01T00:00:00Z")))
        return engines[-1]

    yield make
    for one in engines:
        one.close()


def under_key(engine: Engine, items: list[Any], key: str = "k") -> Any:
    return engine.submit(items, once=Once("native", key, DAY, b"d" * 16, keeps_refusals=True)).result()


def answer_bytes(engine: Engine) -> int:
    with engine.store.read() as connection:
        return int(connection.exec_driver_sql("SELECT sum(length(outcomes)) FROM answers").scalar() or 0)


def test_an_answer_with_a_thousand_refusals_is_kept_small(opened: Callable[..., Engine]) -> None:
    engine = opened()
    first = under_key(engine, [{"event": "x"}] * 1_000)
    again = under_key(engine, [{"event": "x"}] * 1_000)
    assert again.repeated
    assert again.outcomes == first.outcomes
    assert answer_bytes(engine) < 4_000


def test_reasons_are_kept_up_to_a_limit_and_then_the_code(opened: Callable[..., Engine]) -> None:
    engine = opened(answer_bytes=1_000)
    items = [{"event": f"x{place}"} for place in range(100)]
    first, again = under_key(engine, items), under_key(engine, items)
    assert [one.code for one in again.outcomes] == ["no_person"] * 100
    whole = [one == other for one, other in zip(first.outcomes, again.outcomes, strict=True)]
    kept = sum(whole)
    assert 1 <= kept < 10
    assert whole == [True] * kept + [False] * (100 - kept)
    assert again.outcomes[99].reason.startswith(CODES["no_person"])
    assert answer_bytes(engine) <= 1_000 + 100 * 10


def test_the_limit_of_an_answer_is_just_that(opened: Callable[..., Engine]) -> None:
    size = 0
    for most in (0, 10_000):
        engine = opened(answer_bytes=most)
        under_key(engine, [{"event": "x"}], f"{most}")
        with engine.store.read() as connection:
            text = connection.exec_driver_sql("SELECT outcomes FROM answers ORDER BY rowid DESC").scalar()
        (told,) = json.loads(text or "")
        assert ("reason" in told) is (most > 0)
        size = len(json.dumps(told))
    for most in (size - 1, size):
        engine = opened(answer_bytes=most)
        under_key(engine, [{"event": "x"}], f"{most}")
        again = under_key(engine, [{"event": "x"}], f"{most}")
        assert (again.outcomes[0].event == "x") is (most == size)


def test_answers_of_earlier_versions_are_read(opened: Callable[..., Engine]) -> None:
    engine = opened()
    refusal = {"code": "no_person", "reason": "r", "field": None, "event": "x"}

    def keep(connection: Any) -> None:
        from engine.store import answers

        row = AnswerRow("native", "old", b"d" * 16, json.dumps([refusal, refusal]), None, 2**62)
        answers.keep(connection, engine.workspace, [row])

    engine.writer.run(keep)
    told = under_key(engine, [{"event": "x"}] * 2, "old")
    assert [(one.index, one.reason, one.event) for one in told.outcomes] == [(0, "r", "x"), (1, "r", "x")]


def test_a_refusal_carries_the_beginning_of_a_name(opened: Callable[..., Engine]) -> None:
    for item in ({"event": "x" * 100_000, "user_id": "ann"}, {"event": "x" * 100_000}):
        (outcome,) = opened().ingest([item]).outcomes
        assert outcome.event == "x" * NAME_SHOWN  # type: ignore[union-attr]


def quarantine(engine: Engine, sizes: list[int]) -> None:
    """Have items refused that have just these sizes as JSON."""
    frame = len(json.dumps({"event": "", "note": ""}, separators=(",", ":")))
    items = [{"event": "", "note": "x" * (size - frame)} for size in sizes]
    engine.submit(items, source="segment", quarantine=True).result()


def kept(engine: Engine) -> list[int]:
    """The sizes of what is in quarantine, the oldest first."""
    found = [len(json.dumps(one.item, separators=(",", ":"))) for one in engine.quarantined(limit=1_000).items]
    return found[::-1]


def test_all_items_of_a_workspace_have_only_so_many_bytes(opened: Callable[..., Engine]) -> None:
    engine = opened(total_bytes=1_000)
    quarantine(engine, [400, 300, 300])
    assert kept(engine) == [400, 300, 300]
    quarantine(engine, [100])
    assert kept(engine) == [300, 300, 100]
    quarantine(engine, [301])
    assert kept(engine) == [300, 100, 301]
    quarantine(engine, [500, 600, 400])
    assert kept(engine) == [600, 400]
    quarantine(engine, [1_001])
    assert kept(engine) == [600, 400]


def test_what_makes_room_is_counted(opened: Callable[..., Engine]) -> None:
    engine = opened(total_bytes=1_000, items=3)
    quarantine(engine, [100] * 5)
    assert kept(engine) == [100] * 3
    quarantine(engine, [900])
    assert kept(engine) == [100, 900]
    with engine.store.read() as connection:
        from engine.store import counters

        assert counters.counters(connection, engine.workspace)[0, "quarantine_dropped"] == 4


def test_two_hundred_calls_with_a_thousand_bad_items_stay_small(opened: Callable[..., Engine]) -> None:
    engine = opened()
    for place in range(20):
        under_key(engine, [{"event": f"{place}"}] * 999 + [{"event": "ok", "user_id": "ann"}], f"k{place}")
    assert answer_bytes(engine) < 20 * 5_000
