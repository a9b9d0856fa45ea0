"""Is everything fit? Facts about store, clock, zones, daemon, channels and what is due; and what is wrong."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import time
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from engine import trial
from engine.clock import MINUTE, SECOND, iso
from engine.config import Settings
from engine.delivery.routing import LOG, PYTHON, UNBOUND, Lanes
from engine.errors import ConfigError
from engine.extras import EXTRAS, lacking
from engine.runtime.engine import Engine
from engine.runtime.sight import Misreading
from engine.runtime.switches import BY_HAND, Switch
from engine.schemas.naming import suggested_name
from engine.store import counters, outbox, types
from engine.store.schema import events, people
from engine.store.schema import outbox as actions
from engine.strict_json import shown
from engine.version import VERSION

OVERDUE = MINUTE
"""How late what is due may be before it is a problem."""

AHEAD = MINUTE
"""How far ahead of the clock an event may have arrived before the clock must have been set back."""

Facts = Mapping[str, Any]


NAMES = 20
"""Event names beside the convention that are told one by one."""


@dataclass(frozen=True)
class Diagnosis:
    """Facts by the room they are of, problems in words, and what is no problem and still worth a thought."""

    facts: Mapping[str, Facts]
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def plain(self) -> dict[str, Any]:
        return {
            **{room: dict(facts) for room, facts in self.facts.items()},
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


def examine(engine: Engine, *, deep: bool = False) -> Diagnosis:
    """Look at an engine and its store without changing either; ``deep`` reads the whole store."""
    now = engine.clock.now()
    rooms: dict[str, Facts] = {"versions": _versions(), "store": engine.store.doctor(deep=deep)}
    if wrong := tuple(_of_store(rooms["store"])):
        return Diagnosis(rooms, wrong)  # what else a damaged store says of itself may be wrong too
    pauses = engine.pauses()
    broken = trial.failure(engine.settings.zone)
    misread = [(rule, one) for rule, found in engine.misread().items() for one in found]
    with engine.store.read() as connection:
        rooms |= {
            "trial": {"decides_an_event": broken is None, "why": broken},
            "extras": {extra.name: lacking(extra) or "installed" for extra in EXTRAS},
            "clock": _clock(connection, engine.workspace, now),
            "zones": _zones(engine.settings.zone),
            "daemon": {"running": (holder := engine.store.holder()) is not None, "process": holder},
            "due": _due(engine.next_due(), now),
            "outbox": _outbox(connection, engine.workspace),
            "delivery": _delivery(connection, engine.workspace, now),
            "channels": _channels(engine.settings),
            "unbound": _unbound(connection, engine, now),
            "paused": {_named(one): f"since {iso(one.since)}: {one.reason}" for one in pauses},
            "set_aside": engine.set_aside(),
            "counts": _counts(connection, engine.workspace),
            "notes": _notes(connection, engine.workspace),
            "misread": {f"{rule} {one.kind} {one.field}": one.times for rule, one in misread},
        }
        names = types.names(connection, engine.workspace)
    stopped = [one for one in pauses if one.reason != BY_HAND]
    by_hand = [one for one in pauses if one.reason == BY_HAND]
    return Diagnosis(
        rooms,
        (*_problems(rooms), *map(_standing_still, stopped)),
        (
            *map(_standing_still, by_hand),
            *_rights(rooms["store"]),
            *_of_programs(rooms["channels"]),
            *_names(names),
            *_of_kinds(misread),
        ),
    )


def _versions() -> Facts:
    return {"lapse": VERSION, "python": platform.python_version(), "system": platform.platform(terse=True)}


def _clock(connection: Connection, workspace: int, now: int) -> Facts:
    newest = connection.scalar(select(func.max(events.c.received_at)).where(events.c.workspace_id == workspace))
    ahead = max(0, (newest or now) - now)
    return {
        "now": iso(now),
        "zone": time.strftime("%Z"),
        "newest_event_arrived": None if newest is None else iso(newest),
        "set_back_by_seconds": ahead // SECOND,
    }


def _zones(chosen: str) -> Facts:
    try:
        data = importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        data = None
    offset = datetime.datetime.now(zoneinfo.ZoneInfo(chosen)).strftime("%z")
    return {"zone": chosen, "offset_now": offset, "known": len(zoneinfo.available_timezones()), "tzdata": data}


def _due(due: int | None, now: int) -> Facts:
    late = None if due is None else max(0, now - due)
    return {
        "next": None if due is None else iso(due),
        "late_by_seconds": None if late is None else late // SECOND,
    }


def _outbox(connection: Connection, workspace: int) -> Facts:
    found: dict[str, int] = {}
    for (_, status), number in sorted(outbox.counts(connection, workspace).items()):
        found[status] = found.get(status, 0) + number
    return found


def _delivery(connection: Connection, workspace: int, now: int) -> Facts:
    """How long what is to leave has waited; what is paused counts too."""
    due = [at for at in outbox.next_due(connection, workspace).values() if at <= now]
    oldest = min(due, default=None)
    return {
        "oldest_action_due": None if oldest is None else iso(oldest),
        "oldest_action_due_for_seconds": None if oldest is None else (now - oldest) // SECOND,
    }


def _channels(settings: Settings) -> Facts:
    """The channels that actions are bound to, and whether each can work; of functions only their program knows.

    Each is made as a sender would make it: its settings and secrets are read, and nothing is connected to.
    """
    actions: dict[str, list[str]] = defaultdict(list)
    for action, name in settings.actions.bindings.items():
        actions[name].append(action)
    if settings.actions.default is not None or not actions:
        actions[settings.actions.default or LOG].append("default")
    found = {}
    with closing(Lanes(settings)) as lanes:
        for name, bound in sorted(actions.items()):
            why = _why_not(lanes, name)
            works = None if lanes.kind(name) == PYTHON else why is None
            found[name] = {"type": lanes.kind(name), "actions": sorted(bound), "works": works, "why": why}
    return found


def _why_not(lanes: Lanes, name: str) -> str | None:
    """Why a channel cannot work; None where it can."""
    try:
        lanes.of(name)
    except ConfigError as error:
        return str(error)
    return None


def _unbound(connection: Connection, engine: Engine, now: int) -> Facts:
    """How many actions are to leave by now and wait because nothing binds them, by name."""
    if not engine.settings.actions.exhaustive:
        return {}
    due = (name for name, at in outbox.next_due(connection, engine.workspace).items() if at <= now)
    waiting = select(func.count()).where(actions.c.workspace_id == engine.workspace, actions.c.ready_at <= now)
    return {name: connection.scalar(waiting.where(actions.c.name == name)) for name in due if not engine.is_bound(name)}


def _counts(connection: Connection, workspace: int) -> Facts:
    tables = {"events": events, "people": people}
    return {
        name: connection.scalar(select(func.count()).select_from(table).where(table.c.workspace_id == workspace))
        for name, table in tables.items()
    }


def _notes(connection: Connection, workspace: int) -> Facts:
    """What is only counted, and of no rule."""
    found = counters.counters(connection, workspace)
    return {name: number for (rule, name), number in sorted(found.items()) if rule == counters.NO_RULE}


def _of_store(store: Facts) -> Iterator[str]:
    if store["integrity"] != "ok":
        yield f"the database is damaged: {store['integrity']}; restore a backup with 'lapse restore'"
    if store["schema"] != "ok":
        yield f"the tables are not as this version makes them: {store['schema']}; undo that, or restore a backup"


def _rights(store: Facts) -> Iterator[str]:
    if int(store.get("rights", "0"), 8) & 0o077:
        yield f"others than its owner may read or write the store's file (its rights are {store['rights']}): chmod 600"


def _problems(rooms: Mapping[str, Facts]) -> Iterator[str]:
    if rooms["trial"]["why"] is not None:
        yield f"an event cannot be taken in and decided: {rooms['trial']['why']}"
    if rooms["store"].get("disk_full"):
        yield f"the disk is full: {rooms['store']['free_bytes']:,} bytes are free; make room, nothing can be stored"
    late, running = rooms["due"]["late_by_seconds"], rooms["daemon"]["running"]
    if late is not None and late * SECOND > OVERDUE:
        advice = "the daemon does not keep up; see its log" if running else "no daemon runs; start 'lapse run'"
        yield f"what was due at {rooms['due']['next']} has not been decided: {advice}"
    if rooms["clock"]["set_back_by_seconds"] * SECOND > AHEAD:
        yield "events have arrived in what is now the future: the clock was set back"
    for name, channel in rooms["channels"].items():
        if channel["why"] is not None:
            yield f"the channel '{name}' cannot work: {channel['why']}"
    for name, number in rooms["unbound"].items():
        yield f"{number:,} action{'' if number == 1 else 's'} '{name}' wait{'s' if number == 1 else ''}: {UNBOUND}"
    for rule, number in rooms["set_aside"].items():
        who = "1 person, who is" if number == 1 else f"{number:,} people, who are"
        yield f"the rule '{rule}' fails for {who} set aside and tried again; 'lapse rules {rule}' shows the errors"
    if dead := rooms["outbox"].get("dead", 0):
        told = f"{dead} action{'' if dead == 1 else 's'} could not be delivered and will not be tried again"
        yield f"{told}; 'lapse deliveries --dead' shows why, 'lapse redrive' takes them up again"


def _of_programs(channels: Facts) -> Iterator[str]:
    for channel in channels.values():
        if channel["type"] == PYTHON:
            told = ", ".join(f"'{action}'" for action in channel["actions"])
            yield f"only a program that registers a function carries out {told}; 'lapse run' and 'lapse serve' do not"


def _standing_still(one: Switch) -> str:
    verb = {"all": "--all", "channel": f"--channel {one.name}", "rule": one.name}[one.kind]
    return f"{_named(one)} is paused since {iso(one.since)}: {one.reason}; 'lapse resume {verb}' lets it go on"


def _named(one: Switch) -> str:
    return "all that leaves" if one.kind == "all" else f"{one.kind} {one.name}"


def _of_kinds(misread: Sequence[tuple[str, Misreading]]) -> Iterator[str]:
    """Values of another kind than rules ask for."""
    for rule, one in misread[:NAMES]:
        yield f"the rule '{rule}': {one.sentence}; a schema or a preset can turn it into what the rule reads"
    if len(misread) > NAMES:
        yield f"and {len(misread) - NAMES:,} more; 'lapse rules' shows them"


def _names(names: Iterable[str]) -> Iterator[str]:
    """Events whose names are not by the convention."""
    odd = [(name, better) for name in sorted(names) if (better := suggested_name(name)) is not None]
    for name, better in odd[:NAMES]:
        yield f"the event '{shown(name)}' is not named in snake_case, such as '{shown(better)}'"
    if len(odd) > NAMES:
        yield f"and {len(odd) - NAMES:,} more; 'lapse types' shows them"
