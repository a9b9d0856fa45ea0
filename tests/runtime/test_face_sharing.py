"""Engines on one store: rules that one makes live start journeys in the others, however they learn of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import Engine
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.runtime import loader
from engine.testing import Clock, travel

CART = """
# Abandoned cart
# With notes, so that all of it is kept.
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "reminder"
"""
HELLO = "Trigger: signed_up; Action: hello"


class Nowhere:
    def send(self, action: Outgoing) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-01-01T00:00:00Z")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "cart.rules").write_text(CART)
    return folder


@pytest.fixture
def opened(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Engine]]:
    """Opens an engine on the one file of the test."""
    engines: list[Engine] = []
    settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db")

    def make(rules: Path | None = None) -> Engine:
        engines.append(Engine.open(settings=settings, rules=rules, clock=clock, fallback=Nowhere()))
        return engines[-1]

    yield make
    for one in engines:
        one.close()


def ids(engine: Engine) -> list[str]:
    return sorted(rule.id for rule in engine.live.rules.values())


def test_an_engine_without_rule_files_has_those_of_the_store(opened, rules, clock) -> None:
    opened(rules)
    service = opened()
    assert ids(service) == ["abandoned-cart"]
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    travel(service, clock, "2026-01-03T00:00:00Z")
    assert [(one.person, one.template) for one in service.sent()] == [("ann", "reminder")]


def test_an_engine_that_was_open_already_starts_journeys_of_rules_made_live_later(opened, rules, clock) -> None:
    service = opened()
    assert ids(service) == []
    daemon = opened(rules)
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    travel(daemon, clock, "2026-01-03T00:00:00Z")
    assert [one.person for one in daemon.sent()] == ["ann"]
    assert [one.started for one in service.counts_by_rule()] == [1]


def test_an_edit_and_a_removal_are_seen_by_the_others(opened, rules, clock) -> None:
    daemon, service = opened(rules), opened()
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    (rules / "cart.rules").write_text(CART.replace("reminder", "edited"))
    assert daemon.reload().ok
    service.ingest({"event": "cart_updated", "user_id": "bob"})
    travel(service, clock, "2026-01-02T12:00:00Z")
    assert [(one.person, one.template) for one in service.sent()] == [("ann", "reminder"), ("bob", "edited")]
    (rules / "cart.rules").write_text(HELLO)
    assert daemon.reload().ok
    service.ingest([{"event": "cart_updated", "user_id": "cid"}, {"event": "signed_up", "user_id": "cid"}])
    service.run_due()
    assert [one.action for one in service.sent() if one.person == "cid"] == ["hello"]
    assert [one.started for one in service.counts_by_rule()] == [1]


def test_two_engines_with_the_same_files_agree(opened, rules) -> None:
    first, second = opened(rules), opened(rules)
    assert first.live.change == second.live.change
    assert first.live.rules.keys() == second.live.rules.keys()


def test_nothing_is_read_again_while_nothing_changes(opened, rules, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon, service = opened(rules), opened()
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    monkeypatch.setattr(loader, "stored", None)
    service.ingest({"event": "cart_updated", "user_id": "ann"})
    assert daemon.reload().ok
    service.ingest({"event": "cart_updated", "user_id": "ann"})


def test_what_is_known_is_not_parsed_again(opened, rules, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon, service = opened(rules), opened()
    assert ids(service) == ["abandoned-cart"]
    (rules / "more.rules").write_text(HELLO)
    read: list[str] = []

    def noting(text: str) -> object:
        read.append(text)
        return parse(text)

    parse = loader.read
    assert daemon.reload().ok
    monkeypatch.setattr(loader, "read", noting)
    service.ingest({"event": "signed_up", "user_id": "ann"})
    assert [("signed_up" in text, "cart_updated" in text) for text in read] == [(True, False)]


def test_rules_that_could_not_be_written_are_not_live(opened, rules, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = opened(rules)
    (rules / "cart.rules").write_text(HELLO)

    def breaks(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(loader, "picture", breaks)
        with pytest.raises(OSError, match="full"):
            daemon.reload()
    daemon.ingest([{"event": "cart_updated", "user_id": "ann"}, {"event": "signed_up", "user_id": "ann"}])
    assert ids(daemon) == ["abandoned-cart"]
    daemon.settle()
    assert [one.started for one in daemon.counts_by_rule()] == [1]


def test_workspaces_share_a_file_and_no_rules(opened, rules, tmp_path) -> None:
    opened(rules)
    with Engine.open(f"sqlite:///{tmp_path}/lapse.db", workspace="other") as other:
        assert ids(other) == []


SERVICE = """
import sys
from engine import Engine
with Engine.open(sys.argv[1]) as engine:
    for line in sys.stdin:
        assert engine.ingest({"event": line.strip(), "user_id": "ann"}).ok
        print(*sorted(rule.id for rule in engine.live.rules.values()), flush=True)
"""


def test_a_process_that_only_ingests_follows_what_another_changes(tmp_path, rules) -> None:
    """By the wall clock, as in life."""
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url, fallback=Nowhere()) as daemon:
        service = subprocess.Popen(
            [sys.executable, "-c", SERVICE, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert service.stdin is not None
        assert service.stdout is not None

        def ingest(event: str) -> str:
            service.stdin.write(f"{event}\n")
            service.stdin.flush()
            return service.stdout.readline().strip()

        assert ingest("signed_up") == ""
        assert daemon.load(rules).ok
        assert ingest("cart_updated") == "abandoned-cart"
        (rules / "hello.rules").write_text(f"Rule: hello\n{HELLO}")
        assert daemon.reload().ok
        assert ingest("signed_up") == "abandoned-cart hello"
        daemon.run_due()
        assert [(one.rule, one.person) for one in daemon.sent()] == [("hello", "ann")]
        service.stdin.close()
        assert service.wait(120) == 0
        service.stdout.close()
