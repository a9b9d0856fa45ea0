"""Stories: a rule and what happens, told in hours, and the journeys that must come of it.

Hour 0 is Thursday, 2026-01-01 00:00 UTC. An entry arrives at its own time unless ``late`` says otherwise. A journey
reads as in the oracle's examples (``0 mail@24 finished@24``: trigger, actions, ending); ``mail@24>30`` is an action of
moment 24 that left at 30, ``mail@24?`` one that still waits to leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.journeys import payload
from engine.journeys.journey import ACTED, Effect, Journey
from engine.journeys.rulebook import Settings
from engine.language import nodes, read
from tests.oracle import oracle
from tests.oracle.build import START, hour
from tests.oracle.times import HOUR

from .bench import Bench
from .comparing import entry_of

Entry = oracle.Event | oracle.Change


@dataclass(frozen=True)
class Late:
    """An entry that arrives at an hour of its own."""

    arrives: float
    entry: Entry


@dataclass(frozen=True)
class Of:
    """Something of another person than ``p``."""

    person: str
    what: Entry | Late


@dataclass(frozen=True)
class Down:
    """Nobody runs between these hours."""

    start: float
    end: float


@dataclass(frozen=True)
class Pause:
    """The rule is paused between these hours."""

    start: float
    end: float


@dataclass(frozen=True)
class Edit:
    """The rule is loaded anew with this text."""

    at: float
    rule: str


@dataclass(frozen=True)
class Join:
    """Two people turn out to be one: everything of ``loser`` becomes ``winner``'s."""

    at: float
    loser: str
    winner: str


Happening = Entry | Late | Of | Down | Pause | Edit | Join


def late(arrives: float, entry: Entry) -> Late:
    return Late(arrives, entry)


@dataclass(frozen=True)
class Story:
    """One row of a table; ``journeys`` of person ``p``, or of whoever ``who`` names."""

    id: str
    rule: str
    happens: tuple[Happening, ...]
    journeys: tuple[str, ...]
    until: float = 500
    live: float | None = None
    who: str = "p"
    notes: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def expected(self) -> tuple[tuple[str, ...], dict[str, int]]:
        return self.journeys, self.notes


def table(*stories: Story) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("story", stories, ids=lambda story: story.id)


def outcome(story: Story, *, lazy: bool = False) -> tuple[tuple[str, ...], dict[str, int]]:
    """What the engine makes of a story: the journeys, and what is only counted.

    ``lazy``: what can only end or delay something is looked at no sooner than at the next due moment.
    """
    bench = tell(story.rule, story.happens, story.until, story.live, lazy=lazy, **story.settings)
    return told(bench, story.who), bench.notes


def rule_of(text: str) -> nodes.Rule:
    (rule,) = read(f"Rule: r\n{text}").rules
    return rule


def tell(
    rule: str,
    happens: Iterable[Happening],
    until: float,
    live: float | None = None,
    *,
    lazy: bool = False,
    sends: bool = True,
    **given: Any,
) -> Bench:
    """The bench after everything has happened and the clock has come to ``until``."""
    settings = Settings(
        **{name: round(value * HOUR) if isinstance(value, int | float) else value for name, value in given.items()}
    )
    bench = Bench(rule_of(rule), settings, None if live is None else hour(live), lazy=lazy, sends=sends)
    steps = sorted((one for what in happens for one in _steps(what)), key=lambda one: one[0])
    down = False
    while steps:
        at = steps[0][0]
        now, steps = [what for when, what in steps if when == at], [one for one in steps if one[0] != at]
        if not down and not bench.paused:
            bench.run_to(at - 1)
        bench.now = at
        down = _happen(bench, now, down)
    if not down and not bench.paused:
        bench.run_to(hour(until))
    if lazy:
        bench.look()
    return bench


def _steps(what: Happening) -> list[tuple[int, tuple[str, Any]]]:
    match what:
        case Late(arrives=arrives, entry=entry):
            return [(hour(arrives), ("entry", ("p", entry)))]
        case Of(person=person, what=Late(arrives=arrives, entry=entry)):
            return [(hour(arrives), ("entry", (person, entry)))]
        case Of(person=person, what=entry):
            return [(entry.at, ("entry", (person, entry)))]
        case Down(start=start, end=end):
            return [(hour(start), ("down", True)), (hour(end), ("down", False))]
        case Pause(start=start, end=end):
            return [(hour(start), ("pause", None)), (hour(end), ("resume", None))]
        case Edit(at=at):
            return [(hour(at), ("edit", what))]
        case Join(at=at):
            return [(hour(at), ("join", what))]
        case _:
            return [(what.at, ("entry", ("p", what)))]


def _happen(bench: Bench, now: list[tuple[str, Any]], down: bool) -> bool:
    """What happens at one reading of the clock, entries last; gives whether nobody runs from here on."""
    for kind, what in now:
        match kind:
            case "down":
                down = what
            case "pause":
                bench.pause()
            case "resume":
                bench.resume()
            case "edit":
                bench.edit(rule_of(what.rule))
            case "join":
                bench.merge(what.loser, what.winner)
    arrivals: dict[str, list[Any]] = {}
    for kind, what in now:
        if kind == "entry":
            person, entry = what
            arrivals.setdefault(person, []).append(entry_of(entry))
    if arrivals:
        bench.ingest(arrivals)
    return down


def told(bench: Bench, name: str = "p") -> tuple[str, ...]:
    """The journeys of a person, by start."""
    found = bench.people[name].journeys if name in bench.people else []
    return tuple(_describe(bench, one) for one in sorted(found, key=lambda one: (one.start, one.value, one.trigger)))


def _describe(bench: Bench, one: Journey) -> str:
    words = [_at(one.first_at) + (f">{_at(one.start)}" if one.start != one.first_at else "")]
    if one.value:
        words[0] += f"/{one.value}"
    words += [_effect(bench, one, effect) for effect in one.effects]
    if one.goal_at is not None:
        words.append(f"goal@{_at(one.goal_at)}")
    words.append("waiting" if one.ended_at is None else f"{one.reason}@{_at(one.ended_at)}")
    return " ".join(words)


def _effect(bench: Bench, journey: Journey, effect: Effect) -> str:
    name = payload.name_of(payload.do_at(bench.life.version(journey.version).code, effect.place))
    if effect.taken not in ACTED:
        return f"-{name}@{_at(effect.leave)}={effect.taken}"
    if effect.taken == "pending":
        return f"{name}@{_at(effect.leave)}?"
    left = f">{_at(effect.left_at)}" if effect.left_at not in (None, effect.leave) else ""
    return f"{name}@{_at(effect.leave)}{left}"


def _at(moment: int | None) -> str:
    return f"{((moment or 0) - START) / HOUR:g}"
