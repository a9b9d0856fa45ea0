"""Somebody for whom the draws of rules come out as a test wants them: found by trying ids, as draws go by those."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from engine.journeys.draws import drawn, drawn_holdout
from engine.language import nodes
from engine.language.case_nodes import Draw
from engine.language.walk import walk

TRIES = 100_000
"""Ids that are tried: a draw of 0.01 % comes out among them as good as surely."""


def person_drawn(rules: Sequence[nodes.Rule], draws: Sequence[Draw], name: str) -> str | None:
    """Return ``name``, or the first of ``name-2``, ``name-3`` and so on, for whom all draws come out as wanted.

    A draw holds for each of the rules that has it. None where none has such an arm, sample or holdout, or nobody is
    found.
    """
    if not draws:
        return name
    candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, TRIES + 1))
    wanted = [(rule, draw) for draw in draws for rule in rules if _exists(rule, draw)]
    if len({id(draw) for _, draw in wanted}) < len(draws):
        return None
    return next((person for person in candidates if all(_comes_out(*one, person) for one in wanted)), None)


def _exists(rule: nodes.Rule, draw: Draw) -> bool:
    if draw.kind == "holdout":
        return rule.holdout is not None
    return bool(_splits(rule, draw) if draw.kind == "arm" else _samples(rule, draw))


def _comes_out(rule: nodes.Rule, draw: Draw, person: str) -> bool:
    if draw.kind == "holdout":
        assert rule.holdout is not None
        return (drawn_holdout(rule.id, rule.holdout.name, person) < rule.holdout.percent) is draw.wanted
    if draw.kind == "sample":
        samples = _samples(rule, draw)
        return all((drawn(rule.id, one.name or one.ordinal, person) < one.percent) is draw.wanted for one in samples)
    return any(_arm(rule, split, person) == _place(split, draw) for split in _splits(rule, draw))


def _samples(rule: nodes.Rule, draw: Draw) -> list[nodes.Sample]:
    return [one for one in walk(rule) if isinstance(one, nodes.Sample) and one.name == draw.name]


def _splits(rule: nodes.Rule, draw: Draw) -> list[nodes.Split]:
    """Return the splits that have the arm."""
    return [one for one in walk(rule) if isinstance(one, nodes.Split) and _place(one, draw) is not None]


def _place(split: nodes.Split, draw: Draw) -> int | None:
    """Return which of a split's arms is meant, from 0: by its name, or by its number from 1."""
    if isinstance(draw.name, int):
        return draw.name - 1 if 0 < draw.name <= len(split.arms) else None
    return next((place for place, arm in enumerate(split.arms) if arm.name == draw.name), None)


def _arm(rule: nodes.Rule, split: nodes.Split, person: str) -> int:
    draw = drawn(rule.id, split.ordinal, person)
    bounds = list(accumulate(arm.percent for arm in split.arms))
    return next((place for place, bound in enumerate(bounds) if draw < bound), len(bounds) - 1)
