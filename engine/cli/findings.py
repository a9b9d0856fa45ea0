"""Findings of the rule reader, with their carets in colour."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from engine.language import Diagnostic
from engine.language.source import Source

STYLES = {"error": "bold red", "warning": "bold yellow"}


def print_findings(console: Console, findings: Iterable[tuple[Source, Diagnostic]]) -> None:
    """Every finding with its place, its line and what to do, a blank line after each."""
    for source, finding in findings:
        console.print(coloured(finding, source), soft_wrap=True)
        console.print()


def coloured(finding: Diagnostic, source: Source) -> Text:
    """What :meth:`Diagnostic.render` says, in colour."""
    style = STYLES[finding.severity]
    head, shown, caret, *more = finding.render(source).split("\n")
    place, severity, rest = head.partition(f" {finding.severity}: ")
    text = Text()
    text.append(place, "bold").append(severity, style).append(rest)
    text.append("\n").append(_gutter(shown))
    text.append("\n").append(_gutter(caret, style))
    for line in more:
        text.append("\n").append(line, "cyan")
    return text


def _gutter(line: str, style: str = "") -> Text:
    bar = line.index("|") + 1
    return Text.assemble((line[:bar], "blue"), (line[bar:], style))
