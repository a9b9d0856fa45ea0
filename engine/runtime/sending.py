"""Sending: seals actions of the outbox lane by lane, claims them, hands them to their channels, records the outcome.

An action is asked again in the transaction that claims it, by the same core that decided it. From the claim on it
counts as left. What was claimed and never recorded, because the process died, is claimed again once its lease is over:
at least once, always under the same key, and as the same bytes.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial

from engine.clock import Clock
from engine.delivery import sender
from engine.delivery.channels import SendError
from engine.delivery.lanes import Lane
from engine.delivery.routing import Route, Routes
from engine.delivery.sender import Outcome
from engine.errors import ConfigError
from engine.runtime import switches
from engine.runtime.desk import Desk
from engine.runtime.faults import described
from engine.runtime.gathering import gathered
from engine.runtime.intake import Intake
from engine.runtime.loading import Pair, Touch
from engine.runtime.outgoing import Claiming, Terms
from engine.runtime.recording import record
from engine.runtime.sealing import Job, Sealer
from engine.store import Connection, journeys, outbox
from engine.store.faults import SYSTEMIC
from engine.store.pace import Pace
from engine.store.rows import OutboxRow

CLAIMS = 1_000
"""Actions that are claimed in one transaction at most."""

FIRST = 100
"""As many at first, before it is known how long they take."""

LEAST = 10
"""As many, where they wait, however long they take."""

_log = logging.getLogger("lapse.actions")


class Sending:
    """The sending of one workspace.

    ``reached`` is called with the name of each point at which a process may die (``sealed``, ``claimed``, ``answered``,
    ``recorded``), so that a test can break there. ``freed`` is called when a lane has room again.
    """

    def __init__(
        self,
        desk: Desk,
        workspace: int,
        clock: Clock,
        intake: Callable[[Connection], Intake],
        routes: Routes,
        sealer: Sealer,
        terms: Terms,
    ) -> None:
        self._store, self._writer = desk.store, desk.writer
        self._workspace = workspace
        self._clock = clock
        self._intake = intake
        self._routes = routes
        self._sealer = sealer
        self._terms = terms
        self._claiming = threading.Lock()
        self._pace = Pace(desk.store.limits.transaction, first=FIRST, most=CLAIMS, least=LEAST)
        self._complained: set[str] = set()
        self._cancelled: deque[Job] = deque()
        """Actions whose lane was closed before their sends began."""
        self.reached: Callable[[str], None] = lambda _: None
        self.freed: Callable[[], None] = lambda: None

    # -------------------------------------------------------------------------------------- what comes

    def coming(self, connection: Connection) -> int | None:
        """The next moment at which something is to be sent, and its channel takes it up."""
        now = self._clock.now()
        moments = []
        for lane, names in self._open(connection).items():
            opens = lane.opens_at(now)
            if opens is not None:
                first = min(names.values())
                moments.append(max(first, opens) if opens > now else first)
        return min(moments, default=None)

    def _open(self, connection: Connection) -> dict[Lane, dict[str, int]]:
        """What waits, by lane, where it is not stopped: names of actions, and the first moment of each."""
        ready = outbox.next_due(connection, self._workspace)
        stopped = switches.stopped(connection, self._workspace) if ready else None
        found: dict[Lane, dict[str, int]] = {}
        for name, first in ready.items():
            route = self._route(name)
            if route is not None and stopped is not None and not stopped.holds(route.name):
                found.setdefault(route.lane, {})[name] = first
        return found

    def _route(self, name: str) -> Route | None:
        """The way of an action; nothing where its channel cannot work, which holds up none of the others."""
        try:
            return self._routes.of(name)
        except ConfigError as error:
            if name not in self._complained:
                self._complained.add(name)
                _log.error("actions '%s' wait: %s", name, error)
            return None

    # --------------------------------------------------------------------------------------- taking up

    def page(self, size: int, *, wait: bool, behind: bool = False) -> tuple[int, int]:
        """Take up actions, at most ``size`` a lane; gives how many were looked at, and how many set off.

        With ``wait``, it ends when what became of them is recorded. ``behind``: not everything that is due has been
        decided; what is due of those who are sent to is then.
        """
        with self._claiming:
            failed: dict[int, Exception] = {}
            rows, found = self._due(size, failed)
            jobs = self._sealer.all_sealed(found, failed)
            if not rows:
                return 0, 0
            if any(job.fresh for job in jobs):
                self.reached("sealed")
            aside = [row for row in rows if row.id in failed]
            claim = partial(self._claim, jobs=jobs, aside=aside, failed=failed, behind=behind)
            claimed, claiming = self._writer.run(claim)
            _tell(claiming, jobs)
            under_way = self._set_off(claimed)
        for one in under_way if wait else ():
            one.result()
        return len(rows), len(claimed)

    def _due(self, size: int, failed: dict[int, Exception]) -> tuple[list[OutboxRow], list[Job]]:
        """The actions to look at, and those of them that can be sent."""
        with self._store.read() as connection:
            now = self._clock.now()
            rows: list[OutboxRow] = []
            lanes = self._open(connection)
            most = min(size, max(1, self._pace.size // max(1, len(lanes))))
            for lane, names in lanes.items():
                due = [name for name, first in names.items() if first <= now]
                room = min(most, lane.room(now))
                if due and room:
                    rows += outbox.claimable(connection, self._workspace, due, now, room)
            return rows, self._sealer.jobs(connection, self._intake(connection).live, rows, failed)

    def _claim(
        self,
        connection: Connection,
        jobs: Sequence[Job],
        aside: Sequence[OutboxRow],
        failed: Mapping[int, Exception],
        behind: bool,
    ) -> tuple[list[Job], Claiming]:
        """Claim those that are still as they were when they were sealed; the others have their turn again.

        Those of which nothing could be made, for a reason of their own that nobody knows, are set aside.
        """
        stopped = switches.stopped(connection, self._workspace)
        self._decide_first(connection, jobs, behind)
        wanted = [*(job.row.id for job in jobs), *(row.id for row in aside)]
        rows = {row.id: row for row in outbox.by_id(connection, wanted)}
        still = [job for job in jobs if rows.get(job.row.id) == job.row and not stopped.holds(job.route.name)]
        claiming = Claiming(self._intake(connection), self._routes, self._terms)
        troubled = [row for row in aside if rows.get(row.id) == row]
        outbox.save(connection, claiming.intake.isolation.failed(troubled, "seal", failed))
        with self._pace.taking(len(jobs)):
            claimed = {row.id: row for row in claiming.claim([job.row for job in still], _faults(still))}
        leaving = [job._replace(row=claimed[job.row.id]) for job in still if job.row.id in claimed]
        outbox.seal(connection, [job.seal for job in leaving if job.seal is not None])
        return leaving, claiming

    def _decide_first(self, connection: Connection, jobs: Sequence[Job], behind: bool) -> None:
        """What history says of those who are sent to is decided before, and what is due of them: an action that this
        takes back leaves no more, and what is earlier comes first under caps.
        """
        intake = self._intake(connection)
        people = {job.row.person_id for job in jobs}
        pairs = set[Pair]()
        if intake.live.history is not None:
            pairs |= set(gathered(connection, self._workspace, intake.live, people))
        if behind:
            until = intake.now - intake.settings.grace
            asked = [(person, rule) for person in people for rule in intake.live.rules]
            pairs |= journeys.due_of_pairs(connection, self._workspace, asked, until)
        if pairs:
            intake.settle({pair: Touch(intake.now + 1) for pair in pairs})

    def _set_off(self, jobs: Sequence[Job]) -> list[Future[None]]:
        if not jobs:
            return []
        self.reached("claimed")
        leisurely = [job for job in jobs if not job.route.lane.prompt]
        for lane, count in Counter(job.route.lane for job in leisurely).items():
            lane.take(count, self._clock.now())
        under_way = [self._send_off(job) for job in leisurely]
        self._send_promptly([job for job in jobs if job.route.lane.prompt])
        return [one for one in under_way if one is not None]

    # ----------------------------------------------------------------------------------------- sending

    def _send_promptly(self, jobs: Sequence[Job]) -> None:
        """Send a page in this thread, and record it at once."""
        if not jobs:
            return
        outcomes = [(job.row, self._attempt(job)) for job in jobs]
        self.reached("answered")
        self._record(outcomes)
        self.reached("recorded")

    def _send_off(self, job: Job) -> Future[None] | None:
        try:
            future = job.route.lane.send(partial(self._carry, job), self.freed)
        except RuntimeError:  # it was closed meanwhile
            job.route.lane.give_back()
            self._give_back(job)
            return None
        future.add_done_callback(partial(self._ended, job))
        return future

    def _carry(self, job: Job) -> None:
        """Send one action, in a thread of its lane. It takes no other before the outcome of this one is on disk."""
        with self._store.read() as connection:
            if not outbox.is_claimed(connection, job.row):
                return  # the person was erased after the claim, or the claim was over and it was taken up again
            held = switches.stopped(connection, self._workspace).holds(job.route.name)
        if held:
            self._give_back(job)
            return
        outcome = self._attempt(job)
        self.reached("answered")
        self._record([(job.row, outcome)])
        self.reached("recorded")

    def _attempt(self, job: Job) -> Outcome:
        """Send an action. Whether one arrived whose attempt broke off in an unknown way, nobody knows."""
        now = self._clock.now()
        try:
            return sender.attempt(job.route.channel, job.route.settings, job.row, job.action, now)
        except Exception as error:
            if isinstance(error, SYSTEMIC):
                raise
            _log.error("%s: the attempt broke off: %s", job.action.log_line(), described(error))
            return sender.failed(job.row, SendError(described(error), unknown=True), job.route.settings, now)

    def _ended(self, job: Job, future: Future[None]) -> None:
        if future.cancelled():
            self._cancelled.append(job)
        elif (error := future.exception()) is not None:
            _log.error("%s: what became of it is not recorded: %s", job.action.log_line(), described(error))

    def _give_back(self, *jobs: Job) -> None:
        """Let actions that were taken up and not begun be taken up again, as if they had not been."""
        now = self._clock.now()
        rows = [job.row._replace(attempts=job.row.attempts - 1) for job in jobs]
        self._record([(row, Outcome(row.id, "failed", row.error, now)) for row in rows])

    def give_back_cancelled(self) -> None:
        """Give back, in one transaction, all actions whose lanes were closed before their sends began."""
        jobs = []
        while self._cancelled:
            jobs.append(self._cancelled.popleft())
        self._give_back(*jobs)

    # --------------------------------------------------------------------------------------- recording

    def _record(self, outcomes: Sequence[tuple[OutboxRow, Outcome]]) -> None:
        """Write what became of actions."""
        if outcomes:
            self._writer.run(partial(self._write, outcomes=outcomes))

    def _write(self, connection: Connection, outcomes: Sequence[tuple[OutboxRow, Outcome]]) -> None:
        record(self._intake(connection), outcomes)


def _faults(jobs: Sequence[Job]) -> dict[int, SendError]:
    return {job.row.id: job.fault for job in jobs if job.fault is not None}


def _tell(claiming: Claiming, jobs: Sequence[Job]) -> None:
    """Say in the log what does not leave: actions of which nothing could be made, and rules that stopped themselves."""
    for job in jobs:
        if job.row.id in claiming.failed:
            _log.warning("%s", job.action.log_line(job.fault), extra={"fields": job.action.log_fields()})
    for rule, reason in claiming.stopped.items():
        _log.error(
            "alert: the rule '%s' has stopped itself: %s; look at it, then: lapse resume %s", rule, reason, rule,
            extra={"fields": {"alert": "blast_guard", "rule": rule, "reason": reason}},
        )  # fmt: skip
