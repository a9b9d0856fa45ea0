"""Reading rules, building the grammar's tables and compiling statements keep nobody from writing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.clock import SECOND
from engine.config import load_settings
from engine.language import grammar, reader
from engine.runtime import loader, rulefiles
from engine.store import prepared
from engine.store.gate import Gate
from engine.store.prepared import Prepared
from engine.testing import Clock

CART = "Rule: r\nTrigger: cart\nCondition: NOT buy within {} hours\nAction: mail\n"

START = 1_767_225_600 * SECOND

Seen = list[tuple[str, int | None]]


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What was read, built or compiled, and the process that had the turn to write meanwhile."""
    gate, found = Gate(tmp_path / "lapse.db"), Seen()

    def watched(module: Any, name: str) -> None:
        plain = getattr(module, name)

        def watching(*given: Any, **named: Any) -> Any:
            writes = threading.current_thread().name == "lapse-writer"  # no other thread has a turn
            found.append((name, gate.holder if writes else None))
            return plain(*given, **named)

        monkeypatch.setattr(module, name, watching)

    watched(loader, "_read")
    watched(rulefiles, "read")
    watched(grammar, "grammar_text")
    watched(Prepared, "_compiled")
    return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Engines on one store."""
    url, engines = f"sqlite:///{tmp_path / 'lapse.db'}", list[Engine]()

    def opener(**given: Any) -> Engine:
        engines.append(Engine.open(settings=load_settings(store=url), clock=Clock(START), **given))
        return engines[-1]

    yield opener
    for one in engines:
        one.close()


def waiting(engine: Engine) -> int:
    engine.settle()
    return sum(one.waiting for one in engine.counts_by_rule())


def test_the_first_transaction_of_a_process(
    seen: Seen, opened: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.rules").write_text(CART.format(24))
    opened(rules=tmp_path / "r.rules")
    grammar.parser.cache_clear()
    grammar.automaton.cache_clear()
    monkeypatch.setattr(reader, "_judged", {})
    monkeypatch.setattr(prepared, "_NEXT", {})
    for one in tuple(prepared._EVERY):
        monkeypatch.setattr(one, "_texts", {})
    seen.clear()
    engine = opened()
    engine.ingest({"event": "cart", "user_id": "u"})
    assert waiting(engine) == 1
    assert {name for name, _ in seen} >= {"_read", "grammar_text", "_compiled"}
    assert {holder for _, holder in seen} == {None}


def test_what_another_process_has_made_live(seen: Seen, opened: Callable[..., Engine], tmp_path: Path) -> None:
    """With the version on which a journey waits, which is read anew by whoever comes next."""
    (tmp_path / "r.rules").write_text(CART.format(24))
    service, other = opened(), opened(rules=tmp_path / "r.rules")
    service.ingest({"event": "cart", "user_id": "u"})
    (tmp_path / "r.rules").write_text(CART.format(12))
    assert other.reload().ok
    service.ingest({"event": "cart", "user_id": "v"})
    assert waiting(service) == waiting(opened()) == 2
    (tmp_path / "r.rules").write_text(CART.format(6))
    later = opened(rules=tmp_path / "r.rules")
    later.ingest({"event": "cart", "user_id": "w"})
    assert waiting(later) == 3
    assert [name for name, _ in seen].count("_read") >= 4
    assert {holder for _, holder in seen} == {None}
