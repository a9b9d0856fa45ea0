"""What Prometheus is told of rules and channels. All journeys and actions are read for it, so not at every question."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.clock import SECOND
from engine.runtime.sight import RuleCounts
from engine.runtime.workspaces import Workspaces
from engine.store import tallying

FRESH: Final = 30 * SECOND
"""How old the figures may be, by the engine's clock."""

OTHERS: Final = "(others)"
"""The rule under which those are told together that are not told one by one."""

Parts = Callable[[RuleCounts], Mapping[str, int]]
"""Figures of a rule by the value of a label."""


class Figures(NamedTuple):
    """What was read, and when: the counts of each rule, with its labels, and of each channel and state."""

    at: int
    rules: list[tuple[list[str], RuleCounts]]
    channels: Tally[tuple[str, str]]


class RuleMetrics(Collector):
    """Figures of rules and channels, at most :data:`FRESH` old. Reads the store: not for the event loop."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._reading = threading.Lock()
        self._figures: Figures | None = None

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        figures = self._read()
        yield _of_rules("lapse_rule_journeys", "Journeys by what they have come to.", "state", figures, _journeys)
        yield _of_rules("lapse_rule_exited", "Journeys that left by an exit.", None, figures, _exited)
        yield _of_rules(
            "lapse_rule_acted", "Journeys that acted, or would have in the holdout.", "held_out", figures, _acted
        )
        yield _of_rules(
            "lapse_rule_converted", "Journeys that acted and reached the goal.", "held_out", figures, _converted
        )
        yield _of_rules("lapse_actions", "Actions of rules by state.", "state", figures, lambda one: one.outbox)
        channels = GaugeMetricFamily(
            "lapse_deliveries", "Actions that channels took up, by state.", labels=["channel", "state"]
        )
        for labels, count in sorted(figures.channels.items()):
            channels.add_metric(labels, count)
        yield channels

    def _read(self) -> Figures:
        with self._reading:
            now = self._workspaces.clock.now()
            known = self._figures
            if known is None or abs(now - known.at) >= FRESH:
                known = self._figures = Figures(now, list(self._rules()), self._channels())
            return known

    def _rules(self) -> Iterator[tuple[list[str], RuleCounts]]:
        most = self._workspaces.settings.api.metric_rules
        for engine in self._workspaces.engines:
            for one in engine.counts_by_rule():
                most -= 1
                yield ([engine.settings.workspace, one.rule] if most >= 0 else ["", OTHERS]), one

    def _channels(self) -> Tally[tuple[str, str]]:
        found: Tally[tuple[str, str]] = Tally()
        with self._workspaces.store.read() as connection:
            for row in self._workspaces.rows:
                found.update(tallying.by_channel(connection, row.id))
        return found


def _of_rules(name: str, meaning: str, label: str | None, figures: Figures, parts: Parts) -> Metric:
    """A family with a figure of each rule, or one for each value of a label; those told together are summed."""
    family = GaugeMetricFamily(name, meaning, labels=["workspace", "rule", *([] if label is None else [label])])
    summed: Tally[tuple[str, ...]] = Tally()
    for labels, one in figures.rules:
        for value, count in parts(one).items():
            summed[(*labels, *([] if label is None else [value]))] += count
    for key, count in summed.items():
        family.add_metric(key, count)
    return family


def _journeys(one: RuleCounts) -> Mapping[str, int]:
    return {"acted": one.acted, "ended": one.ended, "waiting": one.waiting}


def _exited(one: RuleCounts) -> Mapping[str, int]:
    return {"": one.exited}


def _acted(one: RuleCounts) -> Mapping[str, int]:
    return {"false": one.acted - one.held_out_acted, "true": one.held_out_acted}


def _converted(one: RuleCounts) -> Mapping[str, int]:
    return {"false": one.converted, "true": one.held_out_converted} if one.goal else {}
