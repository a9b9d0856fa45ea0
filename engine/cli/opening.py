"""An engine for a verb: settings from options, rules loaded, findings shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from engine.cli.console import err, fail, of, warn
from engine.cli.findings import print_findings
from engine.config import Settings, load_settings
from engine.delivery.templates import looked_over
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import STAYING, Found, RuleFiles, catalog_of
from engine.runtime.workspaces import Workspaces
from engine.store.store import missing_file


def settings_of(store: str | None, *, new: bool = False) -> Settings:
    """The settings in force for this command. It stops where there is no store yet, unless that may be ``new``.

    So a mistyped name makes no empty store, which would look as if all were well.
    """
    settings = load_settings() if store is None else load_settings(store=store)
    if not new and (path := missing_file(settings.store)) is not None:
        raise fail(
            f"there is no store at '{path}'; name the one you mean with --store or LAPSE_STORE, "
            "or make one with 'lapse run', 'lapse serve' or 'lapse ingest'"
        )
    return settings


@contextmanager
def opened(store: str | None, *, new: bool = False) -> Iterator[Engine]:
    """An engine on the store, which may be ``new``, with the rules that are live there."""
    with Engine.open(settings=settings_of(store, new=new)) as engine:
        yield engine


@contextmanager
def opened_in(store: str | None, workspace: str | None, *, new: bool = False) -> Iterator[Engine]:
    """The engine of a workspace, the settings' unless one is named, on a store that may be ``new``."""
    settings = settings_of(store, new=new)
    if workspace not in (None, settings.workspace) and missing_file(settings.store) is not None:
        raise _no_workspace(workspace)
    with Workspaces(settings) as opened:
        engine = opened.default if workspace is None else opened.named(workspace)
        if engine is None:
            raise _no_workspace(workspace)
        yield engine


def _no_workspace(name: str | None) -> typer.Exit:
    return fail(f"there is no workspace '{name}'; make it with 'lapse workspaces create {name}'")


@contextmanager
def opened_with_rules(store: str | None, rules: Sequence[Path] | None) -> Iterator[Engine]:
    """An engine that makes rules live: those named, else those of the settings, where there are any.

    With an error in them, those that were live stay live; where none was, it stops: nothing would start.
    """
    check_rules(settings_of(store, new=True), rules)
    with opened(store, new=True) as engine:
        usual = engine.settings.rules
        if rules or usual.exists():
            found = engine.load(*(rules or [usual]))
            if not engine.live.rules:
                refuse_errors(found)
            elif not found.ok:
                show(found)
                warn(STAYING)
        elif not engine.live.rules:
            warn(f"no rule is live, and there are no rules at '{usual}'; name them with --rules")
        yield engine


def check_rules(settings: Settings, rules: Sequence[Path] | None, *, migrate: bool = False) -> None:
    """Read the rules a command is to make live, of every workspace. Shows the errors and raises Exit where the store
    is new, so that none would be live, and where waiting journeys are to ``migrate``.
    """
    own = settings.workspaces.get(settings.workspace)
    folders: list[Sequence[Path]] = [[one.rules] for one in settings.workspaces.values()]
    if own is None and (rules or settings.rules.exists()):
        folders.append(rules or [settings.rules])
    strict = migrate or missing_file(settings.store) is not None
    for paths in folders:
        found = readable_rules(settings, paths)
        if strict:
            refuse_errors(found)


def readable_rules(settings: Settings, paths: Sequence[Path]) -> Found:
    """The rules under ``paths`` with all findings, templates included. Raises ConfigError where one is not there."""
    found = RuleFiles(tuple(paths), catalog_of(settings)).load()
    looked = looked_over(settings, found.readings, only_used=True)
    return replace(found, readings=looked.joined(found.readings))


def load(engine: Engine, rules: Sequence[Path], *, migrate: bool = False) -> Found:
    """Make rules live. With an error in them, show every finding and stop: those that were live stay live."""
    found = engine.load(*rules, migrate=migrate)
    refuse_errors(found)
    return found


def moves_told(engine: Engine) -> list[str]:
    """What loading rules did to journeys that waited, a line for each rule that had any."""
    return [
        f"{rule}: of {of(sum(one), 'waiting journey')} {one.moved:,} moved, {one.stayed:,} stayed, {one.ended:,} ended"
        for rule, one in sorted(engine.moves.items())
        if sum(one)
    ]


def found_rules(rules: Sequence[Path]) -> Found:
    """Rules for a verb that needs no store; stops as :func:`load` does."""
    found = RuleFiles(tuple(rules)).load()
    refuse_errors(found)
    return found


def refuse_errors(found: Found) -> None:
    """Show every finding and stop if one of them is an error."""
    if found.ok:
        return
    show(found)
    errors = sum(one.severity == "error" for _, one in found.findings)
    raise fail(f"the rules have {of(errors, 'error')}; nothing was done")


def show(found: Found) -> None:
    """Every finding with its line."""
    print_findings(err(), ((reading.source, one) for reading, one in found.findings))
