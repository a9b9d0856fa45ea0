"""``lapse rules``: what is live, and what it has done so far."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.text import Text

from engine.cli.console import Format, err, line, number, out, print_json, table
from engine.cli.opening import load, moves_told, opened
from engine.cli.options import FormatOption, MigrateOption, RulesOption, StoreOption
from engine.cli.words import NOTES
from engine.runtime.sight import RuleCounts


def rules(
    store: StoreOption = None,
    rules: RulesOption = None,
    migrate: MigrateOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what is live and what it has done.

    \b
    lapse rules
    lapse rules --format json
    lapse rules --rules rules/ --migrate

    With --rules, those are made the live ones first.
    """
    if migrate and not rules:
        raise typer.BadParameter("it says what becomes of journeys when rules are loaded", param_hint="--migrate")
    with opened(store) as engine:
        if rules:
            load(engine, rules, migrate=migrate)
            for told in moves_told(engine):
                line(err(), told)
        engine.settle()
        counts = engine.counts_by_rule()
    if format is Format.JSON:
        print_json({"rules": {one.rule: _plain(one) for one in counts}})
    else:
        _print(counts)


def _plain(one: RuleCounts) -> dict[str, object]:
    return {name: value for name, value in one.plain().items() if name != "rule"}


def _print(counts: Sequence[RuleCounts]) -> None:
    console = out()
    if not counts:
        line(console, "no rule is live; 'lapse run' makes those of a folder live")
        return
    figures = ("Started", "Acted", "Cancelled", "Waiting", "People", "Sent", "To send", "Failed")
    made = table("Rule", *figures, right=figures)
    for one in counts:
        box = one.outbox
        sent = box.get("sent", 0)
        to_send = sum(box.get(name, 0) for name in ("held", "pending", "sending"))
        failed = sum(box.get(name, 0) for name in ("failed", "dead", "parked"))
        row = (one.started, one.acted, one.ended, one.waiting, one.people, sent, to_send, failed)
        made.add_row(Text.assemble(one.rule, (" (paused)" if one.paused else "", "yellow")), *map(number, row))
    console.print(made)
    for one in counts:
        for name, count in sorted(one.notes.items()):
            line(console, f"  {one.rule}: {count:,} {NOTES.get(name, name)}")
