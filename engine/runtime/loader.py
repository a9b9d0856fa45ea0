"""Programs to live rules: what goes live, what changed, what is gone, written beside their history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from engine.journeys.rulebook import RuleLife
from engine.language import read
from engine.language.program import Program
from engine.runtime.live import Live, LiveRule
from engine.store import Connection, journeys, outbox, rules, watches
from engine.store.rows import RuleRow


def go_live(
    connection: Connection, workspace: int, programs: Sequence[Program], now: int, *, always: bool = False
) -> Live:
    """Make ``programs`` the live rules from ``now`` on; ``always`` as if they had been live from the beginning.

    A rule not met before goes live now. A rule whose trigger or opening Conditions changed goes live anew; any
    other edit takes effect for journeys that start later. A rule that is no longer there ends its journeys.
    """
    known = rules.every(connection, workspace)
    wanted = {program.id: program for program in programs}
    _remove(connection, workspace, [row for row in known.values() if row.rule_id not in wanted], now)
    next_row = rules.next_id(connection)
    current = {}
    for program in programs:
        before = known.get(program.id)
        current[program.id] = _row(before, program, workspace, next_row, None if always else now)
        next_row += before is None
    rules.insert(connection, [row for row in current.values() if row.rule_id not in known])
    rules.update(connection, [row for row in current.values() if row.rule_id in known and row != known[row.rule_id]])
    for program in programs:
        row, before = current[program.id], known.get(program.id)
        if before is None or before.version != row.version:
            rules.save_version(connection, workspace, row.id, program.digest, program.text, now)
        if program.stands and (before is None or before.opened_at != row.opened_at):
            watches.seed_watches(connection, workspace, row.id, now)
    return picture(connection, workspace, programs, current)


def picture(connection: Connection, workspace: int, programs: Iterable[Program], rows: dict[str, RuleRow]) -> Live:
    """The live rules, with the older versions on which journeys are still under way."""
    older: dict[int, dict[str, Program]] = defaultdict(dict)
    for number, digest, text in rules.versions_in_use(connection, workspace):
        older[number][digest] = Program(read(text).rules[0])
    found = {}
    for program in programs:
        row = rows[program.id]
        versions = {program.digest: program, **older[row.id]}
        pauses = tuple((start, end) for start, end in json.loads(row.pauses))
        found[row.id] = LiveRule(row.id, RuleLife(program, versions, row.live_at, row.opened_at, pauses))
    return Live(found)


def stored(connection: Connection, workspace: int) -> Live:
    """The rules as they are live in the store, whoever loaded them."""
    programs = [Program(read(text).rules[0]) for text in rules.live_texts(connection, workspace).values()]
    return picture(connection, workspace, programs, rules.every(connection, workspace))


def outgoing(connection: Connection, workspace: int, programs: Iterable[Program]) -> tuple[Live, list[int]]:
    """The rules as they are live, and the rows of those with patience that ``programs`` would edit or end."""
    digests = {program.id: program.digest for program in programs}
    known = rules.every(connection, workspace).values()
    changing = {row.id for row in known if row.removed_at is None and digests.get(row.rule_id) != row.version}
    live = stored(connection, workspace) if changing else Live({})
    return live, [row for row in live.patient if row in changing]


def _row(before: RuleRow | None, program: Program, workspace: int, next_row: int, now: int | None) -> RuleRow:
    if before is None:
        return RuleRow(next_row, workspace, program.id, program.digest, program.opening_digest, now, now, None, "[]")
    back = before.removed_at is not None
    opened = before.opened_at if before.opening == program.opening_digest and not back else now
    return before._replace(
        version=program.digest,
        opening=program.opening_digest,
        live_at=now if back else before.live_at,
        opened_at=opened,
        removed_at=None,
    )


def _remove(connection: Connection, workspace: int, gone: Sequence[RuleRow], now: int) -> None:
    """End the journeys of rules that are no longer there, and withdraw what has not left."""
    removed = [row for row in gone if row.removed_at is None]
    for row in removed:
        journeys.end_all(connection, workspace, row.id, now, "rule_removed")
        outbox.withdraw_rule(connection, workspace, row.id, "rule_removed")
        watches.forget_watches(connection, row.id)
    rules.update(connection, [row._replace(removed_at=now) for row in removed])
