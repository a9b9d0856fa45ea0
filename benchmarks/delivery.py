"""(g) Actions over the wire, to receivers in a second process. Run: python -m benchmarks.delivery [ACTIONS] [SECONDS]

How many leave a second as webhooks and as mails, as ratios to a bare loop of the same client; and how long one takes
from the moment it is due until a good receiver has it, alone, beside seven others that behave, and beside seven that
hang, fail, refuse, cut, pour and drip.
"""

from __future__ import annotations

import json
import logging
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.loopback import Latency
from benchmarks.receivers import BAD
from engine.cli.life import keep_still
from engine.config import Settings, load_settings
from engine.daemon import Daemon
from engine.delivery.channels import Channel, Message, Outgoing, Sealing
from engine.delivery.routing import Lanes
from engine.runtime.engine import Engine

CONCURRENCY = 8
BATCH = 1_000
RATE = 10.0
"""Events a second while arrivals are measured; each is an action on every channel."""
ROUNDS = 3
WARM = 10
"""Events before those that count: the first has a connection to make."""
TEMPLATE = {"hello.subject": "Hello", "hello.txt": "Good to have you here, {{ person.email }}.\n"}
ACTION = Outgoing(
    "act_0", "r", "u", "1", "send", "hello", 0, 1, {"person": {"email": "u@example.com"}, "to": None},
    message=Message("Hello", "Good to have you here, u@example.com.\n"),
)  # fmt: skip
SENT = "SELECT count(*) FROM outbox WHERE status = 'sent'"


class Receivers:
    """The second process: its ports, and what arrived at the good one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._lines = process.stdout
        self.ports: dict[str, int] = json.loads(self._lines.readline())
        self.taken: list[float] = []
        """Seconds from due to there."""
        threading.Thread(target=self._note, daemon=True).start()

    def _note(self) -> None:
        for line in self._lines:
            due, there = map(float, line.split())
            self.taken.append(there - due)

    def webhook(self, name: str) -> dict[str, Any]:
        """Settings of a channel to one of them."""
        url = f"http://127.0.0.1:{self.ports[name]}/"
        return {"type": "webhook", "url": url, "allow": ["127.0.0.1"], "concurrency": CONCURRENCY}

    def mail(self) -> dict[str, Any]:
        where = {"host": "127.0.0.1", "port": self.ports["mail"], "tls": "none", "from": "shop@shop.example"}
        return {"type": "email", "concurrency": CONCURRENCY, **where}


@contextmanager
def receivers() -> Iterator[Receivers]:
    words = [sys.executable, "-m", "benchmarks.receivers"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Receivers(process)
        finally:
            process.terminate()


@contextmanager
def engine_to(channels: Mapping[str, Mapping[str, Any]]) -> Iterator[Engine]:
    """An engine on a file of its own, with a rule for each channel; the garbage collector as in `lapse run`."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in TEMPLATE.items():
            (folder / name).write_text(text)
        rules = (f'Rule: {name}\nTrigger: go\nAction: to_{name} "hello"\n' for name in channels)
        (folder / "r.rules").write_text("\n".join(rules))
        with Engine.open(rules=folder / "r.rules", settings=_settings(folder, channels)) as engine:
            keep_still()
            yield engine


def _settings(folder: Path, channels: Mapping[str, Mapping[str, Any]]) -> Settings:
    return load_settings(
        store=f"sqlite:///{folder / 'bench.db'}",
        channels=dict(channels),
        actions={f"to_{name}": name for name in channels},
        templates={"folder": folder},
        guard={"people_per_hour": 1_000_000_000},
    )


# ------------------------------------------------------------------------------------------------ how many


def throughput(receivers: Receivers, count: int) -> None:
    for name, channel in (("webhooks", receivers.webhook("plain")), ("mails", receivers.mail())):
        bare, sent = _bare(channel, count), _sent(channel, count)
        print(
            f"{count:,} {name}: {sent:,.0f} sent/s, {sent / bare:.2f} of a bare loop of the same client ({bare:,.0f}/s)"
        )


def _bare(settings: Mapping[str, Any], count: int) -> float:
    """Sends a second of what is ready, without a store, from as many threads."""
    with tempfile.TemporaryDirectory() as folder:
        lanes = Lanes(_settings(Path(folder), {"one": settings}))
        channel: Channel = lanes.of("one")[0]
        assert isinstance(channel, Sealing)
        ready = replace(ACTION, sealed=channel.seal(ACTION))
        with ThreadPoolExecutor(CONCURRENCY) as threads:
            begun = time.perf_counter()
            for one in [threads.submit(channel.send, ready) for _ in range(count)]:
                one.result()
            spent = time.perf_counter() - begun
        lanes.close()
    return count / spent


def _sent(settings: Mapping[str, Any], count: int) -> float:
    """Sends a second of a daemon that finds so many actions due."""
    with engine_to({"one": settings}) as engine:
        for start in range(0, count, BATCH):
            people = range(start, min(start + BATCH, count))
            engine.ingest(_known(one) for one in people)
            engine.ingest({"event": "go", "user_id": f"u{one}"} for one in people)
        daemon = Daemon(engine)
        begun = time.perf_counter()
        daemon.start()
        while _number_sent(engine) < count:
            time.sleep(0.02)
        spent = time.perf_counter() - begun
        daemon.stop()
    return count / spent


def _known(number: int) -> dict[str, Any]:
    return {"type": "identify", "user_id": f"u{number}", "traits": {"email": f"u{number}@example.com"}}


def _number_sent(engine: Engine) -> int:
    with engine.store.read() as connection:
        return int(connection.exec_driver_sql(SENT).scalar_one())


# ------------------------------------------------------------------------------------------------ how long


def beside_others(receivers: Receivers, seconds: int) -> None:
    """Arrivals at the good receiver, each way in turn, so that whatever else the machine does meets them all."""
    behaving = {f"plain{number}": receivers.webhook("plain") for number in range(len(BAD))}
    ways = {
        "alone": {},
        f"beside {len(BAD)} that behave": behaving,
        f"beside {len(BAD)} that do not": {name: receivers.webhook(name) for name in BAD},
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    peaks: list[float] = []
    for _ in range(ROUNDS):
        for way, others in ways.items():
            taken[way] += _arrivals(receivers, {"good": receivers.webhook("good"), **others}, seconds)
            peaks.append(_peak())
    alone, behaved, _ = found = [Latency.of(one) for one in taken.values()]
    for way, latency in zip(ways, found, strict=True):
        print(
            f"{way:<22} {latency}; p99 {latency.p99 / alone.p99:.2f} times alone, "
            f"{latency.p99 / behaved.p99:.2f} beside those that behave"
        )
    print(f"peak memory: {peaks[1]:,.0f} MiB before the first that misbehave, {peaks[-1]:,.0f} MiB at the end")


def _arrivals(receivers: Receivers, channels: Mapping[str, Mapping[str, Any]], seconds: int) -> list[float]:
    """Seconds from due to there, of actions that fall due at a steady rate."""
    receivers.taken.clear()
    with engine_to(channels) as engine:
        daemon = Daemon(engine)
        daemon.start()
        begun = time.perf_counter()
        for number in range(count := WARM + int(seconds * RATE)):
            time.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            engine.ingest({"event": "go", "user_id": f"u{number}"})
        while len(receivers.taken) < count:
            time.sleep(0.02)
        daemon.stop()
    return receivers.taken[WARM:]


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int = 5_000, seconds: int = 20) -> None:
    logging.disable(logging.CRITICAL)
    with receivers() as running:
        throughput(running, count)
        beside_others(running, seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
