"""Hints decide nothing: random rules and people through the public face, with all hints and with none.

What is compared is what the channel was handed, and when; where the oracle covers a rule, with the oracle too. Rules
and people are drawn apart, and each rule meets each person: a pair is one scenario. They share engines, which is what
makes thousands of them cheap.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from engine.clock import iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.language import layout, nodes, read, read_quiet_hours
from engine.runtime import hints
from engine.runtime.engine import Engine
from engine.testing import Clock, travel
from tests.journeys import comparing
from tests.oracle import oracle
from tests.oracle.build import hour
from tests.oracle.conditions import walk
from tests.oracle.strategies import LAST_HOUR, Features, rules, timelines

T = TypeVar("T")
Entry = oracle.Event | oracle.Change

RULES, PEOPLE = 14, 12
"""As many rules and people share an engine."""

FIRST, LAST = hour(-201), hour(LAST_HOUR + 60)
QUIET = ((), ("20:00 to 06:00",), ("12:00 to 15:00 in person.timezone", "friday"))
COVERED = Features(
    triggers=("event", "event", "event", "none", "schedule"),
    items=("happened", "happened", "count", "total", "chain", "race", "fact", "date", "last"),
    history=False, consent=0, months=True,
    steps=("action", "condition", "wait", "time", "event", "date", "if", "split"),
    policies=("again", "exit", "limit", "quiet"),
)  # fmt: skip
"""What the oracle says of one rule by itself, whatever others there are, where everything comes at its own time."""

ANYTHING = Features(months=True, own_actions=True)
DELAYS = (0, 0, 0, 1, 7)
"""Hours by which an item may be late."""


@dataclass(frozen=True)
class Handed:
    """One action as the channel was handed it, and when. Microseconds UTC."""

    at: int
    rule: str
    person: str
    action: str
    template: str | None
    to: Any
    key: str
    moment: int


class Receiver:
    """A channel that notes what it was handed, and when."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.handed: list[Handed] = []

    def send(self, action: Outgoing) -> None:
        one = Handed(
            self.clock.now(), action.rule, action.person, action.action, action.template, action.to, action.key,
            action.moment,
        )  # fmt: skip
        self.handed.append(one)


@dataclass(frozen=True)
class Crowd:
    """Rules, people by name with what happens to them, each entry with its delay, and the settings."""

    rules: tuple[nodes.Rule, ...]
    people: dict[str, list[tuple[Entry, int]]]
    settings: dict[str, Any]

    def plays(self, folder: Path, *, used: bool, pages: str = "1 hour") -> list[Handed]:
        """Return what is handed over while it all happens, in transactions that end after so long."""
        file = folder / "drawn.rules"
        file.write_text("\n\n".join(map(layout, self.rules)))
        clock = Clock(FIRST)
        receiver = Receiver(clock)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hints, "USED", used)
            chosen = load_settings(store="sqlite://", store_transaction=pages, **self.settings)
            with Engine.open(rules=file, clock=clock, settings=chosen, always_live=True, fallback=receiver) as engine:
                for arrives, batch in self._arrivals():
                    travel_before(engine, clock, arrives)
                    for historical in (False, True):
                        items = [item for item, old in batch if old is historical]
                        assert not items or engine.ingest(items, historical=historical).ok
                    engine.run_due()
                travel(engine, clock, LAST)
        caused = self._caused()
        handed = [replace(one, key="") if one.rule in caused else one for one in receiver.handed]
        return sorted(handed, key=lambda one: (one.at, one.person, one.rule, one.key))

    def _caused(self) -> set[str]:
        """Return the rules that start by what an action did: their keys go by ids that every run draws anew."""
        effects = [one for rule in self.rules for one in walk(rule.steps)]
        names = {one.name for one in effects if isinstance(one, nodes.Action | nodes.TrackEvent)}
        triggers = {rule.id: rule.trigger for rule in self.rules if isinstance(rule.trigger, nodes.EventTrigger)}
        return {id for id, one in triggers.items() if any(part.name in {*names, None} for part in one.patterns)}

    def _arrivals(self) -> list[tuple[int, list[tuple[dict[str, Any], bool]]]]:
        found: dict[int, list[tuple[dict[str, Any], bool]]] = {}
        for name, entries in self.people.items():
            for entry, delay in entries:
                found.setdefault(entry.at + delay, []).append((item_of(name, entry), entry.historical))
        return sorted(found.items())


def travel_before(engine: Engine, clock: Clock, until: int) -> None:
    """Work through what is due before an instant: what arrives then is decided with what is due then."""
    travel(engine, clock, until - 1)
    clock.set(until)


def known_as(entry: Entry, message: str) -> Entry:
    """Return an entry with a message id, by which the keys of actions go."""
    return replace(entry, message_id=message) if isinstance(entry, oracle.Event) else entry


def item_of(person: str, entry: Entry) -> dict[str, Any]:
    """Return an entry as a client sends it."""
    common = {"user_id": person, "timestamp": iso(entry.at)}
    if isinstance(entry, oracle.Change):
        return {"type": "identify", "traits": dict(entry.values), **common}
    return {"event": entry.name, "properties": dict(entry.properties), "message_id": entry.message_id, **common}


def drawn(strategy: st.SearchStrategy[T], number: int, start: int) -> list[T]:
    """Return so many examples of a strategy; the same for the same ``start``."""
    found: list[T] = []

    @seed(start)
    @settings(max_examples=number, database=None, derandomize=False)
    @given(strategy)
    def collect(one: T) -> None:
        found.append(one)

    collect()
    return found


KNOWN = """
Rule: k0
Trigger: a
Condition: NOT b in the last 6 hours
Action: mail

Rule: k1
Trigger: b
Wait: 1 hour
Condition: c fewer than 2 times in the last 12 hours AND NOT a within 2 hours
Action: mail

Rule: k2
Trigger: c
Action: mail
Zone: person.timezone

Rule: k3
Trigger: d
Condition: NOT a within 24 hours OR person.plan = pro
Action: mail
"""
"""Rules of kinds that hints have once been wrong about: they take part in every crowd."""


def crowds(number: int, features: Features, start: int, *, covered: bool) -> list[Crowd]:
    """Return crowds of ``RULES * PEOPLE`` scenarios, as many as make ``number``."""
    chance, known = random.Random(start), read(KNOWN).rules
    several = -(-number // (RULES * PEOPLE))
    written = [one for one in drawn(rules(features), 2 * several * RULES, start) if not covered or _is_alone(one)]
    lives = drawn(timelines(features), 2 * several * PEOPLE, start + 1)
    made = []
    for _ in range(several):
        chosen = [acting(one, f"r{place}") for place, one in enumerate(chance.sample(written, RULES - len(known)))]
        people = {
            f"p{place}": [
                (known_as(entry, f"p{place}-{number:02}"), 0 if covered else hour(chance.choice(DELAYS)) - hour(0))
                for number, entry in enumerate(entries)
            ]
            for place, entries in enumerate(chance.sample(lives, PEOPLE))
        }
        given_settings: dict[str, Any] = {"quiet_hours": list(chance.choice(QUIET))}
        if not covered and chance.random() < 0.5:
            given_settings["caps"] = {"marketing": "2 per person per 24 hours"}
        made.append(Crowd((*known, *chosen), people, given_settings))
    return made


def acting(rule: nodes.Rule, name: str) -> nodes.Rule:
    """Return a rule under another name that sends something: what only matches is handed to no channel."""
    sends = any(isinstance(one, nodes.Action) for one in walk(rule.steps))
    return replace(rule, id=name, steps=rule.steps if sends else (*rule.steps, nodes.Action("mail", None)))


def _is_alone(rule: nodes.Rule) -> bool:
    """Return whether what becomes of one person under a rule does not hang on others."""
    return all(limit.per != "all" for limit in rule.limits)


def differences(crowd: Crowd, one: Iterable[Handed], other: Iterable[Handed]) -> str:
    """Return what differs, with its rules and the people concerned; empty where nothing does."""
    left, right = Counter(one), Counter(other)
    odd = sorted(((left - right) + (right - left)).elements(), key=lambda one: one.at)[:3]
    lines = []
    for this in odd:
        side = "with hints" if left[this] > right[this] else "otherwise"
        rule = next(rule for rule in crowd.rules if rule.id == this.rule)
        lines += [f"{side}: {this}", layout(rule), *map(repr, crowd.people[this.person]), repr(crowd.settings)]
    return "\n".join(lines)


def by_oracle(crowd: Crowd) -> Counter[tuple[str, str, str, str | None, int]]:
    """Return what the oracle would have the channel be handed: rule, person, action, template, moment of leaving."""
    quiet = tuple(map(read_quiet_hours, crowd.settings["quiet_hours"]))
    people = {name: [entry for entry, _ in entries] for name, entries in crowd.people.items()}
    found: Counter[tuple[str, str, str, str | None, int]] = Counter()
    for rule in crowd.rules:
        for name, journeys in oracle.decide_all(rule, people, LAST, draw=comparing.draw, quiet=quiet).items():
            acts = (one for journey in journeys if not journey.held_out for one in journey.actions)
            found.update((rule.id, name, one.name, one.template, one.at) for one in acts if one.name != "match")
    return found


def check(crowds: Sequence[Crowd], folder: Path, *, covered: bool) -> int:
    """Hold every crowd's courses side by side; return how many scenarios that were.

    What is decided of one person and one rule by themselves hangs on no page either. Rules that see one another's
    actions, or share a cap, go by which of the actions of one moment leaves first: there the pages are the same.
    """
    scenarios = handed_over = 0
    for crowd in crowds:
        assert all(read(layout(rule)).ok for rule in crowd.rules)
        used = crowd.plays(folder, used=True)
        unused = crowd.plays(folder, used=False, pages="1 ms" if covered else "1 hour")
        assert used == unused, differences(crowd, used, unused)
        if covered:
            handed = Counter((one.rule, one.person, one.action, one.template, one.at) for one in used)
            wanted = by_oracle(crowd)
            assert handed == wanted, (crowd.settings, handed - wanted, wanted - handed, list(map(layout, crowd.rules)))
        scenarios += len(crowd.rules) * len(crowd.people)
        handed_over += len(used)
    assert handed_over > scenarios / 10, "hardly anything was handed over, so hardly anything was compared"
    return scenarios


@pytest.mark.parametrize(("features", "covered"), [(COVERED, True), (ANYTHING, False)], ids=["oracle", "anything"])
def test_what_leaves_and_when_is_the_same_without_hints(features: Features, covered: bool, tmp_path: Path) -> None:
    assert check(crowds(1_000, features, 0, covered=covered), tmp_path, covered=covered) >= 1_000


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("start", range(2, 52, 2))
def test_fifty_thousand_scenarios(start: int, tmp_path: Path) -> None:
    for features, covered in ((COVERED, True), (ANYTHING, False)):
        assert check(crowds(1_000, features, start, covered=covered), tmp_path, covered=covered) >= 1_000
