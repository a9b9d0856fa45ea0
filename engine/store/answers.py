"""Calls that count once: what was answered under their keys, and which events hold keys of their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from engine.store.prepared import Prepared, batch, bound, inserting, listed
from engine.store.schema import answers, idempotency

Key = tuple[str, str]
"""A namespace and a key in it."""


class AnswerRow(NamedTuple):
    """The answer to the first call under a key. ``outcomes`` is JSON; ``expires_at`` is microseconds UTC.

    ``person_id`` is the person whose all its events are; None where they are several people's, or nobody's.
    """

    namespace: str
    key: str
    digest: bytes
    outcomes: str
    person_id: int | None
    expires_at: int


class HoldRow(NamedTuple):
    """A key that holds as long as its event is kept."""

    namespace: str
    key: str
    digest: bytes
    public_id: bytes


_workspace = bound("workspace")
_keys = batch("keys", namespace=str, key=str)
ANSWERS = Prepared(
    select(*(answers.c[one] for one in AnswerRow._fields)).select_from(_keys.joined(
        answers,
        and_(
            answers.c.workspace_id == _workspace,
            answers.c.namespace == _keys["namespace"],
            answers.c.key == _keys["key"],
        ),
    )),
    "workspace", "keys",
)  # fmt: skip
HOLDS = Prepared(
    select(*(idempotency.c[one] for one in HoldRow._fields)).select_from(_keys.joined(
        idempotency,
        and_(
            idempotency.c.workspace_id == _workspace,
            idempotency.c.namespace == _keys["namespace"],
            idempotency.c.key == _keys["key"],
        ),
    )),
    "workspace", "keys",
)  # fmt: skip
_DROP = Prepared(
    answers.delete().where(
        answers.c.workspace_id == _workspace, answers.c.namespace == bound("space"), answers.c.key == bound("name")
    ),
    "workspace", "space", "name",
)  # fmt: skip
_KEEP = inserting(answers, "workspace_id", *AnswerRow._fields)
_HOLD = inserting(idempotency, "workspace_id", *HoldRow._fields)
EXPIRE = Prepared(answers.delete().where(answers.c.expires_at <= bound("now")), "now")


def answered(connection: Connection, workspace: int, keys: Iterable[Key], now: int) -> list[AnswerRow]:
    """The answers that are kept under keys; those that have expired by ``now`` free theirs."""
    found = [AnswerRow._make(row) for row in ANSWERS.rows(connection, workspace, listed(keys))]
    over = [row for row in found if row.expires_at <= now]
    _DROP.many(connection, [(workspace, row.namespace, row.key) for row in over])
    return [row for row in found if row.expires_at > now]


def held(connection: Connection, workspace: int, keys: Iterable[Key]) -> list[HoldRow]:
    """The keys among these that events hold."""
    return [HoldRow._make(row) for row in HOLDS.rows(connection, workspace, listed(keys))]


def keep(connection: Connection, workspace: int, rows: Iterable[AnswerRow]) -> None:
    """Keep answers under keys that are free."""
    _KEEP.many(connection, [(workspace, *row) for row in rows])


def hold(connection: Connection, workspace: int, rows: Iterable[HoldRow]) -> None:
    """Have events hold keys that are free."""
    _HOLD.many(connection, [(workspace, *row) for row in rows])


def expire(connection: Connection, now: int) -> int:
    """Drop the answers of all workspaces that have expired by ``now``; gives how many."""
    return EXPIRE.run(connection, now)
