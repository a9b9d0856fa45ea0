"""``lapse check``: everything wrong or doubtful in rule files, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine import checking
from engine.cli.console import PROBLEMS, Format, line, of, out, print_json
from engine.cli.findings import print_findings
from engine.cli.options import FormatOption
from engine.config import load_settings
from engine.runtime.rulefiles import catalog_of


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files or folders; the rules of the settings unless given."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as problems.")] = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Look rules over for mistakes.

    \b
    lapse check
    lapse check rules/welcome.rules --strict
    lapse check rules/ --format json

    Shows every error and warning of every file, of rules and of their tests, in one go. Exits with
    1 when there are errors.
    """
    settings = load_settings()
    checked = checking.check(paths or [settings.rules], catalog_of(settings))
    if format is Format.JSON:
        print_json(checked.plain())
    else:
        _print(checked)
    if checked.errors or (strict and checked.warnings):
        raise typer.Exit(PROBLEMS)


def _print(checked: checking.Checked) -> None:
    console = out()
    print_findings(console, checked.findings)
    looked = of(checked.rules, "rule")
    if checked.cases:
        looked += f" and {of(checked.cases, 'test')}"
    line(console, f"{looked} in {of(checked.files, 'file')}: ", *_verdict(checked))


def _verdict(checked: checking.Checked) -> list[str | tuple[str, str]]:
    errors, warnings = of(checked.errors, "error"), of(checked.warnings, "warning")
    if checked.errors:
        return [(errors, "bold red"), ", ", (warnings, "yellow" if checked.warnings else "")]
    if checked.warnings:
        return [(f"no errors, {warnings}", "yellow")]
    return [("all is well", "green")]
