"""What Prometheus is told: counted where it happens, or looked up where it stands, in the store."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.api.rule_metrics import RuleMetrics
from engine.clock import SECOND
from engine.receipt import Receipt
from engine.runtime.intake import IDENTITY_CONFLICT, LIMITED
from engine.runtime.isolating import STOPPED
from engine.runtime.quarantine import DROPPED, TOO_LARGE
from engine.runtime.recording import GONE
from engine.runtime.repeats import DIFFERS
from engine.runtime.switches import BY_HAND, Switch
from engine.runtime.workspaces import Workspaces
from engine.store import counters, outbox
from engine.store.backups import RESTORED

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WAITING: Final = ("held", "pending", "sending", "failed")
"""States of actions that are still to leave, or to leave again."""

NOTED: Final = (DIFFERS, DROPPED, TOO_LARGE, IDENTITY_CONFLICT, LIMITED)
"""What is told also when it never came about."""

EVERYTHING: Final = "*"
"""The channel of a pause of all that leaves."""


class Metrics:
    """The figures of one app, of all its workspaces together, in a registry of its own."""

    def __init__(self, workspaces: Workspaces) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(InStore(workspaces))
        self.registry.register(RuleMetrics(workspaces))
        self._requests = Histogram(
            "lapse_request_seconds",
            "Requests by dialect, route and status, with the time they took.",
            ("dialect", "method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._timers: dict[tuple[str, str, str, int], Any] = {}
        self._counters: dict[tuple[str, str], Any] = {}
        self._ingested = Counter(
            "lapse_ingested", "Items by the door they came through and what became of them.", ("dialect", "outcome"),
            registry=self.registry,
        )  # fmt: skip

    def requested(self, dialect: str, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        labels = (dialect, method, route, status)
        if labels not in self._timers:
            self._timers[labels] = self._requests.labels(*labels)
        self._timers[labels].observe(seconds)

    def ingested(self, dialect: str, receipt: Receipt) -> None:
        """Items came in."""
        for outcome, count in Tally(one.status for one in receipt.outcomes).items():
            labels = (dialect, outcome)
            if labels not in self._counters:
                self._counters[labels] = self._ingested.labels(*labels)
            self._counters[labels].inc(count)


class InStore(Collector):
    """Figures that are read when they are asked for. Reads the store: not for the event loop."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        states = self._states()
        depth = GaugeMetricFamily("lapse_outbox", "Actions that are still to leave, by state.", labels=["state"])
        for state in WAITING:
            depth.add_metric([state], states[state])
        due, done = self._workspaces.next_due(), self._workspaces.done
        late = 0 if due is None else max(0, self._workspaces.clock.now() - due)
        yield depth
        yield GaugeMetricFamily("lapse_due_lag_seconds", "How long the earliest due moment is past.", late / SECOND)
        yield CounterMetricFamily("lapse_decisions", "Due journeys that the daemon here decided.", done.decided)
        noted = CounterMetricFamily("lapse_noted", "What is counted as it comes in, of no rule.", labels=["what"])
        for what, times in sorted(self._noted().items()):
            noted.add_metric([what], times)
        yield noted
        yield from self._paused()
        yield self._set_aside()

    def _noted(self) -> Tally[str]:
        noted = Tally(dict.fromkeys(NOTED, 0))
        with self._workspaces.store.read() as connection:
            for row in self._workspaces.rows:
                for (rule, what), times in counters.counters(connection, row.id).items():
                    noted[what] += 0 if rule else times
        return noted

    def _states(self) -> Tally[str]:
        states: Tally[str] = Tally()
        with self._workspaces.store.read() as connection:
            for row in self._workspaces.rows:
                for (_, state), count in outbox.counts(connection, row.id).items():
                    states[state] += count
        return states

    def _paused(self) -> Iterator[Metric]:
        rules = GaugeMetricFamily(
            "lapse_rule_paused", "1 for each rule that is paused.", labels=["workspace", "rule", "reason"]
        )
        channels = GaugeMetricFamily(
            "lapse_delivery_paused",
            f"1 for each channel that is paused; '{EVERYTHING}' is all of them.",
            labels=["workspace", "channel", "reason"],
        )
        for engine in self._workspaces.engines:
            for one in engine.pauses():
                family = rules if one.kind == "rule" else channels
                family.add_metric([engine.settings.workspace, one.name or EVERYTHING, _reason(one)], 1)
        yield rules
        yield channels

    def _set_aside(self) -> Metric:
        aside = GaugeMetricFamily(
            "lapse_set_aside", "People set aside because a rule fails for them.", labels=["workspace", "rule"]
        )
        for engine in self._workspaces.engines:
            for rule, people in engine.set_aside().items():
                aside.add_metric([engine.settings.workspace, rule], people)
        return aside


def _reason(one: Switch) -> str:
    """``hand``, ``restore``, of rules ``guard`` or ``faults``, of channels ``gone``, else ``other``."""
    if one.reason == BY_HAND:
        return "hand"
    if one.reason.startswith(RESTORED):
        return "restore"
    if one.kind == "rule":
        return "faults" if one.reason.startswith(STOPPED) else "guard"
    return "gone" if one.reason == GONE else "other"
