"""Time travel: an engine under a clock that stands still until it is moved.

    with Travel("rules/", start="2026-01-01T00:00:00Z") as travel:
        travel.engine.ingest({"event": "cart_updated", "user_id": "u1"})
        travel.move("24 hours")
        assert [action.action for action in travel.actions] == ["send_email"]

Nothing sleeps and nothing is patched: moving the clock goes from one due moment to the next, decides what is due there
and sends it, so every action leaves at its moment.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from engine.clock import micros, moment
from engine.config import Settings, load_settings
from engine.delivery.channels import Outgoing
from engine.durations import in_micros, parse_duration
from engine.runtime.engine import Engine
from engine.timestamps import parse_timestamp

T = TypeVar("T")

__all__ = ["Clock", "Recorder", "Travel", "travel"]


class Clock:
    """A clock one sets and moves. It never goes by itself."""

    def __init__(self, start: str | datetime.datetime | int = "2026-01-01T00:00:00Z") -> None:
        """``start`` as ISO 8601 with an offset, an aware datetime, or microseconds since 1970."""
        self._now = _at(start)

    def now(self) -> int:
        return self._now

    def set(self, to: str | datetime.datetime | int) -> None:
        """Show ``to`` from now on."""
        self._now = _at(to)

    def move(self, by: str | datetime.timedelta) -> None:
        """Go forward by a length such as ``24 hours`` or ``1h30m``."""
        self._now += _length(by)


class Recorder:
    """A channel that keeps what was sent, in order."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def send(self, action: Outgoing) -> None:
        self.sent.append(action)


def travel(engine: Engine, clock: Clock, to: str | datetime.datetime | int) -> None:
    """Move ``clock`` to a moment through every due moment on the way, deciding and sending at each."""
    until = _at(to)
    due = engine.next_due()
    while due is not None and due <= until:
        clock.set(max(due, clock.now()))
        due = engine.run_due().next
    clock.set(max(until, clock.now()))
    engine.run_due()


class _Recorded(Engine):
    """An engine whose fallback also learns what functions have taken."""

    def action(self, name: str) -> Callable[[Callable[[Outgoing], T]], Callable[[Outgoing], T]]:
        register = super().action(name)

        def registered(function: Callable[[Outgoing], T]) -> Callable[[Outgoing], T]:
            def recorded(action: Outgoing) -> T:
                found = function(action)
                assert self._fallback is not None
                self._fallback.send(action)
                return found

            register(recorded)
            return function

        return registered


class Travel:
    """An engine in memory with its own clock, for the tests of a service or of rules.

    ``rules`` is a file or folder (or several). Actions go nowhere but to :attr:`actions` and to functions registered
    with ``engine.action``, or given as ``actions``.
    """

    def __init__(
        self,
        rules: str | Path | Sequence[str | Path] | None = None,
        *,
        start: str | datetime.datetime | int = "2026-01-01T00:00:00Z",
        settings: Settings | None = None,
        actions: Mapping[str, Callable[[Outgoing], object]] = MappingProxyType({}),
        always_live: bool = False,
    ) -> None:
        self.clock = Clock(start)
        self._recorder = Recorder()
        self.engine: Engine = _Recorded.open(
            rules=rules,
            clock=self.clock,
            settings=settings or load_settings(store="sqlite://"),
            actions=actions,
            always_live=always_live,
            fallback=self._recorder,
        )

    @property
    def actions(self) -> list[Outgoing]:
        """The actions that left, in order; functions are called by several threads, and may end in any."""
        return self._recorder.sent

    def move(self, by: str | datetime.timedelta) -> None:
        """Let a length of time pass."""
        self.move_to(self.clock.now() + _length(by))

    def move_to(self, to: str | datetime.datetime | int) -> None:
        """Let time pass up to a moment. Raises ValueError for one that is past."""
        if _at(to) < self.clock.now():
            raise ValueError(f"time goes forward only, and it is {self.now.isoformat()} already")
        travel(self.engine, self.clock, to)

    @property
    def now(self) -> datetime.datetime:
        return moment(self.clock.now())

    def close(self) -> None:
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _at(when: str | datetime.datetime | int) -> int:
    if isinstance(when, int):
        return when
    return micros(when) if isinstance(when, datetime.datetime) else parse_timestamp(when)


def _length(by: str | datetime.timedelta) -> int:
    return in_micros(parse_duration(by))
