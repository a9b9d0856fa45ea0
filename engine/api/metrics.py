"""What Prometheus is told: counted as it happens where it happens, looked up in the store where it stands there."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from engine.receipt import Receipt

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one app, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "lapse_request_seconds",
            "Requests by dialect, route and status, with the time they took.",
            ("dialect", "method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._ingested = Counter(
            "lapse_ingested", "Items taken in, by door and outcome.", ("dialect", "outcome"), registry=self.registry
        )

    def requested(self, dialect: str, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(dialect, method, route, status).observe(seconds)

    def ingested(self, dialect: str, receipt: Receipt) -> None:
        for outcome in receipt.outcomes:
            self._ingested.labels(dialect, outcome.status).inc()
