"""All workspaces of a store in one process: one desk, and an engine for each workspace."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.clock import Clock, WallClock
from engine.config import WORKSPACE_NAME, Settings, load_settings
from engine.delivery.channels import Channel
from engine.delivery.routing import Lanes
from engine.errors import ConfigError
from engine.runtime.desk import Desk, limits_of
from engine.runtime.due import Due
from engine.runtime.engine import Engine, refusal
from engine.runtime.rulefiles import Found
from engine.store import workspaces as stored
from engine.store.store import Store
from engine.store.workspaces import WorkspaceRow

_log = logging.getLogger("lapse.workspaces")


class Workspaces:
    """Every workspace of a store, each with an engine of its own. Safe to use from any thread; close it when done.

    The settings' workspace is made when it is not there. Rules are loaded by :meth:`load`, or with
    :meth:`open`: those of the settings' workspace from ``rules``, those of another from the ``rules`` of its table
    ``[workspaces.NAME]``; until then those are live that the store has. To a :class:`~engine.daemon.Daemon` all of
    them together look like one engine.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, *, fallback: Channel | None = None) -> None:
        self.settings = settings
        self.clock = clock or WallClock()
        self.desk = Desk(settings.store, limits_of(settings))
        self._lanes = Lanes(settings)
        self._fallback = fallback
        self._opening = threading.RLock()
        self._loads = False
        self._on_due: Callable[[int], None] | None = None
        self.done = Due(0, 0, None)
        """What :meth:`run_due` has done since this was opened, and the next moment it saw."""
        self._rows: dict[int, WorkspaceRow] = {}
        self._engines: dict[int, Engine] = {}
        try:
            self.default = self._add(settings.workspace)
            self.refresh()
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        rules: Path | str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        fallback: Channel | None = None,
    ) -> Workspaces:
        """The workspaces of the store at ``url``, with their rules live.

        What is not given comes from the settings. Raises ConfigError for settings or rules that cannot be used, and
        StoreError for a store that cannot be opened.
        """
        given = {"store": url, "rules": rules}
        chosen = settings or load_settings(**{name: value for name, value in given.items() if value is not None})
        opened = cls(chosen, clock, fallback=fallback)
        try:
            for found in opened.load().values():
                if not found.ok:
                    raise ConfigError(refusal(found))
        except BaseException:
            opened.close()
            raise
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way and let go of the store."""
        self._lanes.cancel()
        for engine in self.engines:
            engine.sending.give_back_cancelled()
        self._lanes.close()
        for engine in self.engines:
            engine.close()
        self.desk.close()

    # --------------------------------------------------------------------------------------- workspaces

    @property
    def engines(self) -> list[Engine]:
        """The engines of all workspaces known by now, oldest workspace first."""
        return [engine for _, engine in sorted(self._engines.copy().items())]

    @property
    def rows(self) -> list[WorkspaceRow]:
        """All workspaces known by now, oldest first."""
        return [row for _, row in sorted(self._rows.copy().items())]

    def row(self, workspace: int) -> WorkspaceRow:
        """What the store knows of a workspace. Raises KeyError for one that is not there."""
        if workspace not in self._rows:
            self.refresh()
        return self._rows[workspace]

    def engine(self, workspace: int) -> Engine:
        """The engine of a workspace. Raises KeyError for one that is not there."""
        if workspace not in self._engines:
            self.refresh()
        return self._engines[workspace]

    def named(self, name: str) -> Engine | None:
        """The engine of the workspace of a name; nothing where there is none."""
        return next((self._engines[row.id] for row in self.refresh() if row.name == name), None)

    def create(self, name: str) -> Engine:
        """Make a workspace. Raises ConfigError for a name that is taken or none."""
        check_name(name)
        with self._opening:
            if any(row.name == name for row in self.refresh()):
                raise ConfigError(f"there is a workspace '{name}' already; choose another name")
            return self._add(name)

    def refresh(self) -> list[WorkspaceRow]:
        """Look for workspaces that other processes made; gives all there are."""
        with self._opening:
            with self.desk.store.read() as connection:
                found = stored.every(connection)
            for row in found:
                if row.id not in self._engines:
                    self._add(row.name)
            return found

    def _add(self, name: str) -> Engine:
        """An engine for a workspace, which is made when it is not there; with its rules once rules are loaded."""
        settings = self.settings.model_copy(update={"workspace": name})
        engine = Engine(settings, self.clock, fallback=self._fallback, desk=self.desk, lanes=self._lanes)
        engine.on_due = self._on_due
        with self.desk.store.read() as connection:
            row = stored.named(connection, name)
        assert row is not None
        self._rows[row.id] = row
        if self._loads and (found := self._load(engine)) is not None and not found.ok:
            told = "the rules that were live stay live" if engine.live.rules else "no rule is live"
            _log.error("workspace '%s': %s; %s", name, refusal(found), told)
        self._engines[row.id] = engine
        return engine

    # -------------------------------------------------------------------------------------------- rules

    def load(self, rules: Sequence[Path] | None = None, *, migrate: bool = False) -> dict[str, Found]:
        """Load the rules of all workspaces that have some, now and as workspaces come; what was found, by workspace.

        ``rules`` are those of the settings' workspace instead of the settings'. Rules with an error change nothing.
        ``migrate`` is :meth:`Engine.load <engine.runtime.engine.Engine.load>`'s. Raises ConfigError for a folder that
        is named and not there.
        """
        with self._opening:
            self._loads = True
            found = {engine.settings.workspace: self._load(engine, rules, migrate) for engine in self.engines}
        self._warn_of_unmatched()
        return {name: one for name, one in found.items() if one is not None}

    def _load(self, engine: Engine, rules: Sequence[Path] | None = None, migrate: bool = False) -> Found | None:
        name = engine.settings.workspace
        own = self.settings.workspaces.get(name)
        if own is not None:
            return engine.load(own.rules, migrate=migrate)
        if name != self.settings.workspace:
            return None
        if rules:
            return engine.load(*rules, migrate=migrate)
        return engine.load(self.settings.rules, migrate=migrate) if self.settings.rules.exists() else None

    # ---------------------------------------------------------------------------- as the daemon sees them

    @property
    def store(self) -> Store:
        return self.desk.store

    @property
    def on_due(self) -> Callable[[int], None] | None:
        """Called with the earliest due moment of what was just written, in any workspace."""
        return self._on_due

    @on_due.setter
    def on_due(self, told: Callable[[int], None] | None) -> None:
        with self._opening:
            self._on_due = told
            for engine in self.engines:
                engine.on_due = told

    def next_due(self) -> int | None:
        """The next moment at which something is to be decided or sent in any workspace, microseconds UTC."""
        self.refresh()
        return _earliest(engine.next_due() for engine in self.engines)

    def run_due(self) -> Due:
        """Decide everything that is due by the clock, and send what may leave, in every workspace."""
        return reduce(Due.then, self.due_pages())

    def due_pages(self, *, wait: bool = True) -> Iterator[Due]:
        """:meth:`run_due` for those who take turns: what each page did. The last is empty.

        Without ``wait``, what is sent may still be under way then.
        The workspaces take turns too, a page each: none waits for the end of another.
        """
        self.refresh()
        turns = deque((engine, engine.due_pages(wait=wait)) for engine in self.engines)
        coming: dict[Engine, int | None] = {}
        while turns:
            engine, pages = turns.popleft()
            if (page := next(pages, None)) is not None:
                turns.append((engine, pages))
                coming[engine] = page.next
                self.done = self.done.then(page)
                yield page
        self.done = self.done._replace(next=_earliest(coming.values()))
        yield Due(next=self.done.next)

    def under_way(self) -> Counter[str]:
        """Count the sends that have not ended, by their channel's setting ``delivery``."""
        return self._lanes.under_way()

    def set_aside(self) -> int:
        """How many people are set aside, in all workspaces, each once for every rule that failed for them."""
        return sum(people for engine in self.engines for people in engine.set_aside().values())

    def tidy(self) -> None:
        """Drop what is kept for a time only and has expired."""
        self.default.tidy()

    def clamp_pauses(self) -> int:
        """Shorten the pauses before retries that were written by a clock which was ahead; return how many were."""
        return sum(engine.clamp_pauses() for engine in self.engines)

    def check_channels(self) -> None:
        """Raises ConfigError for a channel of the settings that cannot work, such as one whose secret is missing."""
        self.default.check_channels()

    def warn_of_unbound(self) -> None:
        """Say in the log which actions nothing binds, each once a workspace."""
        for engine in self.engines:
            engine.warn_of_unbound()

    def _warn_of_unmatched(self) -> None:
        self.default.warn_of_unmatched([rule.program for one in self.engines for rule in one.live.rules.values()])

    def reload_changed(self) -> Found | None:
        """Read rule files again where they have changed, as an engine does; nothing where none has.

        In a workspace with an error in them nothing changes.
        """
        each = [found for engine in self.engines if (found := engine.reload_changed()) is not None]
        if not each:
            return None
        self._warn_of_unmatched()
        return Found(
            tuple(chain.from_iterable(one.programs for one in each)),
            tuple(chain.from_iterable(one.readings for one in each)),
        )


def check_name(name: str) -> None:
    """Raise ConfigError for what is no name of a workspace."""
    if not re.fullmatch(WORKSPACE_NAME, name):
        raise ConfigError(
            f"'{name}' is no name of a workspace; take letters, digits, '.', '-' and '_', at most 100, and begin "
            "with a letter or digit"
        )


def _earliest(moments: Iterable[int | None]) -> int | None:
    return min((one for one in moments if one is not None), default=None)
