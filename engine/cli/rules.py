"""``lapse rules``: what is live, and what it has done so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from engine.cli.console import Format, err, fail, line, number, out, print_json, table, warn
from engine.cli.opening import load, moves_told, opened, readable_rules, refuse_errors, settings_of
from engine.cli.options import FormatOption, MigrateOption, RulesOption, StoreOption
from engine.cli.words import NOTES, at, shown, why
from engine.config import Settings
from engine.errors import did_you_mean
from engine.runtime.sight import FaultCounts, RuleCounts

PATIENCE = 0.3
"""Seconds to wait for others that write, besides the turn that is waited for then."""

TO_SEND = ("held", "pending", "sending")
"""States of actions that have still to arrive for the first time."""


def rules(
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="All figures of one, by its id.")] = None,
    store: StoreOption = None,
    rules: RulesOption = None,
    migrate: MigrateOption = False,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what is live and what it has done.

    \b
    lapse rules
    lapse rules abandoned-cart
    lapse rules --format json
    lapse rules --rules rules/ --migrate

    With --rules, those are made the live ones first. Of a rule with a goal and a holdout, the share of
    journeys that acted and reached the goal stands beside the holdout's.
    """
    if migrate and not rules:
        raise typer.BadParameter("it says what becomes of journeys when rules are loaded", param_hint="--migrate")
    if rules:
        _check(settings_of(store, new=True), rules, rule)
    with opened(store, new=bool(rules)) as engine:
        if rules:
            load(engine, rules, migrate=migrate)
            for told in moves_told(engine):
                line(err(), told)
        if not engine.settle(PATIENCE):
            warn("other processes write all the time: events nobody has looked at yet are left out of these figures")
        counts = engine.counts_by_rule()
    if rule is not None:
        counts = [_named(counts, rule)]
    if format is Format.JSON:
        print_json({"rules": {one.rule: _plain(one) for one in counts}})
    elif rule is not None:
        _print_one(out(), counts[0])
    else:
        _print(out(), counts)


def _check(settings: Settings, paths: Sequence[Path], rule: str | None) -> None:
    """Stop before anything goes live if the files have an error, or none of them has the rule that was asked for."""
    found = readable_rules(settings, paths)
    refuse_errors(found)
    if rule is not None and found.readings:
        _refuse_unknown(rule, [program.id for program in found.programs])


def _refuse_unknown(rule: str, known: Sequence[str]) -> None:
    if rule not in known:
        raise fail(f"no rule '{rule}' is live; {did_you_mean(rule, known, 'lapse rules shows those that are')}")


def _named(counts: Sequence[RuleCounts], rule: str) -> RuleCounts:
    found = {one.rule: one for one in counts}
    _refuse_unknown(rule, list(found))
    return found[rule]


def _plain(one: RuleCounts) -> dict[str, object]:
    return {name: value for name, value in one.plain().items() if name != "rule"}


# ------------------------------------------------------------------------------------------------ all


def _print(console: Console, counts: Sequence[RuleCounts]) -> None:
    if not counts:
        line(console, "no rule is live; 'lapse run' makes those of a folder live")
        return
    figures = ("Started", "Acted", "Cancelled", "Waiting", "People", "Sent", "To send", "Failed")
    made = table("Rule", *figures, right=figures)
    for one in counts:
        row = (one.started, one.acted, one.ended, one.waiting, one.people, one.delivered, _to_send(one), one.failed)
        made.add_row(Text.assemble(one.rule, (" (paused)" if one.paused else "", "yellow")), *map(number, row))
    console.print(made)
    for one in counts:
        for told in _told(one):
            line(console, f"  {one.rule}: {told}")


def _told(one: RuleCounts) -> Iterator[str]:
    """What no column holds."""
    if one.paused:
        yield _pause(one)
    if one.conversion_rate is not None:
        beside = "" if one.held_out_rate is None else f", {share(one.held_out_rate)} of the holdout"
        yield f"{share(one.conversion_rate)} reached the goal{beside}"
    if one.set_aside:
        yield f"{one.set_aside:,} set aside because it fails for them; 'lapse rules {one.rule}' shows the errors"
    if one.suppressed:
        yield f"{one.suppressed:,} suppressed: {_by_reason(one.suppressed_by)}"
    for name, count in sorted(one.notes.items()):
        yield f"{count:,} {NOTES.get(name, name)}"
    for met in one.misread:
        yield met.sentence


# ------------------------------------------------------------------------------------------------ one


def _print_one(console: Console, one: RuleCounts) -> None:
    line(console, (one.rule, "bold"), "" if one.title is None or one.title == one.rule else f"  {one.title}")
    held_out = f", {one.held_out_acted:,} of them in the holdout" if one.held_out_acted else ""
    facts = [
        ("paused", _pause(one).removeprefix("paused ") if one.paused else ""),
        ("started", f"{one.started:,}"),
        ("acted", f"{one.acted:,}{held_out}"),
        ("cancelled", f"{one.ended:,}"),
        ("waiting", f"{one.waiting:,}"),
        ("exited", f"{one.exited:,}"),
        ("people", f"{one.people:,}"),
        ("held out", f"{one.held_out:,}" if one.held_out else ""),
        ("sent", f"{one.delivered:,}"),
        ("to send", f"{_to_send(one):,}"),
        ("failed", _with(one.failed, {state: one.outbox.get(state, 0) for state in ("failed", "dead", "parked")})),
        ("suppressed", _with(one.suppressed, {why(code): times for code, times in one.suppressed_by.items()})),
        ("too late", f"{one.outbox['skipped_late']:,}" if "skipped_late" in one.outbox else ""),
        ("goal", _goal(one.converted, one.acted - one.held_out_acted, one.conversion_rate)),
        ("holdout", _goal(one.held_out_converted, one.held_out_acted, one.held_out_rate)),
        ("uplift", "" if one.uplift is None else f"{one.uplift:+.1f} percentage points"),
        *((NOTES.get(name, name), f"{count:,}") for name, count in sorted(one.notes.items())),
        ("set aside", f"{one.set_aside:,}" if one.set_aside else ""),
        *(("error", _fault(fault)) for fault in one.faults),
    ]
    shown = [(name, value) for name, value in facts if value]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        line(console, (f"  {name:<{width}}  ", "dim"), value)
    for met in one.misread:
        line(console, ("  misread  ", "yellow"), met.sentence)


def _fault(one: FaultCounts) -> str:
    people = "1 person" if one.people == 1 else f"{one.people:,} people"
    again = "not tried again while the rule is paused" if one.next_at is None else f"tried again at {at(one.next_at)}"
    examples = ", ".join(map(shown, one.examples))
    return f"{one.error} ({one.stage}), since {at(one.since)}: {people}, such as {examples}; {again}"


def share(rate: float) -> str:
    """``12.5 %``."""
    return f"{100 * rate:.1f} %"


def _goal(converted: int, of: int, rate: float | None) -> str:
    return "" if rate is None else f"{converted:,} of {of:,}, {share(rate)}"


def _with(count: int, parts: Mapping[str, int]) -> str:
    told = ", ".join(f"{name} {times:,}" for name, times in parts.items() if times)
    return f"{count:,}: {told}" if told else f"{count:,}"


def _by_reason(times: Mapping[str, int]) -> str:
    return ", ".join(f"{why(code)} {count:,}" for code, count in sorted(times.items()))


def _pause(one: RuleCounts) -> str:
    return f"paused since {at(one.paused_since)}: {one.paused_why}"


def _to_send(one: RuleCounts) -> int:
    return sum(one.outbox.get(state, 0) for state in TO_SEND)
