"""Taking events in: who they belong to, which are new, what they touch. One transaction for a whole batch.

Everything of a batch is in the store before anything is decided, so no decision sees half of it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Final

from pydantic_core import to_json

from engine.journeys import consent
from engine.journeys.rulebook import Settings
from engine.model import ValidEvent, ValidIdentify
from engine.receipt import Rejection
from engine.runtime import consenting
from engine.runtime.catching_up import to_decide
from engine.runtime.deciding import Caused, Deciding
from engine.runtime.gathering import gather
from engine.runtime.identity import Identity, Named
from engine.runtime.isolating import Isolation, RetryTerms
from engine.runtime.live import Live
from engine.runtime.loading import Pair, Touch, causes_text
from engine.runtime.provenance import Outvoted, outvoted
from engine.runtime.reports import Reports, note_bounces
from engine.runtime.touching import Entries, Touching
from engine.runtime.unstarted import unstarted
from engine.store import Connection, counters, events, people, watches
from engine.store.rows import ChangeRow, NewEvent

Valid = ValidEvent | ValidIdentify

IDENTITY_CONFLICT: Final = "identity_conflict"
"""What is counted, of no rule, when an item names an id that is somebody else's."""

LIMITED: Final = "page_key_limited"
"""What is counted, of no rule, when a page's key says what it cannot."""


@dataclass(slots=True)
class Arrival:
    """One valid item as it comes in. ``received_at`` is microseconds UTC. Not to be changed."""

    item: Valid
    received_at: int
    source: str = "api"
    historical: bool = False
    """Whether it starts nothing: it came as history, or was too old on arrival."""
    page: bool = False
    """Whether it came with a key that may stand in web pages: see :mod:`engine.runtime.page_keys`."""
    gathered: bool = False
    """Whether what it touches is to be decided when all of its file is there: see :mod:`engine.runtime.gathering`."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """An arrival whose message id is taken: by what, and whether that says something else."""

    id: bytes
    conflict: bool


@dataclass(frozen=True, slots=True)
class Partly:
    """An arrival that is stored without some of its traits."""

    id: bytes
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Early:
    """An arrival that is stored, and came before the ``rules`` went live whose journeys it would start."""

    id: bytes
    rules: tuple[str, ...]


Taken = bytes | Partly | Early | Repeat | Rejection
"""What became of an arrival: the public id it is stored under, or why nothing of it is stored."""


class Intake:
    """One batch in one transaction, at one reading of the clock."""

    def __init__(
        self,
        connection: Connection,
        workspace: int,
        live: Live,
        settings: Settings,
        now: int,
        retries: RetryTerms | None = None,
    ) -> None:
        self.connection = connection
        self.workspace = workspace
        self.live = live
        self.settings = settings
        self.now = now
        self.isolation = Isolation(connection, workspace, live, now, retries or RetryTerms())
        self.deciding = Deciding(connection, workspace, live, settings, now, self.isolation)
        self.owners: dict[bytes, int] = {}
        """The people of what was taken in, by its public id."""
        self.outvoted: list[Outvoted] = []
        """What pages had set of people who have become one with somebody, and lost by it."""

    def take(self, arrivals: Sequence[Arrival]) -> Sequence[Taken]:
        """Store what is new and decide what it touches; gives what became of each arrival, in order."""
        taken = self._claim(arrivals, public_ids(len(arrivals), self.now))
        ids = [what for what in taken if isinstance(what, bytes)]
        fresh = [one for one, what in zip(arrivals, taken, strict=True) if isinstance(what, bytes)]
        named = [named_by(one.item) for one in fresh]
        identity = Identity.of(self.connection, self.workspace, set(named))
        owners = identity.owners(named)
        self._work_through(loser for _, loser in identity.merged)
        self._settle_who(identity)
        self.owners |= zip(ids, owners, strict=True)
        stored = self._store(fresh, ids, owners)
        created = frozenset(map(identity.final, identity.created))
        later = frozenset(id for one, id in zip(fresh, ids, strict=True) if one.gathered)
        put_off: dict[Pair, Touch] = {}
        if later and len(later) < len(fresh):
            whose = frozenset(owner for one, owner in zip(fresh, owners, strict=True) if not one.gathered)
            history, live = stored.parted(later)
            put_off = self._touching(history, created - whose).touches
            touches = self._touched(live, created & whose, identity)
        else:
            touches = self._touched(stored, created, identity)
            put_off = touches if later else put_off
        for winner, loser in identity.merged:
            self.isolation.merged(touches, identity.final(winner), [loser])
        self._settle_or_gather(touches, put_off)
        early = self._unstarted(stored)
        return [Early(what, early[what]) if what in early else what for what in taken] if early else taken

    def put(self, caused: Iterable[Caused]) -> None:
        """Entries that effects and actions put on timelines, and all that follows from them."""
        entries = list(caused)
        if entries:
            self.settle(self._followed_up(entries))

    def settle(self, touches: dict[Pair, Touch]) -> None:
        """Decide until nothing new is touched. A rule is never woken by what it caused, so this ends."""
        self._decide(touches)
        self.isolation.stop_rules()

    def _decide(self, touches: dict[Pair, Touch]) -> None:
        while touches:
            wanted = to_decide(self.connection, self.workspace, self.live, touches, self.now)
            caused = self.deciding.decide(self.isolation.admitted(wanted))
            touches = self._followed_up(caused) if caused else {}

    def _settle_or_gather(self, touches: dict[Pair, Touch], put_off: dict[Pair, Touch]) -> None:
        """Decide what is touched, but for what only a file of history does: that is decided when all of it is there."""
        if put_off is not touches:
            for pair in touches.keys() & put_off.keys():
                one = put_off.pop(pair)
                touches[pair].join(one.since, one.merged)
            self.settle(touches)
        if put_off:
            gather(self.connection, self.workspace, self.live, put_off, self.now)

    # ---------------------------------------------------------------------------------- what is new

    def _claim(self, arrivals: Sequence[Arrival], ids: list[bytes]) -> Sequence[Taken]:
        """Which arrivals are new, and so get their id: the first holder of a message id wins."""
        named = [
            (one.item.message_id, one.item.digest, id)
            for one, id in zip(arrivals, ids, strict=True)
            if one.item.message_id is not None
        ]
        if not named:
            return ids
        holders = events.claim_messages(self.connection, self.workspace, "message", named)
        taken: list[Taken] = []
        for one, id in zip(arrivals, ids, strict=True):
            holder = holders.get(one.item.message_id) if one.item.message_id is not None else None
            if holder is None or holder.public_id == id:
                taken.append(id)
            else:
                taken.append(Repeat(holder.public_id, conflict=holder.digest != one.item.digest))
        return taken

    def _work_through(self, losers: Iterable[int]) -> None:
        """What was only noted of people about to merge is decided first: their watches end with them."""
        pairs = [(loser, rule) for loser in losers for rule in self.live.patient]
        noted = watches.load_watches(self.connection, self.workspace, pairs) if pairs else ()
        self._decide({(row.person_id, row.rule): Touch(self.now + 1) for row in noted})

    def _settle_who(self, identity: Identity) -> None:
        """Write who is who from now on."""
        fresh_ids = public_ids(len(identity.created), self.now)
        people.create(self.connection, self.workspace, list(zip(identity.created, fresh_ids, strict=True)), self.now)
        people.link(self.connection, self.workspace, identity.linked, self.now)
        self.outvoted += outvoted(self.connection, identity.merged)
        for winner, loser in identity.merged:
            people.merge(self.connection, winner, loser)
        if self.outvoted:
            counters.count(self.connection, self.workspace, {(counters.NO_RULE, LIMITED): len(self.outvoted)})
        if identity.conflicts:
            counters.count(self.connection, self.workspace, {(counters.NO_RULE, IDENTITY_CONFLICT): identity.conflicts})

    def _store(self, fresh: Sequence[Arrival], ids: Sequence[bytes], owners: Sequence[int]) -> Entries:
        happened = [one.item for one in fresh if isinstance(one.item, ValidEvent)]
        types = self._types(item.name for item in happened)
        reports = Reports(self.connection, self.workspace, self.live, happened)
        stored = Entries(names={row: name for name, row in types.items()})
        for one, id, person in zip(fresh, ids, owners, strict=True):
            item, received = one.item, one.received_at
            historical = int(one.historical)
            if isinstance(item, ValidEvent):
                cause, properties = reports.told(item) if item.caused_by else (None, item.properties_json)
                stored.events.append(
                    NewEvent(
                        self.workspace, id, person, types[item.name], item.at, received, one.source, historical,
                        item.message_id, cause, properties,
                    )
                )  # fmt: skip
            elif item.traits:
                stored.changes.append(
                    ChangeRow(
                        0, id, person, item.at, received, one.source, historical, int(item.user_id is not None),
                        None, item.traits_json, item.message_id, page=int(one.page),
                    )
                )  # fmt: skip
        self._write(stored)
        note_bounces(self.connection, self.workspace, reports.bounced(happened))
        return stored

    def _types(self, names: Iterable[str]) -> dict[str, int]:
        """The types of events by name; a name not met before becomes one."""
        wanted = set(names)
        return events.intern(self.connection, self.workspace, wanted, self.now, public_ids) if wanted else {}

    def _write(self, stored: Entries) -> None:
        if not consent.EVENTS.isdisjoint(stored.names.values()):
            stored.changes += consenting.heard(stored.events, stored.names, partial(public_ids, now=self.now))
        events.insert(self.connection, stored.events)
        events.insert_changes(self.connection, self.workspace, stored.changes)

    def _append(self, caused: list[Caused]) -> Entries:
        """The entries of effects, as rows; they arrive now."""
        types = self._types(one.name for one in caused if one.name)
        stored = Entries(names={row: name for name, row in types.items()})
        ids = public_ids(len(caused), self.now)
        for one, id in zip(caused, ids, strict=True):
            values, cause = to_json(one.values).decode(), causes_text(one.causes)
            if one.name:
                stored.events.append(
                    NewEvent(
                        self.workspace, id, one.person, types[one.name], one.at, self.now, "action", 0, None, cause,
                        values,
                    )
                )  # fmt: skip
            else:
                stored.changes.append(
                    ChangeRow(0, id, one.person, one.at, self.now, "action", 0, 1, cause, values, place=one.place)
                )
        self._write(stored)
        return stored

    def _unstarted(self, stored: Entries) -> dict[bytes, tuple[str, ...]]:
        """Count the triggers that start nothing; return those from before rules went live, with these."""
        found = list(unstarted(self.live, stored.events, stored.names))
        counters.count(self.connection, self.workspace, Counter((one.rule.row, one.reason) for one in found))
        early: dict[bytes, tuple[str, ...]] = {}
        for one in found:
            if one.reason == "before_live":
                early[one.event.public_id] = (*early.get(one.event.public_id, ()), one.rule.id)
        return early

    # ------------------------------------------------------------------------------- what it touches

    def _touched(self, stored: Entries, created: frozenset[int], identity: Identity) -> dict[Pair, Touch]:
        touching = self._touching(stored, created)
        since = self.now - self.settings.max_event_age
        for winner, _ in identity.merged:
            for row in self.live.rules:
                touching.join((identity.final(winner), row), max(0, since), merged=True)
        return touching.touches

    def _followed_up(self, caused: list[Caused]) -> dict[Pair, Touch]:
        """What the entries of effects touch."""
        return self._touching(self._append(caused), frozenset()).touches

    def _touching(self, stored: Entries, created: frozenset[int]) -> Touching:
        touching = Touching(self.connection, self.workspace, self.live, self.now)
        touching.add(stored, created)
        self.deciding.note_due(touching.noted_due)
        return touching


def public_ids(count: int, now: int) -> list[bytes]:
    """ULIDs as bytes: 48 bits of milliseconds, 80 of chance."""
    if not count:
        return []
    head = (max(now, 0) // 1000).to_bytes(6)
    chance = os.urandom(10 * count)
    return [head + chance[10 * index : 10 * index + 10] for index in range(count)]


named_by: Callable[[Valid], Named] = attrgetter("user_id", "contact_id", "anonymous_id", "previous_id")
"""The ids an item names."""
