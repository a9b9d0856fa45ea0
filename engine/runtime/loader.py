"""Programs to live rules: what goes live, what changed, what is gone, written beside their history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.journeys.rulebook import RuleLife
from engine.language import Diagnostic, read
from engine.language.nodes import QuietHours, Rule
from engine.language.program import Program
from engine.language.renames import renamed
from engine.runtime.live import Live, LiveRule
from engine.runtime.pausing import ended, is_paused, pauses_of
from engine.store import Connection, faults, operations, rules
from engine.store.operations import OperationRow
from engine.store.rows import RuleRow
from engine.store.writer import Postponed, is_writing

Quiet = tuple[QuietHours, ...]
"""The quiet hours of the settings."""


class Edit(NamedTuple):
    """The rules as they are live after an edit, and what is to follow in pages: by rule, to what waits of it."""

    live: Live
    following: Mapping[str, OperationRow]
    seeds: Sequence[OperationRow]


def go_live(
    connection: Connection,
    workspace: int,
    programs: Sequence[Program],
    now: int,
    *,
    at_hand: dict[str, Program],
    always: bool = False,
    migrate: bool = False,
    quiet: Quiet = (),
) -> Edit:
    """Make ``programs`` the live rules from ``now`` on; ``always`` as if they had been live from the beginning.

    A rule not met before goes live now. A rule whose trigger or opening Conditions changed goes live anew; any
    other edit takes effect for journeys that start later, unless it is to ``migrate`` those that wait. A rule that is
    no longer there ends its journeys. All of it holds from here on; what it does to many rows follows in pages. Older
    versions are taken from those ``at_hand``, by their digests.
    """
    read_ahead(connection, workspace, at_hand)
    at_hand |= {program.digest: program for program in programs}
    known = rules.every(connection, workspace)
    wanted = {program.id: program for program in programs}
    gone = [row for row in known.values() if row.rule_id not in wanted and row.removed_at is None]
    following = _remove(connection, workspace, gone, now)
    seeds = []
    next_row = rules.next_id(connection)
    current = {}
    for program in programs:
        before = known.get(program.id)
        current[program.id] = _row(before, program, workspace, next_row, None if always else now)
        next_row += before is None
    changed = [row for row in current.values() if row != known.get(row.rule_id)]
    rules.insert(connection, [row for row in changed if row.rule_id not in known])
    rules.update(connection, [row for row in changed if row.rule_id in known])
    for program in programs:
        row, before = current[program.id], known.get(program.id)
        if before is None or before.version != row.version:
            rules.save_version(connection, workspace, row.id, program.digest, program.text, now)
            if before is not None and not is_paused(row):
                faults.rouse(connection, workspace, row.id, now)
        if program.stands and (before is None or before.opened_at != row.opened_at) and not is_paused(row):
            operations.supersede(connection, workspace, row.id, ("seed",), now)
            seeds.append(operations.begin(connection, workspace, "seed", row.id, now))
    live = picture(connection, workspace, programs, current, at_hand, quiet=quiet)
    for rule in live.rules.values() if migrate else ():
        if len(rule.life.versions) > 1:
            following[rule.id] = operations.begin(connection, workspace, "move", rule.row, now)
    if changed or following or seeds:
        rules.note_change(connection, workspace)
        live = replace(
            live,
            change=rules.changes(connection, workspace),
            operations=operations.under_way(connection, workspace),
        )
    return Edit(live, following, seeds)


def picture(
    connection: Connection,
    workspace: int,
    programs: Iterable[Program],
    rows: Mapping[str, RuleRow],
    at_hand: Mapping[str, Program],
    *,
    quiet: Quiet = (),
) -> Live:
    """The live rules, with the older versions on which journeys are still under way.

    ``quiet`` are the settings' quiet hours. Programs ``at_hand``, by their digests, are not read again.
    """
    older: dict[int, dict[str, Program]] = defaultdict(dict)
    for number, digest, text in rules.versions_in_use(connection, workspace):
        older[number][digest] = at_hand.get(digest) or _read(text)
    found = {}
    for program in programs:
        row = rows[program.id]
        versions = {program.digest: program, **older[row.id]}
        life = RuleLife(program, versions, row.live_at, row.opened_at, pauses_of(row))
        found[row.id] = LiveRule(row.id, life, quiet)
    return Live(found, rules.changes(connection, workspace), operations.under_way(connection, workspace))


def stored(connection: Connection, workspace: int, at_hand: dict[str, Program], quiet: Quiet = ()) -> Live:
    """The rules as they are live in the store, whoever loaded them. See :func:`read_ahead`."""
    read_ahead(connection, workspace, at_hand)
    rows = rules.every(connection, workspace)
    programs = [at_hand[rows[rule].version] for rule in rules.live_texts(connection, workspace)]
    return picture(connection, workspace, programs, rows, at_hand, quiet=quiet)


def read_ahead(connection: Connection, workspace: int, at_hand: dict[str, Program]) -> None:
    """Put all versions that are of use among those ``at_hand``, by their digests.

    Where some are to be read and the connection has the turn to write, Postponed is raised, and they are read without
    it: reading takes seconds where it is a process's first.
    """
    rows = rules.every(connection, workspace)
    texts = {rows[rule].version: text for rule, text in rules.live_texts(connection, workspace).items()}
    texts |= {digest: text for _, digest, text in rules.versions_in_use(connection, workspace)}
    missing = {digest: text for digest, text in texts.items() if digest not in at_hand}

    def read_missing() -> None:
        at_hand.update({digest: _read(text) for digest, text in missing.items()})

    if missing and is_writing(connection):
        raise Postponed(read_missing)
    read_missing()


def _read(text: str) -> Program:
    """A program from its own canonical text."""
    return Program(read(text).rules[0])


def outgoing(
    connection: Connection,
    workspace: int,
    programs: Sequence[Program],
    at_hand: dict[str, Program],
    quiet: Quiet = (),
) -> tuple[Live, list[int]]:
    """The rules as they are live, and the rows of those with patience that ``programs`` would edit or end."""
    digests = {program.id: program.digest for program in programs}
    known = rules.every(connection, workspace).values()
    changing = {row.id for row in known if row.removed_at is None and digests.get(row.rule_id) != row.version}
    at_hand |= {program.digest: program for program in programs}
    live = stored(connection, workspace, at_hand, quiet) if changing else Live({})
    return live, [row for row in live.patient if row in changing]


def is_live(connection: Connection, workspace: int, programs: Sequence[Program]) -> bool:
    """Whether ``programs`` are the live rules as they are, and no operation is under way."""
    known = {row.rule_id: row for row in rules.every(connection, workspace).values() if row.removed_at is None}
    same = known.keys() == {program.id for program in programs} and all(
        (known[one.id].version, known[one.id].opening) == (one.digest, one.opening_digest) for one in programs
    )
    return same and not operations.under_way(connection, workspace)


def renames(connection: Connection, workspace: int, now: Iterable[Rule]) -> dict[str, Diagnostic]:
    """Warnings, by their ids, about rules that are live under another title."""
    texts = rules.live_texts(connection, workspace)
    coming = {rule.id: rule for rule in now}
    gone = [_read(text).rule for id, text in texts.items() if id not in coming]
    return renamed(gone, [rule for id, rule in coming.items() if id not in texts])


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


def _remove(connection: Connection, workspace: int, gone: Sequence[RuleRow], now: int) -> dict[str, OperationRow]:
    """Have rules that are no longer there decide and send nothing; their journeys end, and what has not left goes."""
    rules.update(connection, [ended(row, now)._replace(removed_at=now) for row in gone])
    following = {}
    for row in gone:
        operations.supersede(connection, workspace, row.id, ("pause", "resume", "seed", "move"), now)
        faults.forget_rule(connection, workspace, row.id)
        following[row.rule_id] = operations.begin(connection, workspace, "remove", row.id, now)
    return following
