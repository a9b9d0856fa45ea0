"""``lapse test``: the tests that stand beside rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from engine.cli.console import PROBLEMS, Format, line, of, out, print_json
from engine.cli.findings import print_findings
from engine.cli.options import FormatOption
from engine.config import load_settings
from engine.ruletests import Result, Results, run_tests, sent_text


def rule_tests(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files or folders; the rules of the settings unless given."),
    ] = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Run the tests that stand beside rules.

    \b
    lapse test
    lapse test rules/welcome.test.rules

    A test stands in a *.test.rules file and is run against the rules of its folder. The engine
    itself runs it in memory under a clock of its own: nothing is stored or sent, and
    weeks take no time. Exits with 1 when a test fails.
    """
    results = run_tests(paths or [load_settings().rules])
    if format is Format.JSON:
        print_json(_plain(results))
    else:
        _print(out(), results)
    if not results.ok:
        raise typer.Exit(PROBLEMS)


def _plain(results: Results) -> dict[str, Any]:
    return {
        "passed": len(results.results) - len(results.failed),
        "failed": len(results.failed),
        "tests": [_plain_result(one) for one in results.results],
        "findings": [one.to_dict(source) for source, one in results.errors],
    }


def _plain_result(one: Result) -> dict[str, Any]:
    return {
        "file": one.file,
        "line": one.line,
        "rule": one.case.rule,
        "title": one.title,
        "passed": one.passed,
        "faults": [fault.text for fault in one.faults],
        "why": [fault.why for fault in one.faults],
        "actions": [sent_text(sent) for sent in one.sent],
    }


def _print(console: Console, results: Results) -> None:
    print_findings(console, results.errors)
    for one in results.failed:
        _print_failure(console, one)
    failed, passed = len(results.failed), len(results.results) - len(results.failed)
    counted = f"{of(len(results.results), 'test')} in {of(results.files, 'file')}: "
    if results.ok:
        line(console, counted, (f"{passed:,} passed", "green"))
    else:
        line(console, counted, f"{passed:,} passed, ", (f"{failed:,} failed", "bold red"))


def _print_failure(console: Console, one: Result) -> None:
    line(console, (f"{one.file}:{one.line}: ", "bold"), ("failed", "bold red"), f": {one.title} ({one.case.rule})")
    for fault in one.faults:
        line(console, ("  - ", "red"), fault.text)
        if fault.why is not None:
            line(console, ("    why not: ", "dim"), fault.why)
    line(console, ("  what happened: ", "dim"), _happened([sent_text(sent) for sent in one.sent]))
    console.print()


def _happened(actions: Sequence[str]) -> str:
    return "; ".join(actions) or "nothing"
