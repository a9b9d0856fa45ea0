"""The engine: one store, one set of rules, one clock.

Everything that writes goes through one writer thread, which shares a transaction among all calls that wait. What is
acknowledged is on disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import islice
from math import inf
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

from engine.clock import Clock, WallClock
from engine.config import Settings, load_settings
from engine.delivery.channels import Channel, Outgoing, PythonChannel
from engine.delivery.routing import UNBOUND, Lanes, Routes
from engine.delivery.templates import Templates, looked_over
from engine.delivery_settings import known_channels
from engine.durations import in_micros
from engine.errors import ConfigError
from engine.journeys import rulebook
from engine.language import Diagnostic, read_quiet_hours
from engine.language.program import Program
from engine.model import Event, Identify, ValidEvent, validate
from engine.receipt import Outcome, Receipt, Rejection
from engine.runtime import (
    browsing,
    clamping,
    contacts,
    deliveries,
    erasing,
    exporting,
    housekeeping,
    loader,
    masking,
    pausing,
    previewing,
    quarantine,
    records,
    redriving,
    sight,
    switches,
    unreachable,
)
from engine.runtime.admission import Admission
from engine.runtime.browsing import EventCount, EventPage, Per, When
from engine.runtime.contacts import PersonRef
from engine.runtime.deliveries import Asked, DeliveryPage, WholeDelivery
from engine.runtime.desk import Desk, limits_of
from engine.runtime.due import Due, DueWork
from engine.runtime.endings import Endings, endings
from engine.runtime.intake import Arrival, Intake, public_ids
from engine.runtime.isolating import RetryTerms
from engine.runtime.live import Live
from engine.runtime.migrating import Moves
from engine.runtime.once import Once
from engine.runtime.operations import Operations
from engine.runtime.outgoing import Terms
from engine.runtime.previewing import Previewed
from engine.runtime.quarantine import QuarantinePage
from engine.runtime.reception import Reception
from engine.runtime.records import ArrivalPage, DoorEvent, Happenings
from engine.runtime.rulefiles import NO_FILES, Found, RuleFiles, catalog_of
from engine.runtime.sealing import Sealer
from engine.runtime.sending import Sending
from engine.runtime.sight import Caused, Misreading, PersonView, RuleCounts
from engine.runtime.submission import Beside, Originals, Submission
from engine.runtime.switches import Switch
from engine.runtime.types import Types
from engine.runtime.unmatched import unmatched
from engine.runtime.unreachable import UnreachablePage
from engine.runtime.why import Question, why_not
from engine.store import Connection, backups, operations
from engine.store import rules as stored_rules
from engine.store.operations import OperationRow
from engine.store.people import KINDS

_log = logging.getLogger("lapse.engine")

T = TypeVar("T")
Item = Mapping[str, Any] | Event | Identify | Rejection
"""What is ingested. A Rejection is an item that its door refused already: it keeps its place in the receipt."""

CHUNK = 1_000
"""Items of one call that share a transaction, at most: a longer list is stored piece by piece. Pieces are shorter where
so many take longer than the setting ``store_transaction``."""


class Engine:
    """Rules, people and their journeys on one store. Safe to use from any thread; close it when done.

    Open one with :meth:`open`. It never decides anything by the wall clock on its own: call :meth:`run_due`, or
    let a :class:`~engine.daemon.Daemon` do so.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        always_live: bool = False,
        fallback: Channel | None = None,
        desk: Desk | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._always_live = always_live
        self._fallback = fallback
        self._deciding = _deciding_settings(settings)
        self._retries = _retry_terms(settings)
        self._live = Live({})
        self._at_hand: dict[str, Program] = {}
        """Versions of rules that were read, by their digests: those that are live, and what is about to be."""
        self._functions: dict[str, PythonChannel] = {}
        self._files: RuleFiles | None = None
        self.moves: Mapping[str, Moves] = {}
        """By rule, what the last loading did to journeys that waited: those of removed rules, and those migrated."""
        self.on_due: Callable[[int], None] | None = None
        """Called with the earliest due moment of what was just written."""
        self._intake_now: Intake | None = None
        self.desk = desk or Desk(settings.store, limits_of(settings))
        self._shares_desk = desk is not None
        self.store, self.writer = self.desk.store, self.desk.writer
        self.workspace: int = self._own_workspace()
        self.types = Types(self.desk, self.workspace, clock, settings, self._follow)
        """The event types of the workspace."""
        self._reception = Reception(Admission(self.workspace, settings.types), settings.quarantine)
        self._warned: set[str] = set()
        self._pseudonym_key: bytes | None = None
        self._lanes = lanes or Lanes(settings)
        self._shares_lanes = lanes is not None
        self._routes = Routes(self._lanes, self._functions, fallback, self._warn_of_unbound)
        self.sending = Sending(
            self.desk,
            self.workspace,
            clock,
            self._intake,
            self._routes,
            Sealer(
                self.workspace,
                settings.workspace,
                settings.delivery.public_url,
                self._routes,
                Templates(settings.templates),
                settings.log_ids,
            ),
            _terms(settings, fallback),
        )
        """What takes actions to their channels."""
        self.sending.freed = self._freed
        self._operations = Operations(
            self.writer, self.workspace, self._intake, settings.operation_page, self.store.limits.transaction
        )
        self._due = DueWork(
            self.desk, self.workspace, clock, self._deciding.grace, self._intake, self.sending, self._operations
        )

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        rules: str | Path | Sequence[str | Path] | None = None,
        workspace: str | None = None,
        clock: Clock | None = None,
        settings: Settings | None = None,
        actions: Mapping[str, Callable[[Outgoing], object]] = MappingProxyType({}),
        always_live: bool = False,
        fallback: Channel | None = None,
    ) -> Self:
        """An engine on the store at ``url`` (``sqlite:///file.db``; ``sqlite://`` keeps it in memory).

        What is not given comes from the settings (environment, ``lapse.toml``). ``rules`` is a file or folder, or
        several; without it those are live that the store has. Whoever gives rules makes them the live ones, for every
        process on the store. ``actions`` are functions by the names of what they carry out, as :meth:`action` registers
        them, known before the rules are looked at. ``always_live`` treats the rules as live from before the first
        event, for replays of the past. ``fallback`` carries every action that no function is registered for, in place
        of the settings' channels.

        Raises ConfigError for settings or rules that cannot be used, also where others are live: with :meth:`load`
        those go on. Raises StoreError for a store that cannot be opened.
        """
        given = {"store": url, "workspace": workspace}
        named = {name: value for name, value in given.items() if value is not None}
        chosen = load_settings(**named) if settings is None else settings.model_copy(update=named)
        engine = cls(chosen, clock or WallClock(), always_live=always_live, fallback=fallback)
        for name, function in actions.items():
            engine.action(name)(function)
        if rules is not None:
            paths = [rules] if isinstance(rules, str | Path) else rules
            try:
                found = engine.load(*paths)
            except BaseException:
                engine.close()
                raise
            if not found.ok:
                engine.close()
                raise ConfigError(refusal(found))
        elif engine.store.holder() is None:
            engine.finish_operations()
        return engine

    def _own_workspace(self) -> int:
        """The row of the settings' workspace, which is made where it is not there; else nothing is written."""
        name, now = self.settings.workspace, self.clock.now()
        with self.store.read() as connection:
            known = self.store.known_workspace(connection, name)
        if known is not None:
            return known
        return self.writer.run(lambda connection: self.store.workspace(connection, name, now, public_ids(1, now)[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way and let go of the store, unless it is shared with others."""
        if not self._shares_lanes:
            self._lanes.cancel()
            self.sending.give_back_cancelled()
            self._lanes.close()
        self.sending.give_back_cancelled()
        if not self._shares_desk:
            self.desk.close()

    # ------------------------------------------------------------------------------------------- rules

    def load(self, *paths: str | Path, migrate: bool = False) -> Found:
        """Load the rules under ``paths``. With an error in any of them nothing changes, and the findings say why.

        Journeys that wait finish on the version they entered with; ``migrate`` moves those whose step is unchanged.
        :attr:`moves` says what became of them.
        """
        self._files = RuleFiles(tuple(Path(path) for path in paths))
        return self.reload(migrate=migrate)

    def reload(self, *, migrate: bool = False) -> Found:
        """Read the rule files again; those that have not changed are not parsed again."""
        if self._files is None:
            raise ConfigError("no rules were loaded yet; name them with Engine.open(rules=...) or load(...)")
        self._files.know(None if self._fallback is not None else catalog_of(self.settings, self._functions))
        found = self._files.load()
        try:
            return self._make_live(found, migrate)
        except BaseException:
            self._files.forget()
            raise

    def _make_live(self, found: Found, migrate: bool) -> Found:
        """The same with what else there is to say of it, live where it has no error.

        No file at all is taken for a folder that is not there yet, and ends nothing.
        """
        if not found.readings and self.live.rules:
            _log.warning("%s", NO_FILES)
            return found
        with self.store.read() as connection:
            found = found.warned(loader.renames(connection, self.workspace, found.rules))
        if self._fallback is None:
            looked = looked_over(self.settings, found.readings, only_used=True, functions=self._functions)
            found = replace(found, readings=looked.joined(found.readings))
        if found.ok and (migrate or not self._is_live(found)):
            self._edit(found, migrate)
        if found.ok and not self._shares_desk and not self.settings.workspaces:
            self.warn_of_unmatched(found.programs)
        return found

    def _is_live(self, found: Found) -> bool:
        """Whether the rules are live as they are, and no operation is under way: then nothing is to be written."""
        with self.store.read() as connection:
            if not loader.is_live(connection, self.workspace, found.programs):
                return False
            self._at_hand |= {program.digest: program for program in found.programs}
            self._follow(connection)
        self.moves = {}
        return True

    def _edit(self, found: Found, migrate: bool) -> None:
        """Make rules live."""
        quiet = self._deciding.quiet
        with self.store.read() as connection:
            old, changing = loader.outgoing(connection, self.workspace, found.programs, self._at_hand, quiet)
        for rule in changing:
            self._due.work_through(rule, old)
        while (edit := self._edited(found, migrate)) is None:
            pass  # another process began to move or end journeys of a rule between its end and this
        self._live = edit.live
        self.moves = self._moved(edit)
        for name, one in sorted(self.moves.items()):
            if one.ended:
                _log.warning("the rule '%s' is no longer in the files: waiting journeys ended: %d", name, one.ended)

    def _edited(self, found: Found, migrate: bool) -> loader.Edit | None:
        """What an edit makes of the rules, behind what the last ones still have to change."""
        self._operations.finish()
        self.decide_gathered()  # by the rules as they were
        return self.writer.run(partial(self._go_live, found=found, migrate=migrate))

    def _moved(self, edit: loader.Edit) -> dict[str, Moves]:
        """What became of journeys that waited, once all of an edit's pages are done."""
        changed = self._operations.finish((*edit.following.values(), *edit.seeds))
        counts = {rule: changed[one.id] for rule, one in edit.following.items()}
        return {
            rule: Moves(one.get("moved", 0), one.get("stayed", 0), one.get("ended", 0)) for rule, one in counts.items()
        }

    def _go_live(self, connection: Connection, found: Found, migrate: bool) -> loader.Edit | None:
        """What was only noted is decided by the rules as they were; between the pages and this, more may have come.

        Nothing where journeys of a rule are still being ended or moved: a rule that comes back would find some of them.
        """
        if any(one.kind in ("move", "remove") for one in operations.under_way(connection, self.workspace)):
            return None
        now = self.clock.now()
        quiet = self._deciding.quiet
        old, changing = loader.outgoing(connection, self.workspace, found.programs, self._at_hand, quiet)
        for rule in changing:
            self._due.work_rest(connection, rule, old)
        return loader.go_live(
            connection,
            self.workspace,
            found.programs,
            now,
            at_hand=self._at_hand,
            always=self._always_live,
            migrate=migrate,
            quiet=quiet,
        )

    def finish_operations(self) -> None:
        """Carry out what is left of operations over many rows that a process began and did not live to finish.

        They have taken effect already. A daemon does this by itself, page by page beside what falls due.
        """
        with self.store.read() as connection:
            ready = operations.ready(connection, self.workspace, self.clock.now())
        if ready is not None:
            self._operations.finish()

    def decide_gathered(
        self, progress: Callable[[int, int], None] = lambda _decided, _of: None, until: float = inf
    ) -> bool:
        """Decide whom history concerns that was taken in to be gathered, page by page; nothing where there is none.

        ``progress`` is called after each page with how many pairs of person and rule were decided, and of how many. It
        is given up, and False, once the process has waited for others longer than ``until``, in seconds.
        """
        with self.store.read() as connection:
            live = self._follow(connection)
            total = 0 if live.history is None else pausing.set_aside_count(connection, self.workspace, live)
        return live.history is None or self._operations.carry_out(
            live.history,
            lambda counts: progress(counts.get("decided", 0), total),
            lambda: self.store.gate.waited <= until,
        )

    def pause(self, rule: str) -> bool:
        """Pause a rule: its journeys stay as they are, it starts nothing, and nothing of it leaves. What left already
        and failed is tried again as usual. False when it was paused already.

        Kept in the store until :meth:`resume`, for every process. Raises ConfigError when no such rule is live.
        """
        with self.store.read() as connection:
            live = self._follow(connection)
        for row in live.patient_of(rule):
            self._due.work_through(row, live)
        return self._begun(partial(self._pause, rule=rule))

    def _begun(self, begin: Callable[[Connection], OperationRow | None]) -> bool:
        """Begin an operation over many rows and carry it out; False where there is none to begin."""
        try:
            begun = self.writer.run(begin)
        except BaseException:
            self._live = Live({})  # what was followed inside the transaction is not in the store
            raise
        if begun is not None:
            self._operations.finish([begun])
        return begun is not None

    def _pause(self, connection: Connection, rule: str) -> OperationRow | None:
        """What was only noted is decided first, so that its journeys stand in the pause like any others."""
        live = self._follow(connection)
        for row in live.patient_of(rule):
            self._due.work_rest(connection, row, live)
        return pausing.pause(connection, self.workspace, rule, self.clock.now())

    def resume(self, rule: str) -> bool:
        """End a pause: what fell due meanwhile is decided as after downtime. False when the rule was not paused.

        Raises ConfigError when no such rule is live.
        """
        now = self.clock.now()
        return self._begun(lambda connection: pausing.resume(connection, self.workspace, rule, now))

    def pause_delivery(self, channel: str | None = None, reason: str = switches.BY_HAND) -> bool:
        """Let nothing leave through a channel, or through any: it waits. False when that was stopped already.

        Decisions go on. What left before and failed waits too. Raises ConfigError for a channel that does not exist.
        """
        switches.check_channel(channel, known_channels(self.settings.channels))
        now = self.clock.now()
        return self.writer.run(lambda connection: switches.stop(connection, self.workspace, channel, now, reason))

    def resume_delivery(self, channel: str | None = None) -> bool:
        """End :meth:`pause_delivery`: what waits is asked again and leaves. False when nothing was stopped."""
        stopped = [one.name for one in self.switches() if one.kind == "channel"]  # its table may be gone since
        switches.check_channel(channel, {*known_channels(self.settings.channels), *stopped})
        went_on = self.writer.run(lambda connection: switches.release(connection, self.workspace, channel))
        self._freed()
        return went_on

    def end_restore(self) -> bool:
        """Let everything leave again, in every workspace, that is held since the store was restored from a backup."""
        return self.writer.run(backups.release)

    def switches(self) -> list[Switch]:
        """What is stopped, since when and why: sending, channels, and rules that something stopped."""
        with self.store.read() as connection:
            return switches.every(connection, self.workspace)

    def pauses(self) -> list[Switch]:
        """All that stands still, the longest first: :meth:`switches`, and the rules that somebody paused."""
        with self.store.read() as connection:
            return sight.pauses(connection, self.workspace, self._follow(connection))

    def _follow(self, connection: Connection) -> Live:
        """The rules as they are live in the store: what another process changed is taken up here.

        Asked once a transaction, by one number: only when that has changed are the rules themselves looked at.
        """
        if stored_rules.changes(connection, self.workspace) != self._live.change:
            self._live = loader.stored(connection, self.workspace, self._at_hand, self._deciding.quiet)
            self._at_hand = {program.digest: program for program in self._live.programs}
        return self._live

    @property
    def live(self) -> Live:
        """The rules that are live in the store, whoever loaded them, as the last call saw them."""
        if self._live.change < 0:
            with self.store.read() as connection:
                self._follow(connection)
        return self._live

    def reload_changed(self) -> Found | None:
        """:meth:`reload` where rule files have changed and were at rest since this was last called; else nothing."""
        return self.reload() if self._files is not None and self._files.have_changed() else None

    # ------------------------------------------------------------------------------------------- intake

    def ingest(
        self,
        events: Item | Iterable[Item],
        *,
        historical: bool = False,
        source: str = "api",
        dated: bool = False,
        once: Once | None = None,
        gather: bool = False,
    ) -> Receipt:
        """Take in one event or many: dicts, :class:`Event` or :class:`Identify`.

        Returns once everything accepted is on disk. Bad items are refused one by one, with their index and the
        reason; the others are kept. A long iterable is stored piece by piece, the next one read while one is written,
        unless it is to count ``once``: see :meth:`submit`. ``historical`` events are stored and answer conditions, but
        start no journeys. ``dated`` refuses events without a timestamp. With ``gather``, whom history concerns is only
        noted, and decided once by :meth:`decide_gathered`, to be called when all of it is there.
        """
        items = iter(_items(events))
        if once is not None:
            return self.submit(items, historical=historical, source=source, dated=dated, once=once).result()
        outcomes: list[Outcome] = []
        under_way: Future[Receipt] | None = None
        place = 0
        while chunk := list(islice(items, min(CHUNK, self.writer.pace.size))):
            piece = self._submission(chunk, place, historical, source, dated, gather)
            place += len(chunk)
            before, (under_way, flushing) = under_way, self._hand_in_piece(piece)
            outcomes += before.result().outcomes if before else ()
            flushing.wait()  # the writer waits for the disk now, and leaves Python to the next piece
        outcomes += under_way.result().outcomes if under_way else ()
        return Receipt(tuple(outcomes))

    def submit(
        self,
        events: Item | Iterable[Item],
        *,
        historical: bool = False,
        source: str = "api",
        dated: bool = False,
        once: Once | None = None,
        beside: Beside | None = None,
        quarantine: bool = False,
        page: bool = False,
        gather: bool = False,
    ) -> Future[Receipt]:
        """:meth:`ingest` without waiting: the future is done once everything accepted is on disk.

        All items share one transaction, so there should be no more than :data:`CHUNK`. Cancelling the future changes
        nothing about what is stored.

        Of the calls that are to count ``once`` under a key, the first is carried out. A later one stores nothing and
        gets the first one's receipt, ``repeated``, and ``differs`` when it said something else; that holds among calls
        at the same time and in several processes too. ``beside`` writes more in the same transaction; it is not called
        for a call that is repeated, and called again where the transaction has to be repeated. With ``quarantine``,
        refused items are kept too: see :meth:`quarantined`. Where a ``page`` sends them, with a key that anybody can
        read, what such a key cannot say is kept in any case. ``gather`` as for :meth:`ingest`.
        """
        items = list(_items(events))
        submission = self._submission(items, 0, historical, source, dated, gather)
        if page:
            items_in = [replace(one, page=True) if isinstance(one, Arrival) else one for one in submission.items]
            submission = replace(submission, items=items_in)
        originals = Originals(items, self.clock.now(), source, every=quarantine) if quarantine or page else None
        return self._hand_in(replace(submission, once=once, beside=beside, originals=originals))

    def identify(
        self,
        user_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        *,
        anonymous_id: str | None = None,
        contact_id: str | None = None,
        previous_id: str | None = None,
        timestamp: Any = None,
        message_id: str | None = None,
    ) -> Receipt:
        """Set attributes of a person, and link the ids when several are given.

        ``previous_id`` is an alias: who ``user_id`` was before. The person with that user id becomes one with them, and
        goes by ``user_id`` from then on; where nobody has it, it is an anonymous id of theirs.
        """
        return self.ingest(
            {
                "type": "identify",
                "user_id": user_id,
                "anonymous_id": anonymous_id,
                "contact_id": contact_id,
                "previous_id": previous_id,
                "traits": dict(traits) if isinstance(traits, Mapping) else traits,
                "timestamp": timestamp,
                "message_id": message_id,
            }
        )

    def _submission(
        self, items: Sequence[Item], first: int, historical: bool, source: str, dated: bool, gather: bool = False
    ) -> Submission:
        now = self.clock.now()
        arrived = [
            self._arrival(item, place, now, source, dated=dated, historical=historical)
            for place, item in enumerate(items, first)
        ]
        submission = Submission(arrived, first)
        if gather and historical:
            for arrival in submission.arrivals:
                arrival.gathered = True
        return submission

    def _hand_in_piece(self, piece: Submission) -> tuple[Future[Receipt], threading.Event]:
        """:meth:`_hand_in`; the event is set when the piece is about to be on disk, and at the latest when it is."""
        flushing = threading.Event()
        future = self._hand_in(piece, flushing.set)
        future.add_done_callback(lambda _: flushing.set())
        return future, flushing

    def _hand_in(self, submission: Submission, flushing: Callable[[], None] | None = None) -> Future[Receipt]:
        if submission.writes:
            return self.writer.submit((self, submission), flushing)
        done: Future[Receipt] = Future()
        done.set_result(submission.receipt(iter(())))
        return done

    def _arrival(
        self, item: Item, index: int, now: int, source: str, *, dated: bool = False, historical: bool = False
    ) -> Arrival | Rejection:
        """An item as it comes in at ``now``, or why it is refused, as far as that can be told without the store."""
        if isinstance(item, Rejection):
            return replace(item, index=index)
        found = validate(item, index, now, self.settings.limits, dated)
        if isinstance(found, Rejection):
            return found
        demands = self.types.door_schemas(source)
        if demands and isinstance(found, ValidEvent) and (schema := demands.get(found.name)):
            problem = schema.problem(found.properties)
            if problem is not None:
                return Rejection(index, "breaks_schema", problem.reason, problem.field, found.name)
        return Arrival(found, now, source, historical or found.at < now - self._deciding.max_event_age)

    def ingest_timed(self, items: Sequence[tuple[Item, int]]) -> list[Outcome]:
        """Take in items that each arrived at a time of their own, none later than the clock, in order of arrival."""
        arrived = [self._arrival(item, place, at, "file", dated=True) for place, (item, at) in enumerate(items)]
        return list(self._hand_in(Submission(arrived)).result().outcomes)

    def quarantined(self, limit: int = 50, after: str | None = None) -> QuarantinePage:
        """Items that were refused and are kept all the same, newest first: a page behind ``after``, and how many.

        A page holds at most ``limit`` of them, and never more than the setting ``page_limit``. Raises ConfigError for
        an ``after`` that no page gave.
        """
        most = max(1, min(limit, self.settings.page_limit))
        with self.store.read() as connection:
            return quarantine.page(connection, self.workspace, most, after)

    def reingest(self, ids: Iterable[str]) -> dict[str, Outcome]:
        """Try items in quarantine again, as of when they came; gives what became of those that are there.

        What is good by now is stored and leaves the quarantine.
        """
        outcomes: dict[str, Outcome] = {}
        wanted = iter(dict.fromkeys(ids))
        while some := list(islice(wanted, min(CHUNK, self.writer.pace.size))):
            found, due = self.writer.run(partial(self._reingest, ids=some))
            outcomes |= found
            if self.on_due is not None and due is not None:
                self.on_due(due)
        return outcomes

    def _reingest(self, connection: Connection, ids: Sequence[str]) -> tuple[dict[str, Outcome], int | None]:
        intake = self._intake(connection)
        items = quarantine.items_of(connection, self.workspace, ids)
        arrived = [self._arrival(one.item, place, one.received_at, one.source) for place, one in enumerate(items)]
        (receipt,) = self._reception.take(intake, [Submission(arrived)])
        quarantine.tried_again(connection, items, receipt)
        told = {item.id: one for item, one in zip(items, receipt.outcomes, strict=True)}
        return told, intake.deciding.earliest

    def discard(self, ids: Iterable[str]) -> int:
        """Let items in quarantine go; gives how many of the ids were there."""
        wanted = list(ids)
        return self.writer.run(lambda connection: quarantine.discard(connection, self.workspace, wanted))

    def erase(self, who: str) -> dict[str, int] | None:
        """Remove all that is stored of the person with an id of any kind; gives how much, nothing if nobody has it.

        What rules did for them stays counted. What still comes for any of their ids is refused as ``erased``, for as
        long as the setting ``max_event_age``; after that the same id is a new person.
        """
        self._due.settle_person(who, standing=True)
        begun = self.writer.run(partial(self._erase, who=who))
        return None if begun is None else self._operations.finish([begun])[begun.id]

    def _erase(self, connection: Connection, who: str) -> OperationRow | None:
        intake = self._intake(connection)
        begun = erasing.erase(intake, who)
        if begun is not None:
            self._operations.start(intake, begun)
        return begun

    def export(self, who: str) -> dict[str, Any] | None:
        """All that is stored of the person with an id of any kind, as JSON has it; nothing if nobody has it.

        What events have already decided of their journeys, but nobody has looked at, is written first.
        """
        self._due.settle_person(who)
        with self.store.read() as connection:
            return exporting.export(connection, self.workspace, who)

    def take(self, connection: Connection, calls: Sequence[Submission]) -> list[Receipt]:
        """For the desk: all calls that wait, as one batch."""
        intake = self._intake_now = self._intake(connection)
        return self._reception.take(intake, calls)

    def _intake(self, connection: Connection, live: Live | None = None) -> Intake:
        live = self._follow(connection) if live is None else live
        return Intake(connection, self.workspace, live, self._deciding, self.clock.now(), self._retries)

    def committed(self) -> None:
        """For the desk: the batch is on disk."""
        intake, self._intake_now = self._intake_now, None
        if self.on_due is not None and intake is not None and intake.deciding.earliest is not None:
            self.on_due(intake.deciding.earliest)

    # ------------------------------------------------------------------------------------------- due

    def run_due(self) -> Due:
        """Decide everything that is due by the clock, and send what may leave."""
        return self._due.run()

    def due_pages(self, *, wait: bool = True) -> Iterator[Due]:
        """:meth:`run_due` for those who take turns: what each page did. The last is empty.

        Without ``wait``, what is sent may still be under way then; :attr:`on_due` is called when more can be sent.
        """
        return self._due.pages(wait=wait)

    def _freed(self) -> None:
        if self.on_due is not None:
            self.on_due(self.clock.now())

    def decide_due(self) -> int:
        """Decide what is due, oldest first, and send nothing; gives how many pairs of person and rule were decided."""
        return self._due.decide()

    def next_due(self) -> int | None:
        """The next moment at which something is to be decided or sent, microseconds UTC."""
        return self._due.coming().first

    def settle(self, patience: float | None = None) -> bool:
        """Write what events have already decided but nobody has looked at, so that every count is the timeline's.

        Where other processes write all the time, it is given up after ``patience`` seconds of waiting for them, if any
        are given; False then: what is still to be looked at is in no count.
        """
        until = inf if patience is None else self.store.gate.waited + patience
        if not self.decide_gathered(until=until):
            return False
        with self.store.read() as connection:
            live = self._follow(connection)
        return self._due.settle(live, until)

    def tidy(self) -> None:
        """Drop what is kept for a time only and has expired, in all workspaces of the store."""
        uploads = in_micros(self.settings.api.import_kept)
        while self.writer.run(lambda connection: housekeeping.tidy(connection, self.clock.now(), uploads)):
            pass

    def clamp_pauses(self) -> int:
        """Shorten the pauses before retries that were written by a clock which was ahead; return how many were.

        A daemon does so when it starts, once a minute, and when the clock was set back.
        """
        now = self.clock.now()
        pause, lease = clamping.longest_pause(self.settings.channels.values()), in_micros(self.settings.delivery.lease)
        changed = clamping.clamp(self.store, self.writer.run, self.workspace, now, pause, lease)
        if changed:
            _log.warning("the clock was set back: %d actions that waited for a time ahead are tried again", changed)
        if changed and self.on_due is not None:
            self.on_due(now)
        return changed

    def unbound(self) -> list[str]:
        """The actions of the live rules that nothing binds: they wait where others are bound, else go to the log."""
        names = {name for rule in self.live.rules.values() for name in rule.program.declared_actions}
        return sorted(name for name in names if not self.is_bound(name))

    def is_bound(self, action: str) -> bool:
        """Whether a function or a setting, be it the default, binds an action."""
        known = self._fallback is not None or action in self._functions
        return known or self.settings.actions.channel_of(action) is not None

    def check_channels(self) -> None:
        """Raises ConfigError for a channel of the settings that cannot work, such as one whose secret is missing.

        Without this, its actions wait, and the log says so once.
        """
        if self._fallback is None:
            self._lanes.check()

    def warn_of_unbound(self) -> None:
        """Say in the log which actions nothing binds, each once. A daemon does so when it loads rules."""
        for name in self.unbound():
            self._warn_of_unbound(name)

    def _warn_of_unbound(self, name: str) -> None:
        becomes = f"it waits: {UNBOUND}" if self.settings.actions.exhaustive else "it is written to the log only"
        self._warn(f"nothing binds the action '{name}': {becomes}")

    def warn_of_unmatched(self, rules: Sequence[Program]) -> None:
        """Say in the log which names of the settings none of the rules of all workspaces has, each once."""
        if self._fallback is None:
            for one in unmatched(self.settings, rules):
                self._warn(str(one))

    def _warn(self, told: str) -> None:
        if told not in self._warned:
            self._warned.add(told)
            _log.warning("%s", told)

    # ------------------------------------------------------------------------------------------- sight

    def misread(self) -> dict[str, list[Misreading]]:
        """Return the values of another kind than the live rules ask for, by rule."""
        with self.store.read() as connection:
            return sight.misread(connection, self.workspace, self._follow(connection))

    def counts_by_rule(self) -> list[RuleCounts]:
        """What every live rule has done so far. Call :meth:`settle` first for figures as of the last event."""
        with self.store.read() as connection:
            return sight.rule_counts(connection, self.workspace, self._follow(connection))

    def set_aside(self) -> dict[str, int]:
        """By live rule, how many people are set aside because it failed for them; only rules with some."""
        with self.store.read() as connection:
            rules = self._follow(connection).rules
            found = sight.faults_by_rule(connection, self.workspace)
        return {rules[row].id: people for row, (people, _) in sorted(found.items()) if row in rules}

    def endings(self, few: int) -> dict[str, Endings]:
        """By rule, what ended without acting and why, with up to ``few`` examples. Call :meth:`settle` first."""
        with self.store.read() as connection:
            return endings(connection, self._follow(connection), few)

    def person(self, id: str) -> PersonView | None:
        """What is known of the person with a user id, else anonymous id, else contact; nothing if there is none.

        What events have already decided of their journeys, but nobody has looked at, is written first.
        """
        self._due.settle_person(id)
        with self.store.read() as connection:
            return sight.person_view(connection, self.workspace, self._follow(connection), id)

    def preview(
        self, template: str, person: str, *, rule: str | None = None, fields: Mapping[str, Any] | None = None
    ) -> Previewed | None:
        """The action that names a template, as it would leave for a person now; None for an id nobody has.

        ``rule`` is the live rule it is of, the first that names the template unless given; ``fields`` are those of an
        event in place of the person's last. Nothing is written. Raises ConfigError for a rule that is not live or does
        not name the template.
        """
        with self.store.read() as connection:
            live = self._follow(connection)
            asked = previewing.Asked(template, person, rule, fields)
            return previewing.preview(
                connection, self.workspace, live, self.settings, self._deciding, asked, self.clock.now()
            )

    def events(
        self,
        person: str | None = None,
        *,
        names: str | Iterable[str] | None = None,
        since: When | None = None,
        until: When | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> EventPage:
        """Events of a person, or of all, newest first: a page of them, and what to ask the next one with.

        ``person`` is any id: of a user, anonymous, a contact, public; merged people keep theirs. ``since`` is
        included, ``until`` is not. A page holds at most ``limit`` events, and never more than the setting
        ``page_limit``. Events that come in meanwhile move nothing on the pages behind ``after``.

        Raises ConfigError for an ``after`` that no page gave, and RefusedError for a moment without offset.
        """
        most = max(1, min(limit, self.settings.page_limit))
        with self.store.read() as connection:
            return browsing.page(connection, self.workspace, person, names, since, until, most, after)

    def pseudonym_key(self) -> bytes:
        """What stands for people of the workspace where they may not be shown is made with this."""
        if self._pseudonym_key is None:
            with self.store.read() as connection:
                self._pseudonym_key = masking.pseudonym_key(connection, self.workspace)
        return self._pseudonym_key

    def find(self, text: str, kinds: Sequence[str] = KINDS) -> PersonRef | None:
        """The person whose public id ``text`` spells, else who has it as an id of one of the ``kinds``.

        A public id is a ULID, with or without ``con_``, or a UUID; merged people keep theirs. Kinds are ``user``,
        ``anonymous`` and ``contact``, asked in the order given.
        """
        with self.store.read() as connection:
            return contacts.find(connection, self.workspace, text, kinds)

    def event(self, public_id: bytes, namespace: str = "") -> DoorEvent | None:
        """The event of a public id, with its key if it came with one of a namespace; none of those actions made."""
        with self.store.read() as connection:
            return records.one(connection, self.workspace, public_id, namespace)

    def arrivals(
        self,
        person: PersonRef | None = None,
        type_id: bytes | None = None,
        limit: int = 50,
        after: str | None = None,
        namespace: str = "",
    ) -> ArrivalPage:
        """Events of a person, of a type, of both or of all, newest arrival first; and how many they are now.

        A page holds at most ``limit`` events, and never more than the setting ``page_limit``. Events that come in
        meanwhile move nothing on the pages behind ``after``. Raises ConfigError for an ``after`` that no page gave.
        """
        most = max(1, min(limit, self.settings.page_limit))
        with self.store.read() as connection:
            return records.arrivals(connection, self.workspace, person, type_id, most, after, namespace)

    def happenings(
        self,
        person: PersonRef,
        *,
        name: str | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Happenings:
        """Events of a person after ``since`` and before ``until`` (microseconds UTC), the latest first; and how many
        they are. Of these, ``limit`` behind the first ``offset``, never more than the setting ``page_limit``.
        """
        most = max(1, min(limit, self.settings.page_limit))
        with self.store.read() as connection:
            return records.happenings(connection, self.workspace, person, name, since, until, most, offset)

    def event_counts(
        self,
        per: Per,
        *,
        names: str | Iterable[str] | None = None,
        since: When | None = None,
        until: When | None = None,
        zone: str | None = None,
    ) -> list[EventCount]:
        """How often each event came about in every hour, day or week (from Monday) that saw any, oldest first.

        Days and weeks begin at midnight in ``zone``, the workspace's unless given. ``since`` is included, ``until``
        is not. Raises ConfigError for a zone or a length that does not exist.
        """
        end = self.clock.now() + self.settings.limits.future_micros + 1 if until is None else until
        with self.store.read() as connection:
            return browsing.counts(connection, self.workspace, per, names, since, end, zone or self.settings.zone)

    def deliveries(self, asked: Asked | None = None) -> DeliveryPage:
        """Actions that left, are to leave, or were kept from it, newest first: a page of them.

        A page holds never more than the setting ``page_limit``. Raises ConfigError for an ``after`` that no page gave,
        and for a state that is none; and UnknownName for a rule that was never loaded, and where nothing is found, for
        an action that neither the settings nor a live rule name, and a channel that the settings do not.
        """
        asked = asked or Asked()
        most = max(1, min(asked.limit, self.settings.page_limit))
        with self.store.read() as connection:
            page = deliveries.page(connection, self.workspace, replace(asked, limit=most))
            if not page.items and asked.after is None:
                deliveries.check_found_none("channel", asked.channel, known_channels(self.settings.channels))
                deliveries.check_found_none("action", asked.action, self._known_actions(connection))
            return page

    def _known_actions(self, connection: Connection) -> set[str]:
        """The actions that a live rule, a setting or a function has the name of."""
        return {*self._follow(connection).actions, *self.settings.actions.bindings, *self._functions}

    def delivery(self, key: str) -> WholeDelivery | None:
        """All that is known of the action with a key; nothing if there is none."""
        with self.store.read() as connection:
            return deliveries.one(connection, self.workspace, key)

    def redrive(
        self,
        keys: Iterable[str] | None = None,
        *,
        rule: str | None = None,
        channel: str | None = None,
        states: Iterable[str] = ("dead",),
    ) -> int:
        """Take dead actions up again, and parked ones if ``states`` say so: all, those of a rule, that went through a
        channel, or of some keys. Gives how many.

        They are sent as the same bytes under the same keys, and tried for as long as new ones. Nothing of erased people
        is. Raises ConfigError for other states than those two, and UnknownName for a rule that was never loaded and,
        where nothing is found, for a channel that the settings do not name.
        """
        chosen = redriving.chosen(keys, rule, channel, states)
        now = self.clock.now()
        taken = redriving.take_up(self.writer.run, self.workspace, chosen, now)
        if not taken:
            deliveries.check_found_none("channel", channel, known_channels(self.settings.channels))
        elif self.on_due is not None:
            self.on_due(now)
        return taken

    def redrivable(
        self,
        keys: Iterable[str] | None = None,
        *,
        rule: str | None = None,
        channel: str | None = None,
        states: Iterable[str] = ("dead",),
    ) -> int:
        """How many actions :meth:`redrive` would take up again. Raises what that raises."""
        chosen = redriving.chosen(keys, rule, channel, states)
        with self.store.read() as connection:
            found = redriving.count(connection, self.workspace, chosen)
        if not found:
            deliveries.check_found_none("channel", channel, known_channels(self.settings.channels))
        return found

    def unreachable(self, limit: int = 50, after: str | None = None) -> UnreachablePage:
        """Addresses that take no mail any more, the latest bounce first: a page of them behind ``after``.

        A page holds never more than the setting ``page_limit``. Raises ConfigError for an ``after`` that no page gave.
        """
        most = max(1, min(limit, self.settings.page_limit))
        with self.store.read() as connection:
            return unreachable.page(connection, self.workspace, most, after)

    def forget_unreachable(self, address: str) -> bool:
        """Let mail go to an address again that bounced; False where none is kept from it.

        What was suppressed stays so, and another hard bounce ends mail to the address again.
        """
        return self.writer.run(lambda connection: unreachable.forget(connection, self.workspace, address))

    def sent(self) -> list[Outgoing]:
        """Every action that left, by moment; a match counts as one."""
        with self.store.read() as connection:
            return list(sight.sent(connection, self.workspace, self._follow(connection)))

    def why_not(self, question: Question, clock: Callable[[int], str]) -> str | None:
        """Return the first reason for which an action of a rule did not leave, in plain words; None where unknown.

        ``clock`` writes moments, microseconds UTC, as the reader counts time.
        """
        self._due.settle_person(question.person)
        with self.store.read() as connection:
            live = self._follow(connection)
            return why_not(connection, self.workspace, live, self._deciding, question, clock)

    def caused(self, person: str) -> list[Caused]:
        """Return what live rules set and tracked for a person, by moment; empty for an id nobody has."""
        with self.store.read() as connection:
            return sight.caused(connection, self.workspace, self._follow(connection), person)

    def action(self, name: str) -> Callable[[Callable[[Outgoing], T]], Callable[[Outgoing], T]]:
        """Register a function as the channel of an action: ``@engine.action("send_email")``.

        It is called with an :class:`~engine.delivery.channels.Outgoing` after the deciding transaction is on disk. An
        exception counts as a failed attempt, which is made again later with the same key.
        """

        def register(function: Callable[[Outgoing], T]) -> Callable[[Outgoing], T]:
            self._functions[name] = PythonChannel(function)
            self._routes.forget()
            return function

        return register


def _items(events: Item | Iterable[Item]) -> Iterable[Item]:
    if isinstance(events, Mapping | Event | Identify | Rejection):
        return [events]
    if isinstance(events, str | bytes | bytearray) or not isinstance(events, Iterable):
        kind = type(events).__name__
        raise TypeError(f"an event is a dict, an Event or an Identify, and several are an iterable of them, not {kind}")
    return events


def _deciding_settings(settings: Settings) -> rulebook.Settings:
    return rulebook.Settings(
        workspace=settings.workspace,
        zone=settings.zone,
        grace=in_micros(settings.grace),
        late=in_micros(settings.late),
        max_event_age=in_micros(settings.max_event_age),
        quiet=tuple(map(read_quiet_hours, settings.quiet_hours)),
        chain=settings.chain,
    )


def _retry_terms(settings: Settings) -> RetryTerms:
    faults = settings.faults
    return RetryTerms(in_micros(faults.first_retry), in_micros(faults.longest_retry), faults.people)


def _terms(settings: Settings, fallback: Channel | None) -> Terms:
    """What the settings say about leaving. Where actions go nowhere, no rule is stopped for acting too much."""
    return Terms(
        lease=in_micros(settings.delivery.lease),
        caps=settings.cap_of,
        guard=settings.guard if fallback is None else None,
    )


def refusal(found: Found) -> str:
    """Why rules with an error are not loaded, in a sentence."""
    errors: list[tuple[str, Diagnostic]] = [
        (reading.source.name, one) for reading, one in found.findings if one.severity == "error"
    ]
    name, first = errors[0]
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return f"the rules have errors: {name}: {first.message}{more}; 'lapse check' shows them all"
