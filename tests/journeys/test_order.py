"""Arrival order, batching, repeats and late decisions change nothing that has not left (section 6, rulings 16, 17)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journeys.rulebook import Settings
from engine.journeys.timeline import Change, Event
from engine.language import nodes
from tests.oracle.build import act
from tests.oracle.strategies import Features, crowds, ends, rules
from tests.oracle.times import HOUR

from .bench import Bench
from .comparing import entry_of

ROUNDS = settings(max_examples=150)

FEWER = settings(ROUNDS, max_examples=80)

CALM = Features(
    steps=("action", "condition", "wait", "time", "event", "date", "if", "split"),
    policies=("again", "exit", "for_each", "quiet", "active", "only_while", "purpose"),
    history=False,
)
"""What is asked only at the leaving (limits) or leaves in the deciding transaction (a match, ``set``) stays out:
nothing leaves here, so that every decision may be taken again."""


@dataclass(frozen=True)
class Coming:
    """An entry on its way. ``idle``: nobody decided anything since the arrival before."""

    arrives: int
    entry: Event | Change
    idle: bool = False


def play(rule: nodes.Rule, coming: list[Coming], until: int, grace: int, *, apart: bool = False, **more: Any) -> Bench:
    """Run a bench that sends nothing through the arrivals of one person; ``apart``: what comes together, one by one."""
    bench = Bench(rule, Settings(grace=grace), sends=False, **more)
    waiting = sorted(coming, key=lambda one: one.arrives)
    while waiting:
        at = waiting[0].arrives
        batch = [one for one in waiting if one.arrives == at]
        waiting = waiting[len(batch) :]
        if not any(one.idle for one in batch):
            bench.run_to(at - 1)
        bench.now = at
        for part in [[one] for one in batch] if apart else [batch]:
            bench.ingest({"p": [one.entry for one in part]})
    bench.run_to(until + grace)
    bench.now = until + grace
    bench.look()
    return bench


def decided(bench: Bench) -> list[tuple[Any, ...]]:
    """All that was decided, the order aside. Keys stay out: events equal in all take each other's place."""
    standing = bench.people.get("p")
    return sorted(
        (
            (
                one.value, one.first_at, one.start, one.ended_at, one.reason or "", one.place,
                tuple((effect.step, effect.moment, effect.leave, effect.taken) for effect in one.effects),
            )
            for one in (standing.journeys if standing else ())
        ),
        key=repr,
    )  # fmt: skip


@st.composite
def stories(draw: st.DrawFn, features: Features, delay: int) -> tuple[nodes.Rule, list[Coming], list[Coming], int]:
    """A rule, the same entries in order and as they may come, and the end."""
    rule = draw(rules(features))
    if not any(isinstance(step, nodes.Action) for step in rule.steps):
        rule = replace(rule, steps=(*rule.steps, act()))
    entries = [entry_of(one) for one in draw(crowds(features))["p"]]
    scheduled = isinstance(rule.trigger, nodes.Schedule)  # of several missed occurrences only the newest counts
    in_order = [Coming(one.at, one) for one in entries]
    mixed = []
    for one in entries:
        arrives = one.at + draw(st.integers(0, delay)) * HOUR // 2
        mixed.append(Coming(arrives, one, idle=not scheduled and draw(st.booleans())))
        if draw(st.integers(0, 5)) == 0:
            mixed.append(Coming(arrives + HOUR, one))
    until = draw(ends())
    return rule, in_order, [one for one in mixed if one.arrives <= until], until


def check(story: tuple[nodes.Rule, list[Coming], list[Coming], int], grace: int) -> None:
    rule, in_order, mixed, until = story
    known = {id(one.entry) for one in mixed}
    wanted = decided(play(rule, [one for one in in_order if id(one.entry) in known], until, grace))
    assert decided(play(rule, mixed, until, grace)) == wanted


@pytest.mark.parametrize("trigger", ["event", "none"])
@ROUNDS
@given(data=st.data())
def test_any_order_within_a_day(trigger: str, data: st.DataObject) -> None:
    check(data.draw(stories(replace(CALM, triggers=(trigger,)), delay=30)), grace=0)


@ROUNDS
@given(data=st.data())
def test_any_order_within_the_grace(data: st.DataObject) -> None:
    check(data.draw(stories(CALM, delay=12)), grace=6 * HOUR)


@st.composite
def crowded(draw: st.DrawFn, features: Features) -> tuple[nodes.Rule, list[Coming], int]:
    """Entries that arrive by threes of hours, so that many come at once, in any order."""
    rule, _, mixed, until = draw(stories(features, delay=30))
    arrivals = [replace(one, arrives=one.arrives + -one.arrives % (3 * HOUR)) for one in draw(st.permutations(mixed))]
    return rule, [one for one in arrivals if one.arrives <= until], until


@pytest.mark.parametrize("trigger", ["event", "none"])
@FEWER
@given(data=st.data())
def test_batches_or_one_by_one(trigger: str, data: st.DataObject) -> None:
    rule, coming, until = data.draw(crowded(replace(CALM, triggers=(trigger,))))
    assert decided(play(rule, coming, until, 0, apart=True)) == decided(play(rule, coming, until, 0))


@pytest.mark.parametrize("trigger", ["event", "none", "schedule"])
@FEWER
@given(data=st.data())
def test_told_at_once_or_at_the_next_look(trigger: str, data: st.DataObject) -> None:
    rule, _, mixed, until = data.draw(stories(replace(CALM, triggers=(trigger,)), delay=30))
    assert decided(play(rule, mixed, until, 0, lazy=True)) == decided(play(rule, mixed, until, 0))


@FEWER
@given(data=st.data())
def test_a_restart_anywhere(data: st.DataObject) -> None:
    rule, _, mixed, until = data.draw(stories(CALM, delay=30))
    grace = data.draw(st.sampled_from([0, 6 * HOUR]))
    wanted = decided(play(rule, mixed, until, grace, restarts=lambda: False))
    assert decided(play(rule, mixed, until, grace, restarts=lambda: True)) == wanted
    assert decided(play(rule, mixed, until, grace, restarts=lambda: data.draw(st.booleans()))) == wanted
