"""The rules that are live, and which of them an event concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property

from engine.journeys.payload import name_of
from engine.journeys.rulebook import DAY, RuleLife
from engine.language import nodes
from engine.language.program import Do, Program
from engine.runtime.hints import Hints
from engine.store.operations import OperationRow


@dataclass(frozen=True)
class LiveRule:
    """A live rule and its row in the store; ``quiet`` are the settings' quiet hours."""

    row: int
    life: RuleLife
    quiet: tuple[nodes.QuietHours, ...] = ()

    @property
    def id(self) -> str:
        return self.life.current.id

    @property
    def program(self) -> Program:
        return self.life.current

    @cached_property
    def hints(self) -> Hints:
        """The shortcuts that the version which is live allows."""
        return Hints(self.program, self.quiet)

    @cached_property
    def all_hints(self) -> tuple[Hints, ...]:
        """Those of every version that is still of use, the live one first."""
        return (self.hints, *(Hints(one, self.quiet) for one in _versions(self)[1:]))

    @property
    def paused_at(self) -> int | None:
        """When it was paused, microseconds UTC; nothing unless it is."""
        return next((start for start, end in self.life.pauses if end is None), None)

    @property
    def resumed_at(self) -> int | None:
        """When its last pause ended, microseconds UTC; nothing where none has."""
        return max((end for _, end in self.life.pauses if end is not None), default=None)


@dataclass(frozen=True, slots=True)
class Concerned:
    """The rows of the rules that events of a name concern, each once.

    An event *wakes* a rule when it may start something before its due moment. A *patient* rule has it as a trigger
    that can lead to nothing for a while: it is only noted. A *picky* one is patient too, and the event's own fields
    may keep it from being a trigger. Any other rule is merely *touched*: the event can but end or delay, and nothing
    need be done unless it comes late.
    """

    woken: tuple[int, ...] = ()
    patient: tuple[int, ...] = ()
    picky: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()

    def joined(self, more: Concerned) -> Concerned:
        """The rules of both, each by the strongest of its reasons."""
        found: dict[int, None] = {}
        joined = []
        for own, theirs in zip(astuple(self), astuple(more), strict=True):
            rows = [row for row in dict.fromkeys((*own, *theirs)) if row not in found]
            found |= dict.fromkeys(rows)
            joined.append(tuple(rows))
        return Concerned(*joined)


NOBODY = Concerned()


@dataclass(frozen=True)
class Live:
    """A picture of the live rules, indexed by what touches them.

    ``change`` counts what was ever changed about them in the store; -1 is before anything was read.
    """

    rules: Mapping[int, LiveRule]
    change: int = -1
    operations: tuple[OperationRow, ...] = ()
    """Those under way: what they have still to change is honored by every decision as if it were changed."""
    _concerned: dict[str, Concerned] = field(default_factory=dict, compare=False, repr=False)
    _started: dict[str, tuple[LiveRule, ...]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _by_name(self) -> dict[str | None, Concerned]:
        found: dict[str | None, Concerned] = {}
        for rule in self.rules.values():
            triggers = {pattern.name for pattern in rule.program.triggers} if rule.hints.patience else set()
            waking = {name for one in rule.all_hints for name in one.waking}
            watched = {pattern.name for one in _versions(rule) for pattern in one.watched}
            for name in triggers | waking | watched:
                known = found.get(name, NOBODY)
                if name in waking:
                    found[name] = replace(known, woken=(*known.woken, rule.row))
                elif name in triggers and rule.hints.picky:
                    found[name] = replace(known, picky=(*known.picky, rule.row))
                elif name in triggers:
                    found[name] = replace(known, patient=(*known.patient, rule.row))
                else:
                    found[name] = replace(known, touched=(*known.touched, rule.row))
        return found

    def concerned(self, name: str) -> Concerned:
        """The rules an event of this name concerns."""
        if name not in self._concerned:
            self._concerned[name] = self._by_name.get(name, NOBODY).joined(self._by_name.get(None, NOBODY))
        return self._concerned[name]

    def started_by(self, name: str) -> tuple[LiveRule, ...]:
        """Return the rules that have events of this name as a trigger."""
        if name not in self._started:
            rules = self.rules.values()
            self._started[name] = tuple(
                rule for rule in rules if any(one.name is None or one.name == name for one in rule.program.triggers)
            )
        return self._started[name]

    @property
    def programs(self) -> list[Program]:
        """Every version of every rule that is still of use."""
        return [one for rule in self.rules.values() for one in _versions(rule)]

    @cached_property
    def _changing(self) -> dict[str | None, tuple[int, ...]]:
        """The rules that a change of an attribute may wake, by its name; under none, those that any change may."""
        found: dict[str | None, list[int]] = {}
        for rule in self.rules.values():
            names = [one.moved_by for one in rule.all_hints]
            moved: set[str | None] = {None} if None in names else {name for some in names for name in some or ()}
            for name in moved:
                found.setdefault(name, []).append(rule.row)
        return {name: tuple(rows) for name, rows in found.items()}

    @property
    def changes_matter(self) -> bool:
        """Whether any change of attributes may wake a rule."""
        return bool(self._changing)

    def changing(self, names: Iterable[str]) -> set[int]:
        """The rules that a change of these attributes may wake."""
        return {row for name in (*names, None) for row in self._changing.get(name, ())}

    @cached_property
    def reading(self) -> tuple[int, ...]:
        """The rules that read attributes at all."""
        return tuple(rule.row for rule in self.rules.values() if any(one.reads_attributes for one in rule.all_hints))

    @cached_property
    def sending(self) -> bool:
        """Whether any rule sends: what is sent shows attributes, and goes by what the person said of it."""
        return any(one.declared_actions for one in self.programs)

    @cached_property
    def actions(self) -> frozenset[str]:
        """What the outbox calls that which the rules do, in every version that is still of use."""
        effects = (name_of(one.effect) for program in self.programs for one in program.code if isinstance(one, Do))
        return frozenset(effects)

    @cached_property
    def standing(self) -> tuple[int, ...]:
        """The rules under which every person stands from the first time they are seen."""
        return tuple(rule.row for rule in self.rules.values() if rule.program.stands)

    @cached_property
    def greets_later(self) -> bool:
        """Whether nothing can start at once for a person who is new."""
        return all(self.rules[row].hints.patience for row in self.standing)

    @cached_property
    def patient(self) -> tuple[int, ...]:
        """The rules whose triggers can lead to nothing for a while."""
        return tuple(one.row for one in self.rules.values() if one.hints.patience and not one.program.stands)

    def patient_of(self, rule: str) -> tuple[int, ...]:
        """The row of a patient rule; none for any other."""
        return tuple(row for row in self.patient if self.rules[row].id == rule)

    @cached_property
    def paused(self) -> Mapping[int, int]:
        """The rules that are paused, and since when."""
        return {row: rule.paused_at for row, rule in self.rules.items() if rule.paused_at is not None}

    @cached_property
    def resuming(self) -> Mapping[int, int]:
        """The rules whose journeys are being made due again, and since when."""
        return {one.subject: one.since for one in self.operations if one.kind == "resume"}

    @cached_property
    def moving(self) -> Mapping[int, OperationRow]:
        """The rules whose journeys are being moved to the live version."""
        return {one.subject: one for one in self.operations if one.kind == "move"}

    @cached_property
    def erasing(self) -> frozenset[int]:
        """The people who are being erased."""
        return frozenset(one.subject for one in self.operations if one.kind == "erase")

    @cached_property
    def history(self) -> OperationRow | None:
        """What gathers whom history concerns, to be decided when all of it is there."""
        return next((one for one in self.operations if one.kind == "history"), None)

    def names(self, rows: Iterable[int]) -> frozenset[str] | None:
        """The event names that these rules look at; nothing when one looks at all."""
        found = [one.names for row in rows for one in self.rules[row].all_hints]
        if None in found:
            return None
        return frozenset(name for names in found if names is not None for name in names)

    def lookback(self, row: int) -> int | None:
        """How far before a journey's start the rule may look, in microseconds; nothing: without bound."""
        lengths = [one.lookback for one in self.rules[row].all_hints]
        return None if None in lengths else max(length for length in lengths if length is not None)

    def goal(self, row: int) -> int:
        """How long after a journey ended a conversion may still count, in microseconds."""
        goals = [one.rule.goal.within for one in _versions(self.rules[row]) if one.rule.goal is not None]
        return max((goal.micros + goal.months * 31 * DAY for goal in goals), default=0)

    def by_id(self, rule: str) -> LiveRule | None:
        return next((one for one in self.rules.values() if one.id == rule), None)


def _versions(rule: LiveRule) -> tuple[Program, ...]:
    return (rule.program, *(one for one in rule.life.versions.values() if one.digest != rule.program.digest))
