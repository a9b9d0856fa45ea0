"""(i) Due actions, opening and figures beside processes that write all the time.

Run: python -m benchmarks.fairness [--events 2000000] [--seconds 30] [--writers 1 3]

Events of a crowd in which few people do much are stored, and the ten packs that ship go live. Then a daemon runs while
one process, and then three, take in batches of 1,000 events in a loop. Measured are how late actions leave that fall
due meanwhile, how long opening an engine and `lapse rules` wait for others, and how long the log becomes.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from engine.cli.life import keep_still
from engine.cli.rules import PATIENCE
from engine.clock import DAY, SECOND, WallClock, iso
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing
from engine.runtime.engine import Engine

PACKS = Path(__file__).parent.parent / "rules"
PEOPLE_SHARE = 20
"""Events a person has on average."""
HISTORY = 180 * DAY
BATCH = 1_000
PROBES = 100
SETTLING = 8
"""Seconds from the start of the daemon until the first probe is due, and from the last until the end."""
PROBE = "Rule: probe\nTrigger: probe_set\nWait: until trigger.at\nAction: probe\nTriggered again: restart\n"
NAMES = (
    *["feature_used"] * 40, *["logged_in"] * 25, *["cart_updated"] * 10, *["checkout_started"] * 4,
    *["purchase_completed"] * 6, "signed_up", "trial_started", "feature_limit_reached", "payment_failed",
    "payment_succeeded", "subscription_started", "subscription_cancelled", "review_submitted", "nps_submitted",
    *["page_viewed"] * 6,
)  # fmt: skip


def crowd(count: int, people: int, seed: int) -> Iterator[dict[str, Any]]:
    """Events of people of whom few do much: of 100,000 the first does 0.4 % of everything."""
    chance = random.Random(seed)
    weights = [1 / (place + 1) ** 0.6 for place in range(people)]
    bounds = [0.0]
    for weight in weights:
        bounds.append(bounds[-1] + weight)
    names = range(people)
    for start in range(0, count, BATCH):
        whose = chance.choices(names, cum_weights=bounds[1:], k=min(BATCH, count - start))
        for person in whose:
            amount = round(chance.uniform(5, 200), 2)
            yield {
                "event": chance.choice(NAMES),
                "user_id": f"u{person}",
                "properties": {
                    "amount": amount,
                    "cart_total": amount,
                    "order_id": f"o{person}-{start}",
                    "feature": f"f{person % 9}",
                },
            }


def fill(url: str, count: int) -> None:
    """Store what happened before, and make the packs live."""
    now = WallClock().now()
    with Engine.open(url) as engine:
        keep_still()
        begun = time.perf_counter()
        events = crowd(count, max(count // PEOPLE_SHARE, 100), 1)
        step = HISTORY // count
        dated = ({**one, "timestamp": iso(now - HISTORY + place * step)} for place, one in enumerate(events))
        engine.ingest(dated, historical=True)
        print(f"{count:,} events stored in {time.perf_counter() - begun:,.0f} s", flush=True)


# ------------------------------------------------------------------------------------------------ processes


def daemon(url: str, rules: Sequence[Path], seconds: float) -> None:
    """As `lapse run`; says when each probe left, in seconds behind its moment."""

    def left(action: Outgoing) -> None:
        sys.stdout.write(f"{(WallClock().now() - action.moment) / SECOND:.3f}\n")  # from several threads
        sys.stdout.flush()

    with Engine.open(url, rules=rules, actions={"probe": left}, fallback=Nowhere()) as engine:
        running = Daemon(engine, reload=False)
        running.start()
        keep_still()
        print("ready", flush=True)
        time.sleep(seconds)
        running.stop()


class Nowhere:
    """A channel that takes everything."""

    def send(self, action: Outgoing) -> None:
        pass


def writer(url: str, seed: int, people: int, seconds: float) -> None:
    """Takes in batches in a loop; says how many events, and how long the longest batch took."""
    with Engine.open(url) as engine:
        keep_still()
        print("ready", flush=True)
        end, count, longest = time.perf_counter() + seconds, 0, 0.0
        events = crowd(10**9, people, seed)
        while (begun := time.perf_counter()) < end:
            count += engine.ingest([next(events) for _ in range(BATCH)]).stored
            longest = max(longest, time.perf_counter() - begun)
    print(f"{count} {longest:.3f}", flush=True)


def looker(url: str, seconds: float) -> None:
    """Opens an engine and asks for what `lapse rules` shows, again and again; says how long each waited and took."""
    print("ready", flush=True)
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        with Engine.open(url) as engine:
            opened, took = engine.store.gate.waited, time.perf_counter() - begun
            engine.settle(PATIENCE)
            engine.counts_by_rule()
            waited, whole = engine.store.gate.waited - opened, time.perf_counter() - begun - took
        print(f"{opened:.3f} {took:.3f} {waited:.3f} {whole:.3f}", flush=True)
        time.sleep(1)


# ------------------------------------------------------------------------------------------------ measuring


class Log:
    """The longest the log was, in MiB."""

    def __init__(self, path: Path) -> None:
        self._path, self._over = Path(f"{path}-wal"), threading.Event()
        self.longest = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            with suppress(FileNotFoundError):
                self.longest = max(self.longest, self._path.stat().st_size / 2**20)

    def end(self) -> None:
        self._over.set()


def start(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.fairness", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(path: Path, writers: int, people: int, seconds: float) -> None:
    url, length = f"sqlite:///{path}", seconds + 2 * SETTLING
    log = Log(path)
    with ExitStack() as ends:
        ends.callback(log.end)
        running = start("--as", "daemon", url, length)
        ends.callback(running.kill)
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        set_probes(url, seconds)
        others = [start("--as", "writer", url, writers * 10 + one, people, length - 4) for one in range(writers)]
        others.append(start("--as", "looker", url, length - 6))
        for one in others:
            ends.callback(one.kill)
        late = sorted(map(float, running.communicate()[0].split()))
        told = [one.communicate()[0].splitlines()[1:] for one in others]
    looks = [[float(one) for one in line.split()] for line in told.pop()]
    wrote = [line[0].split() for line in told]
    stored, longest = sum(int(one) for one, _ in wrote), max(float(one) for _, one in wrote)
    print(f"{writers} writing {seconds:.0f} s   {stored / (length - 4):,.0f} events/s, longest batch {longest:.2f} s")
    median, most = statistics.median(late), late[int(len(late) * 0.99) - 1]
    print(
        f"  due actions    {len(late)} of {PROBES} left, late by {median:.2f} s (median), {most:.2f} s (99 of 100)",
        end="",
    )
    print(f", {late[-1]:.2f} s (longest)")
    for name, wait, took in (("Engine.open", 0, 1), ("lapse rules", 2, 3)):
        waits, takes = max(one[wait] for one in looks), max(one[took] for one in looks)
        print(f"  {name:<14} waited {waits:.2f} s at most, took {takes:.2f} s at most, {len(looks)} times")
    print(f"  log            {log.longest:,.1f} MiB at most", flush=True)


def set_probes(url: str, seconds: float) -> None:
    """Actions that fall due one after the other."""
    first = WallClock().now() + SETTLING * SECOND
    moments = [first + int(seconds * place / PROBES * SECOND) for place in range(PROBES)]
    with Engine.open(url) as engine:
        engine.ingest(
            {"event": "probe_set", "user_id": f"u{place}", "properties": {"at": iso(moment)}}
            for place, moment in enumerate(moments)
        )


def main(events: int, seconds: float, writers: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        fill(f"sqlite:///{path}", events)
        for count in writers:
            measure(path, count, max(events // PEOPLE_SHARE, 100), seconds)


def _as(role: str, url: str, *rest: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    match role:
        case "daemon":
            probe = Path(url.removeprefix("sqlite:///")).with_name("probe.rules")
            probe.write_text(PROBE)
            daemon(url, [PACKS, probe], float(rest[0]))
        case "writer":
            writer(url, int(rest[0]), int(rest[1]), float(rest[2]))
        case "looker":
            looker(url, float(rest[0]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        _as(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("--events", type=int, default=2_000_000)
        parser.add_argument("--seconds", type=float, default=30)
        parser.add_argument("--writers", type=int, nargs="+", default=[1, 3])
        chosen = parser.parse_args()
        main(chosen.events, chosen.seconds, chosen.writers)
