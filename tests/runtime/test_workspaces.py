"""All workspaces of a store: apart in everything, and one transaction for what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.config import load_settings
from engine.daemon import Daemon
from engine.errors import ConfigError
from engine.runtime.workspaces import Workspaces
from engine.testing import Clock, Recorder

CART = 'Rule: cart\nTrigger: cart_updated\nCondition: NOT purchase_completed within 1 hour\nAction: send_email "{}"\n'
EVENT = {"event": "cart_updated", "user_id": "ann"}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Workspaces]]:
    """``make(default=rules, acme=rules)``: workspaces on one store, each with its rules."""
    opened: list[Workspaces] = []

    def made(**rules: str) -> Workspaces:
        for name, text in rules.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "some.rules").write_text(text)
        tables: dict[str, Any] = {name: {"rules": str(tmp_path / name)} for name in rules if name != "default"}
        settings = load_settings(store=f"sqlite:///{tmp_path}/lapse.db", rules=tmp_path / "default", workspaces=tables)
        opened.append(Workspaces.open(settings=settings, clock=Clock(), fallback=Recorder()))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


def test_each_has_its_own_people_and_rules(make: Callable[..., Workspaces]) -> None:
    both = make(default=CART.format("a"), acme=CART.format("b"))
    acme = both.create("acme")
    both.default.ingest(EVENT)
    acme.ingest([EVENT, {"event": "purchase_completed", "user_id": "ann"}])
    both.clock.move("2 hours")  # type: ignore[attr-defined]
    both.run_due()
    assert [one.template for one in both.default.sent()] == ["a"]
    assert acme.sent() == []
    person = acme.person("ann")
    assert person is not None
    assert [name for _, name, _ in person.timeline] == ["cart_updated", "purchase_completed"]


def test_names(make: Callable[..., Workspaces]) -> None:
    opened = make()
    assert opened.named("acme") is None
    acme = opened.create("acme")
    assert opened.named("acme") is acme is opened.engine(acme.workspace)
    assert [one.name for one in opened.rows] == ["default", "acme"]
    for name in ("acme", "default", "", "a b", "-", "x" * 101, "a\n"):
        with pytest.raises(ConfigError):
            opened.create(name)
    with pytest.raises(KeyError):
        opened.engine(99)


def test_a_workspace_of_another_process_is_found(make: Callable[..., Workspaces]) -> None:
    first, second = make(acme=CART.format("b")), make(acme=CART.format("b"))
    second.create("acme")
    row = second.rows[-1].id
    assert [rule.id for rule in first.engine(row).live.rules.values()] == ["cart"]
    first.engine(row).ingest(EVENT)
    assert len(second.engine(row).events().events) == 1


def test_rules_with_an_error_are_refused(make: Callable[..., Workspaces]) -> None:
    make().create("acme")
    with pytest.raises(ConfigError, match="the rules have errors"):
        make(acme="Trigger\n")


@pytest.mark.parametrize("live", [False, True])
def test_a_workspace_that_comes_later_with_wrong_rules_keeps_what_is_live(
    make: Callable[..., Workspaces], tmp_path: Path, caplog: pytest.LogCaptureFixture, live: bool
) -> None:
    here = make(default="", acme="Triger: cart_updated")
    elsewhere = make(default=CART).create("acme")
    if live:
        elsewhere.load(tmp_path / "default")
    found = here.named("acme")
    assert found is not None
    assert len(found.live.rules) == live
    (told,) = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert told.startswith("workspace 'acme': the rules have errors: ")
    assert told.endswith("; the rules that were live stay live" if live else "; no rule is live")


def test_calls_that_wait_share_a_transaction_whatever_their_workspace(make: Callable[..., Workspaces]) -> None:
    """While one transaction runs, others queue up; the next takes them all, and each gets its own receipt."""
    opened = make()
    engines = [opened.default, opened.create("acme"), opened.create("third")]
    commits: list[int] = []
    with opened.desk.store.gate.alone():  # keeps the writer out until all calls wait
        futures = [
            engine.submit([{"event": "x", "user_id": f"{number}"}, {"event": ""}])
            for number in range(20)
            for engine in engines
        ]
        committed = opened.desk.writer._committed

        def count() -> None:
            commits.append(1)
            committed()

        opened.desk.writer._committed = count
    receipts = [future.result(20) for future in futures]
    assert len(commits) <= 3
    assert all([one.status for one in receipt.outcomes] == ["accepted", "rejected"] for receipt in receipts)
    for engine in engines:
        assert len(engine.events(limit=100).events) == 20


def test_a_call_that_cannot_be_carried_out_fails_no_other(make: Callable[..., Workspaces]) -> None:
    opened = make()
    acme = opened.create("acme")

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    acme.take = broken  # type: ignore[method-assign, assignment]
    with opened.desk.store.gate.alone():
        futures = [engine.submit([EVENT]) for engine in (opened.default, acme, opened.default)]
    assert futures[0].result(20).ok
    with pytest.raises(RuntimeError):
        futures[1].result(20)
    assert futures[2].result(20).ok


def test_a_future_that_is_given_up_is_stored_all_the_same(make: Callable[..., Workspaces]) -> None:
    opened = make()
    with opened.desk.store.gate.alone():
        future = opened.default.submit([EVENT])
        assert not future.cancel()
    assert future.result(20).ok
    assert opened.default.ingest(EVENT).ok


def test_one_daemon_serves_them_all(make: Callable[..., Workspaces], tmp_path: Path) -> None:
    both = make(default=CART.format("a"), acme=CART.format("b"))
    acme = both.create("acme")
    daemon = Daemon(both)
    daemon.start()
    try:
        for engine in both.engines:
            engine.ingest(EVENT)
        later = make(default=CART.format("a"), acme=CART.format("b")).create("later")
        later.ingest(EVENT)
        both.clock.move("2 hours")  # type: ignore[attr-defined]
        (tmp_path / "acme" / "some.rules").write_text(CART.format("c"))
        daemon.wakeup()
        assert daemon.healthy
        assert [one.template for one in both.default.sent()] == ["a"]
        assert [one.template for one in acme.sent()] == ["b"]  # it runs on the version it started on
        assert [row.name for row in both.rows] == ["default", "acme", "later"]
    finally:
        daemon.stop()
