"""One person's trouble is their own: a pair of person and rule that fails is set aside, and all others go on.

What a pair's decisions, or one of its actions, raised is kept with its kind and place, and tried again after a pause
that doubles. Errors of the store, the process or the settings are nobody's own: they pass through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from engine.clock import HOUR, MINUTE
from engine.runtime import pausing
from engine.runtime.faults import described
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.store import Connection, faults
from engine.store.faults import DECISIONS, FaultRow
from engine.store.rows import OutboxRow

_log = logging.getLogger("lapse.faults")

Stage = Literal["decide", "seal", "claim", "record"]

STOPPED: Final = "it failed for "
"""What the reason begins with for which a rule is paused that failed for too many people."""


@dataclass(frozen=True)
class RetryTerms:
    """What the settings say: the first and the longest pause in microseconds, and how many people pause a rule."""

    first: int = MINUTE
    longest: int = HOUR
    people: int = 100

    def pause(self, tries: int) -> int:
        """Return how long to wait after so many tries: twice as long each time."""
        return min(self.first << min(tries - 1, 40), self.longest)


class Isolation:
    """What is set aside in one transaction, at one reading of the clock."""

    def __init__(self, connection: Connection, workspace: int, live: Live, now: int, terms: RetryTerms) -> None:
        self._connection = connection
        self._workspace = workspace
        self._live = live
        self._now = now
        self._terms = terms
        self._known: dict[tuple[int, int, int], FaultRow] = {}
        self._any: bool | None = None
        self._failed: set[tuple[int, str]] = set()
        self.earliest: int | None = None
        """The earliest moment at which something that was set aside is tried again."""

    @property
    def is_needed(self) -> bool:
        """Whether anything is set aside."""
        if self._any is None:
            self._any = faults.any_fault(self._connection, self._workspace)
        return self._any

    # ---------------------------------------------------------------------------------------- deciding

    def admitted(self, touches: Mapping[Pair, Touch]) -> Mapping[Pair, Touch]:
        """Return those of the touches that are decided now, with what their pairs have missed.

        Of a pair whose time to be tried again has not come, it is only kept what has touched it.
        """
        if not touches or not self.is_needed:
            return touches
        found = self._load(touches)
        rows = {(row.person_id, row.rule): row for row in found if row.action == DECISIONS}
        admitted, waiting = {}, []
        for pair, touch in touches.items():
            row = rows.get(pair)
            if row is None:
                admitted[pair] = touch
                continue
            joined = Touch(min(touch.since, row.since), touch.merged or bool(row.merged))
            if row.next_at is not None and row.next_at <= self._now:
                admitted[pair] = joined
            else:
                waiting.append(row._replace(since=joined.since, merged=int(joined.merged)))
        if waiting:
            faults.save(self._connection, self._workspace, waiting)
            faults.rest(self._connection, self._workspace, [(row.person_id, row.rule) for row in waiting])
        return admitted

    def decided(self, touches: Mapping[Pair, Touch], failed: Mapping[Pair, Exception]) -> None:
        """Set aside the pairs that failed, and take up again those that did not."""
        if failed:
            self._load(failed)
            rows = [self._row(pair, touches[pair], "decide", error) for pair, error in failed.items()]
            self._set_aside(rows)
            faults.rest(self._connection, self._workspace, list(failed))
        if self._known:
            done = [(rule, person, DECISIONS) for person, rule in touches if (person, rule) not in failed]
            self._forget(done)

    # ----------------------------------------------------------------------------------------- actions

    def failed(self, rows: Iterable[OutboxRow], stage: Stage, errors: Mapping[int, Exception]) -> list[OutboxRow]:
        """Set actions aside, by their rows' errors; gives the rows as they are to be saved, due when tried again."""
        troubled = [row for row in rows if row.id in errors]
        if not troubled:
            return []
        self._load({(row.person_id, row.rule) for row in troubled})
        aside = []
        for row in troubled:
            pair, touch = (row.person_id, row.rule), Touch(self._now)
            aside.append(self._row(pair, touch, stage, errors[row.id], row.id))
        self._set_aside(aside)
        due = {one.action: one.next_at for one in aside}
        return [row._replace(due_at=due[row.id] or self._now, error=described(errors[row.id])) for row in troubled]

    def succeeded(self, rows: Iterable[OutboxRow], *stages: Stage) -> None:
        """Take up again actions that are beyond the stages they may have failed in."""
        if self.is_needed:
            went = list(rows)
            self._load({(row.person_id, row.rule) for row in went})
            keys = [(row.rule, row.person_id, row.id) for row in went]
            self._forget(key for key in keys if key in self._known and self._known[key].stage in stages)

    # ------------------------------------------------------------------------------------------- people

    def merged(self, touches: dict[Pair, Touch], winner: int, losers: Iterable[int]) -> None:
        """Have what was set aside of people who became one with ``winner`` decided with them."""
        gone = list(losers)
        if not gone or not self.is_needed:
            return
        rows = faults.of_pairs(
            self._connection, self._workspace, [(loser, rule) for loser in gone for rule in self._live.rules]
        )
        for row in rows:
            if row.action == DECISIONS:
                touches.setdefault((winner, row.rule), Touch(row.since, True)).join(row.since, True)
        faults.delete(self._connection, self._workspace, rows)

    # ------------------------------------------------------------------------------------------- rules

    def stop_rules(self) -> None:
        """Pause the rules under whose live version too many people are set aside. The last thing in a transaction."""
        for rule, version in sorted(self._failed):
            live = self._live.rules.get(rule)
            people = faults.people(self._connection, self._workspace, rule, version)
            if live is not None and people >= self._terms.people:
                reason = f"{STOPPED}{people:,} people; 'lapse rules {live.id}' shows the errors"
                if pausing.stop(self._connection, self._workspace, live.id, self._now, reason):
                    _log.error(
                        "alert: the rule '%s' is paused: %s; when that is mended: lapse resume %s",
                        live.id, reason, live.id,
                        extra={"fields": {"alert": "faults", "rule": live.id, "reason": reason}},
                    )  # fmt: skip
        self._failed.clear()

    # ----------------------------------------------------------------------------------------- the rows

    def _load(self, pairs: Iterable[Pair]) -> list[FaultRow]:
        if not self.is_needed:
            return []
        found = faults.of_pairs(self._connection, self._workspace, pairs)
        self._known |= {(row.rule, row.person_id, row.action): row for row in found}
        return found

    def _row(self, pair: Pair, touch: Touch, stage: Stage, error: Exception, action: int = DECISIONS) -> FaultRow:
        person, rule = pair
        live = self._live.rules.get(rule)
        version = "" if live is None else live.program.digest
        before = self._known.get((rule, person, action))
        tries = 1 if before is None else before.tries + 1
        first = self._now if before is None else before.failed_at
        at = self._now + self._terms.pause(tries)
        return FaultRow(
            rule, person, action, version, stage, described(error), touch.since, int(touch.merged), first, tries, at
        )

    def _set_aside(self, rows: list[FaultRow]) -> None:
        self._tell(rows)
        faults.save(self._connection, self._workspace, rows)
        self._known |= {(row.rule, row.person_id, row.action): row for row in rows}
        self._any = True
        self._failed |= {(row.rule, row.version) for row in rows}
        moments = [row.next_at for row in rows if row.next_at is not None]
        self.earliest = min(moments if self.earliest is None else [*moments, self.earliest])

    def _tell(self, rows: list[FaultRow]) -> None:
        """Say each error of a rule's version once, as long as anybody is set aside for it."""
        told = {(row.rule, row.version, row.error) for row in faults.every(self._connection, self._workspace)}
        for row in rows:
            error = (row.rule, row.version, row.error)
            if error in told:
                continue
            told.add(error)
            live = self._live.rules.get(row.rule)
            rule = "" if live is None else live.id
            _log.error(
                "alert: the rule '%s' failed for a person (%s): %s; the person is set aside and tried again, all "
                "others go on; 'lapse rules %s' shows how many",
                rule, row.stage, row.error, rule,
                extra={"fields": {"alert": "set_aside", "rule": rule, "stage": row.stage, "error": row.error}},
            )  # fmt: skip

    def _forget(self, keys: Iterable[tuple[int, int, int]]) -> None:
        gone = [self._known.pop(key) for key in keys if key in self._known]
        if gone:
            faults.delete(self._connection, self._workspace, gone)
