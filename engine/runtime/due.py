"""What falls due in a workspace, and what waits to be looked at: decided a page a transaction, and sent in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial, reduce
from math import inf
from typing import Any, NamedTuple, Protocol

from engine.clock import SECOND, Clock
from engine.runtime.catching_up import is_resting, rest
from engine.runtime.desk import Desk
from engine.runtime.gathering import gathered
from engine.runtime.intake import Intake
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch
from engine.runtime.operations import Operations
from engine.runtime.sending import Sending
from engine.store import Connection, journeys, operations, people, watches
from engine.store.pace import Pace

DRAIN = 500
"""Pairs of person and rule that are decided in one transaction at most."""

FIRST = 100
"""As many at first, before it is known how long they take."""

HASTE = 10
"""As many as long as others wait for theirs: about 4 ms of work. Of actions twice as many are claimed."""

BEHIND = 1 * SECOND
"""Who is as late as this with what is due has a backlog, and works at what falls due now beside it."""

FRESH = 3 * SECOND
"""What fell due so long ago at most is taken out of the order then."""


class Due(NamedTuple):
    """What a call of ``run_due`` did, and the next moment at which something is to be done (microseconds UTC)."""

    decided: int = 0
    sent: int = 0
    next: int | None = None

    def then(self, more: Due) -> Due:
        """This, and more that was done after it."""
        return Due(self.decided + more.decided, self.sent + more.sent, more.next)


class Coming(NamedTuple):
    """The next moments at which something is to be decided, and to be sent."""

    decide: int | None
    send: int | None

    @property
    def first(self) -> int | None:
        """The earlier of them; at one moment decisions come first."""
        return min((one for one in self if one is not None), default=None)


class NewIntake(Protocol):
    """Makes the intake of a transaction, with the rules that are live or others."""

    def __call__(self, connection: Connection, live: Live | None = None) -> Intake: ...


class DueWork:
    """The deciding and sending of one workspace."""

    def __init__(
        self,
        desk: Desk,
        workspace: int,
        clock: Clock,
        grace: int,
        intake: NewIntake,
        sending: Sending,
        operations: Operations,
    ) -> None:
        self._store, self._writer = desk.store, desk.writer
        self._workspace = workspace
        self._clock = clock
        self._grace = grace
        self._intake = intake
        self._sending = sending
        self._operations = operations
        self._page = DRAIN
        self._pace = Pace(self._store.limits.transaction, first=FIRST, most=DRAIN, least=HASTE)

    # ----------------------------------------------------------------------------------------- due

    def run(self) -> Due:
        """Decide everything that is due by the clock, and send what may leave; ends when all of it is recorded."""
        return reduce(Due.then, self.pages(wait=True))

    def pages(self, *, wait: bool) -> Iterator[Due]:
        """:meth:`run` for those who take turns: what each page did. The last is empty.

        Without ``wait``, what is sent may still be under way then; and where there is a backlog, what falls due now
        does not wait for the end of it, nor does what can be sent.
        """
        coming, went, decides = self.coming(), 1, False
        self._page = HASTE
        while went and coming.first is not None and coming.first <= (now := self._clock.now()):
            behind = not wait and coming.decide is not None and coming.decide < now - BEHIND
            in_turn = behind and coming.send is not None and coming.send <= now
            decides = not decides if in_turn else coming.first == coming.decide
            if decides:
                went, coming = self._writer.run(partial(self._drain, behind=behind))
                yield Due(decided=went, next=coming.first)
            else:
                went, sent = self._sending.page(2 * self._page, wait=wait, behind=behind)
                went += behind
                self._keep_pace()
                coming = self.coming()
                yield Due(sent=sent, next=coming.first)
        yield Due(next=coming.first)

    def decide(self) -> int:
        """Decide what is due, oldest first, and send nothing; gives how many pairs were decided."""
        decided = 0
        while went := self._writer.run(self._drain)[0]:
            decided += went
        return decided

    def coming(self) -> Coming:
        """What comes next."""
        with self._store.read() as connection:
            return self._coming(connection)

    def _coming(self, connection: Connection) -> Coming:
        decide = journeys.next_due(connection, self._workspace)
        due = None if decide is None else decide + self._grace
        ready = operations.next_ready(connection, self._workspace)
        first = min((at for at in (due, ready) if at is not None), default=None)
        return Coming(first, self._sending.coming(connection))

    def _drain(self, connection: Connection, behind: bool = False) -> tuple[int, Coming]:
        """A page of what is due; before it, one of an operation that is under way, which leaves it little time."""
        went = int(self._operations.step(connection))
        intake = self._intake(connection)
        page = min(HASTE if went else self._page, self._pace.size)
        fresh = self._fresh(intake, page // 2) if behind else []
        due = journeys.due(connection, self._workspace, intake.now - self._grace, page - len(fresh))
        due = list(dict.fromkeys([*due, *fresh]))
        went += rest(connection, self._workspace, intake.live, due)
        went += self._look(intake, (pair for pair in due if not is_resting(intake.live, pair)))
        self._keep_pace()
        return went, self._coming(connection)

    def _fresh(self, intake: Intake, limit: int) -> list[Pair]:
        """What fell due just now."""
        until = intake.now - self._grace
        return journeys.due_after(intake.connection, self._workspace, until - FRESH, until, limit)

    def _keep_pace(self) -> None:
        """Take small pages as long as others of this process wait for the writer, larger ones when nobody does."""
        self._page = HASTE if self._writer.is_awaited else min(DRAIN, self._page + HASTE // 2)

    def _look(self, intake: Intake, pairs: Iterable[Pair]) -> int:
        """Bring pairs up to now; those of rules that are not live stay as they are. Gives how many were."""
        touches: dict[Any, Touch] = {pair: Touch(intake.now + 1) for pair in pairs if pair[1] in intake.live.rules}
        with self._pace.taking(len(touches)):
            intake.settle(touches)
        return len(touches)

    # -------------------------------------------------------------------------------------- looked at

    def settle(self, live: Live, until: float = inf) -> bool:
        """Write what events have already decided but nobody has looked at; gives whether all of it was.

        A trigger that can lead to nothing yet was only noted, and an event that only ends journeys is not told to
        them when it comes: the next look finds both. It is given up once the process has waited for others longer than
        ``until``, in seconds.
        """
        gate = self._store.gate
        for rule in live.patient:
            if not self.work_through(rule, live, until):
                return False
        after = -1
        while self._some_wait(after):
            if gate.waited > until:
                return False
            pairs = self._writer.run(partial(self._settle_some, after=after))
            after = max((person for person, _ in pairs), default=after)
        return True

    def _some_wait(self, after: int) -> bool:
        with self._store.read() as connection:
            return bool(journeys.waiting(connection, self._workspace, after, 1))

    def _settle_some(self, connection: Connection, after: int) -> list[Pair]:
        pairs = journeys.waiting(connection, self._workspace, after, self._pace.size)
        self._look(self._intake(connection), pairs)
        return pairs

    def settle_person(self, id: str, *, standing: bool = False) -> None:
        """The same for one person, whichever of their ids is given; also where rules are ``standing``."""
        self._writer.run(partial(self._settle_person, id=id, standing=standing))

    def _settle_person(self, connection: Connection, id: str, standing: bool) -> None:
        person = people.find(connection, self._workspace, id)
        if person is not None:
            intake = self._intake(connection)
            waiting = {(person, one.rule) for one in journeys.of_person(connection, person) if one.ended_at is None}
            watched = intake.live.rules if standing else intake.live.patient
            noted = watches.load_watches(connection, self._workspace, [(person, rule) for rule in watched])
            marked = gathered(connection, self._workspace, intake.live, [person])
            self._look(intake, waiting | marked | {(person, one.rule) for one in noted})

    def work_through(self, rule: int, live: Live, until: float = inf) -> bool:
        """Decide the triggers that were only noted under a rule, as ``live`` has it, a transaction at a time.

        It is given up, and False, when the gate has been waited for longer than ``until``, in seconds.
        """
        after: int | None = self._first_watch(rule)
        while after is not None:
            if self._store.gate.waited > until:
                return False
            after = self._writer.run(partial(self._work_page, rule=rule, after=after, live=live))
        return True

    def _first_watch(self, rule: int) -> int | None:
        """Where to begin; nothing where no trigger of the rule is noted, so that no turn to write is needed."""
        with self._store.read() as connection:
            return 0 if watches.watches_of(connection, rule, 0, 1) else None

    def work_rest(self, connection: Connection, rule: int, live: Live) -> None:
        """Decide all of them in the transaction there is: what has come since they were worked through by pages."""
        after: int | None = 0
        while after is not None:
            after = self._work_page(connection, rule, after, live)

    def _work_page(self, connection: Connection, rule: int, after: int, live: Live) -> int | None:
        """Some of them; gives the watch to go on behind, nothing at the end."""
        size = self._pace.size
        rows = watches.watches_of(connection, rule, after, size)
        self._look(self._intake(connection, live), ((person, rule) for _, person in rows))
        return rows[-1][0] if len(rows) == size else None
