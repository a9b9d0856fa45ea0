"""Rules as the store remembers them: when they went live, and every version a journey may still run on."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, literal_column, or_, select

from engine.store import changes as counted
from engine.store.prepared import Prepared, bound, inserting, updating
from engine.store.prepared import next_id as _next_id
from engine.store.rows import RuleRow
from engine.store.schema import journeys, outbox, rule_versions, rules

_workspace = bound("workspace")
EVERY = Prepared(
    select(*(rules.c[one] for one in RuleRow._fields)).where(rules.c.workspace_id == _workspace).order_by(rules.c.id),
    "workspace",
)
_INSERT = inserting(rules, *RuleRow._fields)
_UPDATE = updating(rules, *RuleRow._fields)

_of_version = and_(journeys.c.rule == rule_versions.c.rule, journeys.c.version == rule_versions.c.digest)
_waits = select(journeys.c.id).where(_of_version, journeys.c.ended_at.is_(None))
_unsent = (
    select(outbox.c.id)
    .select_from(outbox)
    .join(journeys, journeys.c.id == outbox.c.journey_id)
    .where(
        _of_version,
        outbox.c.workspace_id == rule_versions.c.workspace_id,
        outbox.c.status.in_([literal_column("'held'"), literal_column("'pending'")]),
        outbox.c.rule == rule_versions.c.rule,
    )
)
VERSIONS = Prepared(
    select(rule_versions.c.rule, rule_versions.c.digest, rule_versions.c.text)
    .join(rules, and_(rules.c.id == rule_versions.c.rule, rules.c.version != rule_versions.c.digest))
    .where(
        rule_versions.c.workspace_id == _workspace,
        rules.c.removed_at.is_(None),
        or_(_waits.exists(), _unsent.exists()),
    ),
    "workspace",
)
LIVE_TEXTS = Prepared(
    select(rules.c.rule_id, rule_versions.c.text)
    .join(rules, and_(rules.c.id == rule_versions.c.rule, rules.c.version == rule_versions.c.digest))
    .where(rule_versions.c.workspace_id == _workspace, rules.c.removed_at.is_(None))
    .order_by(rules.c.id),
    "workspace",
)
VERSION = Prepared(
    select(rule_versions.c.text).where(
        rule_versions.c.workspace_id == _workspace,
        rule_versions.c.rule == bound("rule"),
        rule_versions.c.digest == bound("digest"),
    ),
    "workspace", "rule", "digest",
)  # fmt: skip
_SAVE_VERSION = inserting(rule_versions, "workspace_id", "rule", "digest", "text", "loaded_at")


def every(connection: Connection, workspace: int) -> dict[str, RuleRow]:
    """All rules ever loaded, by id."""
    return {row.rule_id: row for row in map(RuleRow._make, EVERY.rows(connection, workspace))}


def changes(connection: Connection, workspace: int) -> int:
    """How often anything about the rules has changed: what tells a process that another one changed them."""
    return counted.changes(connection, workspace, "rules")


def note_change(connection: Connection, workspace: int) -> None:
    """Have every process see that something about the rules changed."""
    counted.note_change(connection, workspace, "rules")


def next_id(connection: Connection) -> int:
    """The row the next new rule gets."""
    return _next_id(connection, rules)


def insert(connection: Connection, rows: Iterable[RuleRow]) -> None:
    """Remember rules, under the rows they name."""
    _INSERT.many(connection, rows)


def update(connection: Connection, rows: Iterable[RuleRow]) -> None:
    """Write rules anew, by their rows: a new version, a pause, a removal, occurrences worked through."""
    _UPDATE.many(connection, rows)


def save_version(connection: Connection, workspace: int, rule: int, digest: str, text: str, now: int) -> None:
    """Remember a version's canonical text; one that is known keeps its day."""
    if VERSION.row(connection, workspace, rule, digest) is None:
        _SAVE_VERSION.many(connection, [(workspace, rule, digest, text, now)])


def live_texts(connection: Connection, workspace: int) -> dict[str, str]:
    """The canonical texts of the rules that are live, by id."""
    return dict(LIVE_TEXTS.rows(connection, workspace))


def versions_in_use(connection: Connection, workspace: int) -> list[tuple[int, str, str]]:
    """Older versions of live rules on which journeys wait or actions have yet to leave: rule, digest, text."""
    return [(rule, digest, text) for rule, digest, text in VERSIONS.rows(connection, workspace)]
