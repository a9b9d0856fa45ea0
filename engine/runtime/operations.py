"""Operations over many rows, page by page: each has taken effect as a whole before its first page.

The pages are carried out by whoever began the operation, by the daemon, and by whoever opens a store that was left
amid one. Every page is a transaction that also writes how far the operation has come, so a process may end anywhere.
A page takes as many rows as fit into the time of a transaction, by how long those of its stage took before.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

from engine.runtime import migrating
from engine.runtime.catching_up import LOOK
from engine.runtime.completed import REMOVED
from engine.runtime.intake import Intake
from engine.runtime.loading import Pair, Touch
from engine.store import Connection, erasing, operations, pausing, rule_pages, rules, watches
from engine.store.operations import OperationRow
from engine.store.pace import Pace
from engine.store.rows import WatchRow
from engine.store.writer import Writer

FIRST: Final = 100
"""Rows of the first page of a stage, before it is known how long they take."""


@dataclass
class Page:
    """A page of an operation: at most ``size`` rows, behind ``place`` (nothing at the beginning of a stage)."""

    intake: Intake
    row: OperationRow
    size: int
    place: Any
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def connection(self) -> Connection:
        return self.intake.connection

    @property
    def workspace(self) -> int:
        return self.intake.workspace

    @property
    def rule(self) -> int:
        return self.row.subject


class Done(NamedTuple):
    """What a page has come to: how many rows it looked at, and the place behind them; nothing where none are left.

    As many rows as the page has room for mean that it was full.
    """

    rows: int
    place: Any


Stage = Callable[[Page], Done]


class Operations:
    """The operations of one workspace: pages of at most ``size`` rows, that should take ``seconds``."""

    def __init__(
        self,
        writer: Writer[Any, Any],
        workspace: int,
        intake: Callable[[Connection], Intake],
        size: int,
        seconds: float,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._workspace = workspace
        self._intake = intake
        self._size = size
        self._seconds = seconds
        self._now = now
        self._paces: dict[tuple[str, int], Pace] = {}
        """How many rows fit into a transaction, by kind of operation and stage."""

    def finish(self, wanted: Iterable[OperationRow] | None = None) -> dict[int, dict[str, int]]:
        """Carry out what is left of some operations, or of all that are ready; gives what each has changed, by row."""
        if wanted is None:
            while self._writer.run(self.step):
                pass
            return {}
        return {row.id: self._finish(row.id) for row in wanted}

    def _finish(self, id: int) -> dict[str, int]:
        while (counts := self._writer.run(partial(self._step_of, id=id))) is None:
            pass
        return counts

    def carry_out(
        self, row: OperationRow, progress: Callable[[Mapping[str, int]], None], goes_on: Callable[[], bool]
    ) -> bool:
        """Carry out all of an operation, also one that is not ready, and tell after each page what it has changed.

        It is given up, and False, before a page for which it no longer ``goes_on``.
        """
        done = False
        while not done:
            if not goes_on():
                return False
            done, counts = self._writer.run(partial(self._step_and_tell, id=row.id))
            progress(counts)
        return True

    def _step_and_tell(self, connection: Connection, id: int) -> tuple[bool, Mapping[str, int]]:
        counts = self._step_of(connection, id)
        if counts is not None:
            return True, counts
        known = operations.by_id(connection, id)
        return False, {} if known is None else known[0].counts

    def start(self, intake: Intake, row: OperationRow) -> None:
        """Carry out the first page in the transaction that begins an operation: most have no second."""
        if self._page(intake, row, seen=False) is None:
            rules.note_change(intake.connection, self._workspace)

    def step(self, connection: Connection) -> bool:
        """Carry out a page of the first operation that is ready; False where there is none."""
        intake = self._intake(connection)
        row = operations.ready(connection, self._workspace, intake.now)
        if row is None:
            return False
        self._page(intake, row)
        return True

    def _step_of(self, connection: Connection, id: int) -> dict[str, int] | None:
        """Carry out a page of one; gives what it has changed once all of it is done."""
        known = operations.by_id(connection, id)
        if known is None or known[1]:
            return {} if known is None else known[0].counts
        return self._page(self._intake(connection), known[0])

    def _page(self, intake: Intake, row: OperationRow, *, seen: bool = True) -> dict[str, int] | None:
        """Carry out a page; gives what all of them have changed once it was the last.

        An operation that nobody has ``seen`` before its last page is no change that processes need to take up.
        """
        connection, stages = intake.connection, STAGES[row.kind]
        left, begun = self._size, self._now()
        while left > 0 and row.stage < len(stages):
            page, done = self._piece(intake, row, left)
            left -= done.rows
            row = row.counted(page.tally).at(row.stage + (done.place is None), done.place)
            if done.place is not None or self._now() - begun > self._seconds / 2:
                break
        if row.stage < len(stages):
            operations.save(connection, row)
            return None
        operations.end(connection, row, intake.now)
        if seen:
            rules.note_change(connection, self._workspace)
        return row.counts

    def _piece(self, intake: Intake, row: OperationRow, most: int) -> tuple[Page, Done]:
        """Carry out as much of a stage as fits into a transaction, ``most`` rows at most."""
        pace = self._paces.setdefault((row.kind, row.stage), Pace(self._seconds, first=FIRST, most=self._size))
        page = Page(intake, row, min(most, pace.size), operations.place_of(row))
        begun = self._now()
        done = STAGES[row.kind][row.stage](page)
        pace.took(done.rows, self._now() - begun)
        return page, done


# ------------------------------------------------------------------------------------------------ stages


def _rest_journeys(page: Page) -> Done:
    ids, done = _waiting(page)
    rule_pages.rouse(page.connection, ids, None)
    return done


def _rouse_journeys(page: Page) -> Done:
    ids, done = _waiting(page)
    rule_pages.rouse(page.connection, ids, page.row.since)
    return done


def _end_journeys(page: Page) -> Done:
    ids, done = _waiting(page)
    page.tally["ended"] += rule_pages.end(page.connection, ids, page.row.since, REMOVED)
    return done


def _waiting(page: Page) -> tuple[list[int], Done]:
    ids, place = rule_pages.waiting(page.connection, page.rule, _behind(page), page.size)
    return ids, Done(len(ids), place)


def _behind(page: Page) -> rule_pages.Place:
    return rule_pages.BEGINNING if page.place is None else (page.place[0], page.place[1])


def _move_journeys(page: Page) -> Done:
    live = page.intake.live.rules[page.rule]
    moves, place = migrating.move_page(page.connection, live, page.row.since, _behind(page), page.size)
    page.tally.update(moved=moves.moved, stayed=moves.stayed)
    return Done(moves.moved + moves.stayed, place)


def _rest_watches(page: Page) -> Done:
    rows, done = _watched(page)
    rule_pages.rouse_watches(page.connection, rows, None)
    return done


def _rouse_watches(page: Page) -> Done:
    rows, done = _watched(page)
    rule_pages.rouse_watches(page.connection, rows, page.row.since)
    return done


def _forget_watches(page: Page) -> Done:
    rows, done = _watched(page)
    watches.delete_watches(page.connection, rows)
    return done


def _watched(page: Page) -> tuple[list[int], Done]:
    rows = [row for row, _ in watches.watches_of(page.connection, page.rule, page.place or 0, page.size)]
    return rows, Done(len(rows), rows[-1] if len(rows) == page.size else None)


def _watch_everybody(page: Page) -> Done:
    """Everybody seen so far stands under a rule that starts by itself."""
    rule = page.intake.live.rules.get(page.rule)
    if rule is None or not rule.program.stands:
        return Done(0, None)
    found = rule_pages.watchable(page.connection, page.workspace, page.place or 0, page.size)
    known = {
        row.person_id
        for row in watches.load_watches(page.connection, page.workspace, [(person, page.rule) for person in found])
    }
    new = (person for person in found if person not in known)
    fresh = [WatchRow(0, page.workspace, page.rule, person, page.row.since, -1, "") for person in new]
    watches.save_watches(page.connection, fresh)
    return Done(len(found), found[-1] if len(found) == page.size else None)


def _hold_actions(page: Page) -> Done:
    return _until_none(page, rule_pages.hold(page.connection, page.workspace, page.rule, page.size))


def _release_actions(page: Page) -> Done:
    return _until_none(page, rule_pages.release(page.connection, page.workspace, page.rule, page.size))


def _withdraw_actions(page: Page) -> Done:
    return _until_none(page, rule_pages.withdraw(page.connection, page.workspace, page.rule, REMOVED, page.size))


def _until_none(page: Page, rows: int) -> Done:
    """For rows that are no longer found once they are changed."""
    return Done(rows, 0 if rows == page.size else None)


def _forget_set_aside(page: Page) -> Done:
    rows = pausing.page(page.connection, page.workspace, page.rule, page.size)
    pausing.forget(page.connection, page.workspace, [(row, page.rule) for row, *_ in rows])
    return _until_none(page, len(rows))


def _decide_set_aside(page: Page) -> Done:
    """Decide what came late in a pause, before anything of the rule is due."""
    rows = pausing.page(page.connection, page.workspace, page.rule, page.size)
    _decide(page, [(row, page.rule, (person, page.rule), since, merged) for row, person, since, merged in rows])
    return Done(len(rows), 0 if rows else None)


def _decide_gathered(page: Page) -> Done:
    """Decide whom history concerns, person by person: their timelines are read once for all rules."""
    live = page.intake.live
    for rule in live.rules:
        if rule in live.paused:
            continue
        rows = pausing.page(page.connection, page.workspace, rule, page.size)
        if rows:
            now_are = {row: person for row, person, *_ in rows}
            asked = [(row, one) for row in now_are for one in live.rules if one not in live.paused]
            known = pausing.known(page.connection, page.workspace, asked)
            found = [(row, one, (now_are[row], one), since, merged) for row, one, since, merged in known]
            page.tally["decided"] += len(found)
            _decide(page, found)
            return Done(len(rows), 0)
    return Done(0, None)


def _decide(page: Page, found: Sequence[tuple[int, int, Pair, int, int]]) -> None:
    touches: dict[Pair, Touch] = {}
    for _, _, pair, since, merged in found:
        touches.setdefault(pair, Touch(LOOK)).join(min(since, page.intake.now + 1), bool(merged))
    pausing.forget(page.connection, page.workspace, [(row, rule) for row, rule, *_ in found])
    page.intake.settle(touches)


def _of_person(erase: erasing.Stage) -> Stage:
    def stage(page: Page) -> Done:
        counts, rows, place = erase(
            page.connection, page.workspace, page.row.subject, page.row.since, page.place or 0, page.size
        )
        page.tally.update(counts)
        return Done(rows, place)

    return stage


STAGES: Final[Mapping[str, tuple[Stage, ...]]] = {
    "pause": (_rest_journeys, _rest_watches, _hold_actions),
    "resume": (_decide_set_aside, _rouse_journeys, _rouse_watches, _watch_everybody, _release_actions),
    "remove": (_end_journeys, _withdraw_actions, _forget_watches, _forget_set_aside),
    "move": (_move_journeys,),
    "seed": (_rouse_watches, _watch_everybody),
    "history": (_decide_gathered,),
    "erase": tuple(map(_of_person, erasing.STAGES)),
}
"""What each kind of operation changes, one kind of rows after the other."""
