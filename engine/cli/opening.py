"""An engine for a verb: settings from options, rules loaded, findings shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.cli.console import err, fail, of, warn
from engine.cli.findings import print_findings
from engine.config import Settings, load_settings
from engine.runtime.engine import Engine
from engine.runtime.rulefiles import Found, RuleFiles


def settings_of(store: str | None) -> Settings:
    """The settings in force for this command."""
    return load_settings() if store is None else load_settings(store=store)


@contextmanager
def opened(store: str | None, rules: Sequence[Path] | None) -> Iterator[Engine]:
    """An engine with its rules live. Without ``rules`` they come from the settings; none need be there."""
    settings = settings_of(store)
    with Engine.open(settings=settings) as engine:
        if rules or settings.rules.exists():
            load(engine, rules or [settings.rules])
        else:
            warn(f"there are no rules at '{settings.rules}'; name them with --rules")
        yield engine


def load(engine: Engine, rules: Sequence[Path]) -> Found:
    """Make rules live. With an error in them, show every finding and stop: those that were live stay live."""
    found = engine.load(*rules)
    refuse_errors(found)
    return found


def found_rules(rules: Sequence[Path]) -> Found:
    """Rules for a verb that needs no store; stops as :func:`load` does."""
    found = RuleFiles(tuple(rules)).load()
    refuse_errors(found)
    return found


def refuse_errors(found: Found) -> None:
    """Show every finding and stop if one of them is an error."""
    if found.ok:
        return
    console = err()
    print_findings(console, ((reading.source, one) for reading, one in found.findings))
    errors = sum(one.severity == "error" for _, one in found.findings)
    raise fail(f"the rules have {of(errors, 'error')}; nothing was done")
