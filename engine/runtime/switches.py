"""Stopping what leaves: everything, or a channel. Decisions go on; actions wait, and are asked when they leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

from engine.clock import iso
from engine.errors import ConfigError, did_you_mean
from engine.store import Connection, switches
from engine.store.switches import SwitchRow

Kind = Literal["all", "channel", "rule"]

BY_HAND: Final = "by hand"


class Switch(NamedTuple):
    """Something that is stopped: ``all``, a ``channel`` or a ``rule``; since when (microseconds UTC), and why."""

    kind: Kind
    name: str
    since: int
    reason: str

    def plain(self) -> dict[str, Any]:
        return {**self._asdict(), "name": self.name or None, "since": iso(self.since)}


class Stopped(NamedTuple):
    """What takes nothing up at the moment."""

    everything: bool = False
    channels: frozenset[str] = frozenset()

    def holds(self, channel: str) -> bool:
        """Whether a channel is stopped, by itself or with everything."""
        return self.everything or channel in self.channels


def every(connection: Connection, workspace: int) -> list[Switch]:
    """What is stopped, the longest first; of rules those that something stopped, not somebody."""
    return [Switch(_kind(row.kind), row.name, row.since, row.reason) for row in switches.every(connection, workspace)]


def stopped(connection: Connection, workspace: int) -> Stopped:
    """What takes nothing up. One statement."""
    found = switches.every(connection, workspace)
    channels = frozenset(one.name for one in found if one.kind == "channel")
    return Stopped(any(one.kind == "all" for one in found), channels)


def stop(connection: Connection, workspace: int, channel: str | None, now: int, reason: str = BY_HAND) -> bool:
    """Stop a channel, or everything; False when it was stopped already."""
    return switches.stop(connection, workspace, SwitchRow(*_of(channel), now, reason))


def release(connection: Connection, workspace: int, channel: str | None) -> bool:
    """Let a channel, or everything, go on; False when it was not stopped."""
    return switches.release(connection, workspace, *_of(channel))


def check_channel(channel: str | None, known: Iterable[str]) -> None:
    """Raises ConfigError for a channel that does not exist."""
    names = sorted(known)
    if channel is not None and channel not in names:
        advice = did_you_mean(channel, names, f"channels are {', '.join(names)}")
        raise ConfigError(f"there is no channel '{channel}'; {advice}")


def _of(channel: str | None) -> tuple[Kind, str]:
    return ("all", "") if channel is None else ("channel", channel)


def _kind(text: str) -> Kind:
    return "all" if text == "all" else "channel" if text == "channel" else "rule"
