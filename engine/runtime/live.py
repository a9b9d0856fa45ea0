"""The rules that are live, and which of them an event concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.journeys.rulebook import DAY, RuleLife
from engine.language.program import Program


@dataclass(frozen=True)
class LiveRule:
    """A live rule and its row in the store."""

    row: int
    life: RuleLife

    @property
    def id(self) -> str:
        return self.life.current.id

    @property
    def program(self) -> Program:
        return self.life.current


@dataclass(frozen=True)
class Live:
    """An immutable picture of the live rules, indexed by what touches them.

    An event *wakes* a rule when it may start something before its due moment, and only *bears on* it when it
    can but end or delay: then nothing need be done unless it comes late.
    """

    rules: Mapping[int, LiveRule]

    @cached_property
    def _waking(self) -> dict[str | None, tuple[int, ...]]:
        return _index((rule.row, _of_versions(rule, "waking")) for rule in self.rules.values())

    @cached_property
    def _bearing(self) -> dict[str | None, tuple[int, ...]]:
        return _index((rule.row, _of_versions(rule, "bearing")) for rule in self.rules.values())

    def woken_by(self, name: str) -> tuple[int, ...]:
        """The rows of the rules an event of this name wakes."""
        return self._waking.get(name, ()) + self._waking.get(None, ())

    def touched_by(self, name: str) -> tuple[int, ...]:
        """The rows of the rules an event of this name bears on without waking them."""
        woken = self.woken_by(name)
        found = self._bearing.get(name, ()) + self._bearing.get(None, ())
        return tuple(row for row in dict.fromkeys(found) if row not in woken)

    @cached_property
    def changing(self) -> tuple[int, ...]:
        """The rules that a change of attributes may wake."""
        return tuple(rule.row for rule in self.rules.values() if any(one.wakes_on_change for one in _versions(rule)))

    @cached_property
    def reading(self) -> tuple[int, ...]:
        """The rules that read attributes at all."""
        return tuple(rule.row for rule in self.rules.values() if any(one.reads_attributes for one in _versions(rule)))

    @cached_property
    def standing(self) -> tuple[int, ...]:
        """The rules under which every person stands from the first time they are seen."""
        return tuple(rule.row for rule in self.rules.values() if rule.program.stands)

    @cached_property
    def names(self) -> frozenset[str] | None:
        """The event names that any rule looks at; nothing when one looks at all."""
        found = [one.names for rule in self.rules.values() for one in _versions(rule)]
        if None in found:
            return None
        return frozenset(name for names in found if names is not None for name in names)

    def lookback(self, row: int) -> int | None:
        """How far before a journey's start the rule may look, in microseconds; nothing: without bound."""
        lengths = [one.lookback for one in _versions(self.rules[row])]
        return None if None in lengths else max(length for length in lengths if length is not None)

    def goal(self, row: int) -> int:
        """How long after a journey ended a conversion may still count, in microseconds."""
        goals = [one.rule.goal.within for one in _versions(self.rules[row]) if one.rule.goal is not None]
        return max((goal.micros + goal.months * 31 * DAY for goal in goals), default=0)

    def by_id(self, rule: str) -> LiveRule | None:
        return next((one for one in self.rules.values() if one.id == rule), None)


def _versions(rule: LiveRule) -> tuple[Program, ...]:
    return (rule.program, *(one for one in rule.life.versions.values() if one.digest != rule.program.digest))


def _of_versions(rule: LiveRule, kind: str) -> set[str | None]:
    names: set[str | None] = set()
    for one in _versions(rule):
        names |= one.waking if kind == "waking" else {pattern.name for pattern in one.watched}
    return names


def _index(rules: Iterable[tuple[int, set[str | None]]]) -> dict[str | None, tuple[int, ...]]:
    found: dict[str | None, list[int]] = {}
    for row, names in rules:
        for name in names:
            found.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in found.items()}
