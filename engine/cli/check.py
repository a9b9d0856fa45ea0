"""``lapse check``: everything wrong or doubtful in rule files and templates, in one go."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from engine import checking
from engine.cli.console import PROBLEMS, Format, line, listing, of, out, print_json
from engine.cli.findings import print_findings
from engine.cli.options import FormatOption, StoreOption
from engine.clock import WallClock, moment
from engine.config import Settings, load_settings
from engine.delivery.templates import looked_over
from engine.runtime.catalogue import joined, learnt
from engine.runtime.rulefiles import catalog_of


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files or folders; the rules of the settings unless given."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems.")] = False,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", metavar="FOLDER", help="The folder of templates; the settings' unless given."),
    ] = None,
    store: StoreOption = None,
    no_store: Annotated[
        bool, typer.Option("--no-store", help="Do not look into the store for names of events, fields and attributes.")
    ] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Look rules over for mistakes.

    \b
    lapse check
    lapse check rules/welcome.rules --strict
    lapse check rules/ --templates mails/ --format json

    Shows every error and warning of every file, of rules, of their tests and of templates, in one
    go; and names in lapse.toml that no rule has, where its rules are looked through. Needs no secrets:
    'lapse doctor' looks whether channels can work. Names of events, fields and attributes are
    held against those in the store, where there is one; without one, against the other
    rules. Exits with 1 when there are errors.
    """
    settings = _settings(templates, store)
    catalog = joined([catalog_of(settings), None if no_store else learnt(settings)])
    templates_of = partial(looked_over, settings)
    checked = checking.check(
        paths or [settings.rules], catalog, templates_of, settings, moment(WallClock().now()).date()
    )
    if format is Format.JSON:
        print_json(checked.plain())
    else:
        _print(checked)
    if checked.errors or (strict and checked.warnings):
        raise typer.Exit(PROBLEMS)


def _settings(templates: Path | None, store: str | None) -> Settings:
    settings = load_settings() if store is None else load_settings(store=store)
    if templates is None:
        return settings
    if not templates.is_dir():
        raise typer.BadParameter(f"there is no folder at '{templates}'", param_hint="--templates")
    return settings.model_copy(update={"templates": settings.templates.model_copy(update={"folder": templates})})


def _print(checked: checking.Checked) -> None:
    console = out()
    print_findings(console, checked.findings)
    looked = [of(checked.rules, "rule")]
    if checked.cases:
        looked.append(of(checked.cases, "test"))
    told = f"{listing(looked)} in {of(checked.files, 'file')}"
    if checked.templates:
        told += f", {of(checked.templates, 'file')} of templates"
    line(console, f"{told}: ", *_verdict(checked))


def _verdict(checked: checking.Checked) -> list[str | tuple[str, str]]:
    errors, warnings = of(checked.errors, "error"), of(checked.warnings, "warning")
    if checked.errors:
        return [(errors, "bold red"), ", ", (warnings, "yellow" if checked.warnings else "")]
    if checked.warnings:
        return [(f"no errors, {warnings}", "yellow")]
    return [("all is well", "green")]
