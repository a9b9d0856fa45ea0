"""Replaying a log: the real engine under a virtual clock, against rules that were always live.

Every event arrives at its own time and every action leaves at its moment. Events that wake nothing are stored
together with the next one that does: what they bear on is told by the timeline when its moment comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from engine.clock import iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.model import Limits, validate
from engine.receipt import LeftOut, Outcome, Receipt, Rejection
from engine.runtime.endings import Endings
from engine.runtime.engine import Engine
from engine.testing import Clock, travel

TOGETHER = 1_000
"""Events stored in one transaction at most."""

FEW = 3
"""Examples of journeys that ended without acting, for each rule."""

_NEVER: Final = 10**18
"""A moment behind every timestamp there can be: every event arrives at its own time, so none is of the future."""


@dataclass(frozen=True)
class Action:
    """One action that left. ``at`` is its moment, microseconds UTC; ``step`` a path such as ``3`` or ``4.else.1``."""

    rule: str
    person: str
    at: int
    action: str
    step: str
    key: str

    def plain(self) -> dict[str, Any]:
        return {**self.__dict__, "at": iso(self.at)}


@dataclass(frozen=True)
class RuleReport:
    """What a rule did: ``started`` = ``acted`` (a match counts) + ``ended`` without acting + ``waiting`` without."""

    rule: str
    started: int
    acted: int
    ended: int
    waiting: int
    actions: int
    people: int

    def plain(self) -> dict[str, int]:
        return {name: value for name, value in self.__dict__.items() if name != "rule"}


@dataclass
class Report(LeftOut):
    """The outcome of a replay."""

    rules: list[RuleReport]
    events: int
    """How many were taken in."""
    until: int | None
    actions: list[Action]
    endings: dict[str, Endings] = field(default_factory=dict)
    """By rule, what ended without acting and why, with a few examples."""

    def plain(self) -> dict[str, Any]:
        return {
            "rules": {one.rule: one.plain() for one in self.rules},
            "events": self.events,
            "until": None if self.until is None else iso(self.until),
            **self.left_out(),
        }


Progress = Callable[[int], None]
"""Called with the number of events taken since the last call."""


def replay(
    lines: Iterable[tuple[int, Mapping[str, Any] | Rejection]],
    rules: str | Path | Sequence[str | Path],
    *,
    until: int | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Replay dated items, given with their place in the log, in the order of their times.

    Without ``until`` the clock stops at the last event's time and decides what is due by then. Items that are no
    events are reported, wherever in the log they stand, and the others replayed. Raises ConfigError for rules that
    cannot be used.
    """
    settings = load_settings(store="sqlite://")
    timed, refused = _timed(lines, settings.limits)
    timed = [one for one in timed if until is None or one[1] <= until]
    clock = Clock(timed[0][1] if timed else 0)
    outcomes: list[Outcome] = [*refused]
    with Engine.open(rules=rules, clock=clock, settings=settings, always_live=True, fallback=_Nowhere()) as engine:
        for batch in _batches(engine, timed):
            outcomes += _take(engine, clock, batch)
            progress(len(batch))
        end = until if until is not None else timed[-1][1] if timed else None
        if end is not None:
            travel(engine, clock, end)
            engine.settle()
        return _report(engine, end, outcomes)


class _Nowhere:
    """The channel of a replay: the outbox keeps what left."""

    def send(self, action: Outgoing) -> None:
        pass


Timed = tuple[Mapping[str, Any], int, int]
"""An item with its time, microseconds UTC, and its place in the log."""


def _timed(
    lines: Iterable[tuple[int, Mapping[str, Any] | Rejection]], limits: Limits
) -> tuple[list[Timed], list[Rejection]]:
    """Return items in the order of time, and those that are refused: these move no clock.

    What is known of a person without saying since when holds from before the first event.
    """
    timed: list[Timed] = []
    undated: list[tuple[Mapping[str, Any], int]] = []
    refused: list[Rejection] = []
    for place, item in lines:
        verdict = item if isinstance(item, Rejection) else validate(item, place, _NEVER, limits, require_timestamp=True)
        if isinstance(item, Rejection) or isinstance(verdict, Rejection):
            assert isinstance(verdict, Rejection)
            refused.append(verdict)
        elif verdict.timestamp_given:
            timed.append((item, verdict.at, place))
        else:
            undated.append((item, place))
    timed.sort(key=lambda one: one[1])
    start = timed[0][1] if timed else 0
    return [(item, start, place) for item, place in undated] + timed, refused


def _batches(engine: Engine, timed: Sequence[Timed]) -> Iterator[list[Timed]]:
    """Runs of items that nothing can happen between: an instant that wakes a rule ends one."""
    hints = [rule.hints for rule in engine.live.rules.values()]
    spans = [one.shortest_wait for one in hints if one.program.follows]
    spans += [one.patience for one in hints if one.patience]
    span = min(spans, default=None)
    batch: list[Timed] = []
    seen: set[str] = set()
    woken, due = False, engine.next_due()
    for one in timed:
        item, at, _ = one
        later = bool(batch) and at > batch[-1][1]
        if (
            batch
            and later
            and (
                woken
                or len(batch) >= TOGETHER
                or (due is not None and at > due)
                or (span is not None and at > batch[0][1] + span)
            )
        ):
            yield batch
            batch, woken, due = [], False, engine.next_due()
        batch.append(one)
        woken = woken or _wakes(engine, item, seen)
    if batch:
        yield batch


def _wakes(engine: Engine, item: Mapping[str, Any], seen: set[str]) -> bool:
    """Whether an item may make something happen at its own time."""
    live = engine.live
    ids = {key for key in map(item.get, ("user_id", "anonymous_id", "contact_id")) if isinstance(key, str)}
    new = not ids <= seen
    seen |= ids
    if item.get("type") == "identify" or len(ids) > 1:
        return True
    return bool(live.concerned(str(item.get("event"))).woken) or (new and not live.greets_later)


def _take(engine: Engine, clock: Clock, batch: Sequence[Timed]) -> list[Outcome]:
    """Move through what is due before the batch, then take it in and decide what is due at its time."""
    first, last = batch[0][1], batch[-1][1]
    due = engine.next_due()
    while due is not None and due < first:
        clock.set(max(due, clock.now()))
        due = engine.run_due().next
    clock.set(last)
    outcomes = engine.ingest_timed([(item, at) for item, at, _ in batch])
    engine.run_due()
    return [replace(one, index=place) for one, (_, _, place) in zip(outcomes, batch, strict=True)]


def _report(engine: Engine, until: int | None, outcomes: Sequence[Outcome]) -> Report:
    """What the rules of an engine have done, and what became of the log."""
    actions = [Action(one.rule, one.person, one.moment, one.action, one.step, one.key) for one in engine.sent()]
    number: dict[str, int] = {}
    for one in actions:
        number[one.rule] = number.get(one.rule, 0) + 1
    rules = [
        RuleReport(one.rule, one.started, one.acted, one.ended, one.waiting, number.get(one.rule, 0), one.people)
        for one in engine.counts_by_rule()
    ]
    whole = Receipt(tuple(outcomes))
    return Report(
        rules,
        events=whole.stored,
        until=until,
        actions=actions,
        endings=engine.endings(FEW),
        duplicates=len(whole.duplicates) - len(whole.conflicts),
        conflicts=sorted(whole.conflicts, key=_place),
        rejected=sorted(whole.rejected, key=_place),
    )


_place = attrgetter("index")
