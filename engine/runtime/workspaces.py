"""All workspaces of a store in one process: one desk, and an engine for each workspace."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.clock import Clock, WallClock
from engine.config import WORKSPACE_NAME, Settings, load_settings
from engine.delivery.channels import Channel
from engine.errors import ConfigError
from engine.runtime.desk import Desk
from engine.runtime.engine import Engine, refusal
from engine.runtime.rulefiles import Found
from engine.store import workspaces as store
from engine.store.workspaces import WorkspaceRow

_log = logging.getLogger("lapse.workspaces")


class Workspaces:
    """Every workspace of a store, each with an engine of its own. Safe to use from any thread; close it when done.

    The settings' workspace is made when it is not there. Rules are loaded by :meth:`load`, or with
    :meth:`open`: those of the settings' workspace from ``rules``, those of another from the ``rules`` of its table
    ``[workspaces.NAME]``.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, *, fallback: Channel | None = None) -> None:
        self.settings = settings
        self.clock = clock or WallClock()
        self.desk = Desk(settings.store)
        self._fallback = fallback
        self._opening = threading.RLock()
        self._loads = False
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
        if not re.fullmatch(WORKSPACE_NAME, name):
            raise ConfigError(
                f"'{name}' is no name of a workspace; take letters, digits, '.', '-' and '_', at most 100, and begin "
                "with a letter or digit"
            )
        with self._opening:
            if any(row.name == name for row in self.refresh()):
                raise ConfigError(f"there is a workspace '{name}' already; choose another name")
            return self._add(name)

    def refresh(self) -> list[WorkspaceRow]:
        """Look for workspaces that other processes made; gives all there are."""
        with self._opening:
            with self.desk.store.read() as connection:
                found = store.every(connection)
            for row in found:
                if row.id not in self._engines:
                    self._add(row.name)
            return found

    def _add(self, name: str) -> Engine:
        """An engine for a workspace, which is made when it is not there; with its rules once rules are loaded."""
        settings = self.settings.model_copy(update={"workspace": name})
        engine = Engine(settings, self.clock, fallback=self._fallback, desk=self.desk)
        with self.desk.store.read() as connection:
            row = store.named(connection, name)
        assert row is not None
        self._rows[row.id] = row
        if self._loads and (found := self._load(engine)) is not None and not found.ok:
            _log.error("workspace '%s' has no rules live: %s", name, refusal(found))
        self._engines[row.id] = engine
        return engine

    # -------------------------------------------------------------------------------------------- rules

    def load(self, rules: Sequence[Path] | None = None) -> dict[str, Found]:
        """Load the rules of all workspaces that have some, now and as workspaces come; what was found, by workspace.

        ``rules`` are those of the settings' workspace instead of the settings'. Rules with an error change nothing.
        Raises ConfigError for a folder that is named and not there.
        """
        with self._opening:
            self._loads = True
            found = {engine.settings.workspace: self._load(engine, rules) for engine in self.engines}
        return {name: one for name, one in found.items() if one is not None}

    def _load(self, engine: Engine, rules: Sequence[Path] | None = None) -> Found | None:
        name = engine.settings.workspace
        own = self.settings.workspaces.get(name)
        if own is not None:
            return engine.load(own.rules)
        if name != self.settings.workspace:
            return None
        if rules:
            return engine.load(*rules)
        return engine.load(self.settings.rules) if self.settings.rules.exists() else None
