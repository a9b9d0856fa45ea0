"""The outcome of a replay for people: the rules side by side, then each with what fired and what was cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from engine.cli.console import line, listing, number, of, table
from engine.cli.words import at, reason
from engine.replay import Action, Report, RuleReport
from engine.runtime.endings import Ending, Endings

FEW = 3
"""Examples of each kind."""

INDENT = 13
"""Columns before what happened: room for the word that says what kind of thing it is."""

FIGURES = ("Started", "Acted", "Cancelled", "Waiting", "People", "Actions")


def print_page(console: Console, report: Report, titles: Mapping[str, str | None], seconds: float) -> None:
    """Everything worth seeing of a replay."""
    until = f" until {at(report.until)} UTC" if report.until is not None else ""
    line(console, f"{of(report.events, 'event')}{until}, replayed in {seconds:.1f} s")
    if left_out := _left_out(report):
        line(console, f"left out: {listing(left_out)}")
    console.print()
    console.print(_overview(report))
    fired = {rule: list(actions) for rule, actions in groupby(_by_rule(report), key=lambda one: one.rule)}
    for one in report.rules:
        _print_rule(console, one, titles.get(one.rule), fired.get(one.rule, []), report.endings[one.rule])


def _left_out(report: Report) -> list[str]:
    """The lines of the log that are no events of the replay, counted by why."""
    counts = {
        "duplicate": report.duplicates,
        "conflict": len(report.conflicts),
        "rejected line": len(report.rejected),
    }
    return [of(count, what) for what, count in counts.items() if count]


def _by_rule(report: Report) -> list[Action]:
    return sorted(report.actions, key=lambda one: one.rule)


def _overview(report: Report) -> Table:
    made = table("Rule", *FIGURES, right=FIGURES)
    for one in report.rules:
        figures = (one.started, one.acted, one.ended, one.waiting, one.people, one.actions)
        made.add_row(one.rule, *map(number, figures))
    return made


def _print_rule(console: Console, rule: RuleReport, title: str | None, fired: list[Action], endings: Endings) -> None:
    console.print()
    line(console, (rule.rule, "bold cyan"), f"  {title}" if title else "")
    if not rule.started:
        line(console, "  no journey started")
    _print_some(console, ("fired", "green"), [(one.at, one.person, one.action) for one in fired[:FEW]], len(fired))
    quiet = [(one.at, one.person, _why(one)) for one in endings.examples[:FEW]]
    _print_some(console, ("cancelled", "yellow"), quiet, rule.ended)
    if len(endings.reasons) > 1:
        counted = "; ".join(f"{count:,} {reason(code)}" for code, count in endings.reasons.items())
        line(console, " " * INDENT, (counted, "dim"))
    if rule.waiting:
        line(console, ("  waiting    ", "blue"), f"{of(rule.waiting, 'journey')} at the end")


def _print_some(console: Console, label: tuple[str, str], rows: Sequence[tuple[int, str, str]], total: int) -> None:
    """The first few of a kind, in columns, and how many more there are."""
    text, style = label
    width = max((len(person) for _, person, _ in rows), default=0)
    for place, (when, person, what) in enumerate(rows):
        head = f"  {text if place == 0 else '':<{INDENT - 2}}"
        line(console, (head, style), f"{at(when):<19}  ", (f"{person:<{width}}", "bold"), f"  {what}")
    if total > len(rows):
        line(console, " " * INDENT, (f"... and {total - len(rows):,} more", "dim"))


def _why(ending: Ending) -> str:
    """The reason and, where an event stood there, its name."""
    by = f" ({', '.join(ending.events)})" if ending.events else ""
    return f"{reason(ending.reason)}{by}, started {at(ending.start)}"
