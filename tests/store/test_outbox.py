"""The outbox: one row a key, claimed oldest first, withdrawn only while nobody has taken it up."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from engine.store import erasing, outbox, rule_pages
from tests.store.rows import WORKSPACE, action

NAMES = ["mail", "other"]
NOT_LEFT = ["held", "pending", "cancelled", "suppressed", "skipped_late"]
LEFT = ["sending", "sent", "failed", "dead", "parked"]


@pytest.mark.parametrize("status", NOT_LEFT)
def test_deciding_again_replaces_what_has_not_left(connection: Connection, status: str) -> None:
    outbox.insert(connection, [action("k", status=status, moment=1)])
    outbox.insert(connection, [action("k", moment=2, due_at=8)])
    (row,) = outbox.of_person(connection, 1)
    assert (row.status, row.moment, row.due_at) == ("pending", 2, 8)
    assert [one.key for one in outbox.claimable(connection, WORKSPACE, NAMES, 8, 10)] == ["k"]


@pytest.mark.parametrize("status", LEFT)
def test_what_has_left_stands(connection: Connection, status: str) -> None:
    outbox.insert(connection, [action("k", status=status, moment=1)])
    outbox.insert(connection, [action("k", moment=2)])
    assert [(row.status, row.moment) for row in outbox.of_person(connection, 1)] == [(status, 1)]


def test_claims_come_oldest_first_and_come_back_when_they_are_over(connection: Connection) -> None:
    rows = [action("late", due_at=9), action("b", due_at=5, moment=2), action("a", due_at=5, moment=1)]
    outbox.insert(connection, [*rows, action("held", status="held"), action("done", status="sent")])
    assert outbox.next_due(connection, WORKSPACE) == {"mail": 5}
    claimed = outbox.claimable(connection, WORKSPACE, NAMES, 5, 10)
    assert [row.key for row in claimed] == ["a", "b"]
    outbox.save(connection, [row._replace(status="sending", attempts=1, due_at=100) for row in claimed])
    assert [row.key for row in outbox.claimable(connection, WORKSPACE, NAMES, 9, 10)] == ["late"]
    assert [row.key for row in outbox.claimable(connection, WORKSPACE, NAMES, 100, 10)] == [
        "late",
        "a",
        "b",
    ]
    outbox.save(connection, [row._replace(status="sent", due_at=100) for row in outbox.listing(connection, 1, 0, 10)])
    assert outbox.claimable(connection, WORKSPACE, NAMES, 1_000, 10) == []
    assert outbox.next_due(connection, WORKSPACE) == {}


def test_only_what_nobody_took_up_is_withdrawn(connection: Connection) -> None:
    outbox.insert(connection, [action(status, status=status) for status in [*NOT_LEFT, *LEFT]])
    assert sorted(outbox.withdraw(connection, WORKSPACE, [*NOT_LEFT, *LEFT, "none"], "why")) == ["held", "pending"]
    assert outbox.withdraw(connection, WORKSPACE, [], "why") == []
    assert {row.key for row in outbox.claimable(connection, WORKSPACE, NAMES, 9, 99)} == {
        "failed",
        "sending",
    }
    outbox.insert(connection, [action("other", rule=2), action("more")])
    assert rule_pages.withdraw(connection, WORKSPACE, 1, "gone", 9) == 1
    assert {row.key: row.status for row in outbox.listing(connection, WORKSPACE, 0, 99)}.items() >= {
        ("more", "cancelled"), ("other", "pending"),
    }  # fmt: skip


def test_keys_are_the_workspaces_own(connection: Connection) -> None:
    outbox.insert(connection, [action("k", causes='["r"]')])
    outbox.insert(connection, [action("k", workspace_id=2)])
    assert outbox.counts(connection, 1) == outbox.counts(connection, 2) == {(1, "pending"): 1}
    assert [(one.key, one.causes) for one in outbox.by_key(connection, 1, ["k", "none"])] == [("k", '["r"]')]


def test_names_that_are_not_asked_for_hold_up_none_of_the_others(connection: Connection) -> None:
    rows = [action(f"{name}{number}", name=name) for name in ("call", "mail", "push") for number in range(3)]
    outbox.insert(connection, rows)
    asked = outbox.claimable(connection, WORKSPACE, ["push", "mail"], 100, 4)
    assert {one.name for one in asked} == {"mail", "push"}
    assert len(asked) == 4
    assert set(outbox.next_due(connection, WORKSPACE)) == {"call", "mail", "push"}


def test_what_an_action_is_sent_as_is_kept_until_its_person_is_erased(connection: Connection) -> None:
    outbox.insert(connection, [action("k")])
    (kept,) = outbox.of_person(connection, 1)
    outbox.seal(connection, [(kept.id, b"bytes", "ann@example.com", "email")])
    (kept,) = outbox.of_person(connection, kept.person_id)
    assert (kept.body, kept.recipient, kept.sealed_as) == (b"bytes", "ann@example.com", "email")
    erasing.BLANK_ACTIONS.run(connection, kept.person_id)
    outbox.seal(connection, [(kept.id, b"again", "ann@example.com", "email")])
    (kept,) = outbox.of_person(connection, kept.person_id)
    assert (kept.body, kept.recipient) == (None, None)
