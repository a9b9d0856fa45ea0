"""``lapse deliveries``: what left, what did not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from engine.cli.console import PROBLEMS, Format, err, line, of, out, print_json, say_older
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in
from engine.cli.options import AfterOption, FormatOption, StoreOption
from engine.cli.words import at, pairs, shown, why
from engine.runtime.deliveries import Asked, Delivery, DeliveryPage, WholeDelivery, check_states
from engine.runtime.engine import Engine

RuleOption = Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Of a rule, by its id.")]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", metavar="CHANNEL", help="That a channel took up, by its name.")
]


def deliveries(  # noqa: PLR0913, PLR0917 - each is an option of the command
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="All that is known of one, by its key.")] = None,
    rule: RuleOption = None,
    person: Annotated[str | None, typer.Option("--person", metavar="ID", help="Of a person, by any id.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE,...", help="In one of these states, such as sent,failed.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="The same as --state dead.")] = False,
    channel: ChannelOption = None,
    action: Annotated[str | None, typer.Option("--action", metavar="NAME", help="Of a name.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Actions on a page.")] = 50,
    after: AfterOption = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show what left, what is to leave, and what was kept from it, newest first.

    \b
    lapse deliveries
    lapse deliveries --rule abandoned-cart --state failed,dead
    lapse deliveries --person u123 --format json
    lapse deliveries act_63ea08ba844adb94b7e4aa6d32652686

    States: held and pending are still to leave, sending is under way, sent has arrived, failed is tried
    again, dead is not, parked may have arrived; cancelled, suppressed and skipped_late never left.
    'lapse redrive' takes up again what is dead.
    """
    asked = Asked(person, rule, _states(state, dead), channel, action, limit, after)
    with opened_in(store, workspace) as engine:
        if key is None:
            _show_page(engine.deliveries(asked), format)
        else:
            if asked != Asked(limit=limit):
                raise typer.BadParameter("one action is asked for by its key alone", param_hint="KEY")
            _show_one(engine, key, format)


def _states(text: str | None, dead: bool) -> tuple[str, ...] | None:
    states = [] if text is None else [one.strip() for one in text.split(",") if one.strip()]
    states += ["dead"] if dead else []
    check_states(states)
    return tuple(dict.fromkeys(states)) or None


# ------------------------------------------------------------------------------------------------ a page


def _show_page(page: DeliveryPage, format: Format) -> None:
    if format is Format.JSON:
        print_json(page.plain())
        return
    console = out()
    if not page.items:
        line(console, "no deliveries")
    for one in page.items:
        line(console, f"{at(one.moment)}  ", (f"{one.rule}  {one.person}  ", "bold"), what(one))
        line(
            console, ("  " + "; ".join([state_told(one), *_progress(one)]), _style(one.state)), ("  " + one.key, "dim")
        )
    say_older(page.after)


def what(one: Delivery) -> str:
    """``send_email "cart" through mail to ann@example.com``."""
    template = "" if one.template is None else f' "{one.template}"'
    channel = "" if one.channel is None else f" through {one.channel}"
    recipient = "" if one.recipient is None else f" to {one.recipient}"
    return f"{one.action}{template}{channel}{recipient}"


def state_told(one: Delivery) -> str:
    """The state with its reason."""
    reason = why(one.reason)
    return one.state.replace("_", " ") + (f": {reason}" if reason else "")


def _progress(one: Delivery) -> Sequence[str]:
    parts = [] if one.attempts == 0 else [of(one.attempts, "attempt")]
    if one.next_attempt_at is not None:
        parts.append(f"{'next' if one.attempts else 'from'} {at(one.next_attempt_at)}")
    return parts if one.error is None else [*parts, one.error]


def _style(state: str) -> str:
    if state in ("dead", "parked"):
        return "red"
    return "yellow" if state == "failed" else ""


# ------------------------------------------------------------------------------------------------ one


def _show_one(engine: Engine, key: str, format: Format) -> None:
    found = engine.delivery(key)
    if found is None:
        line(err(), f"no action has the key '{key}'")
        raise typer.Exit(PROBLEMS)
    if format is Format.JSON:
        print_json(found.plain())
    else:
        _print(out(), found)


def _print(console: Console, found: WholeDelivery) -> None:
    one = found.delivery
    line(console, (what(one), "bold"))
    facts: list[tuple[str, Any]] = [
        ("key", one.key),
        ("state", state_told(one)),
        ("person", one.person),
        ("rule", f"{one.rule}, step {found.step}"),
        ("purpose", found.purpose),
        ("tags", ", ".join(found.tags)),
        ("caused by", ", ".join(found.caused_by)),
        ("decided", at(found.created_at)),
        ("its moment", at(one.moment)),
        ("attempts", str(one.attempts) if one.attempts else ""),
        ("first sent", at(one.left_at)),
        ("next attempt", at(one.next_attempt_at)),
        ("redriven", at(one.redriven_at)),
        ("error", one.error),
        *_sealed(found),
    ]
    for name, value in facts:
        if value:
            line(console, (f"  {name:<14}", "dim"), value)
    for name, value in found.variables.items():
        line(console, (f"  {name:<14}", "dim"), pairs(value) if isinstance(value, dict) else shown(value))


def _sealed(found: WholeDelivery) -> list[tuple[str, Any]]:
    seen = found.sealed
    if seen is None:
        return []
    size = f"{seen['type']}, {seen['bytes']:,} bytes"
    content = "" if seen["content"] is None else shown(seen["content"])
    return [("sent as", size), ("subject", seen["subject"]), ("to", seen["to"]), ("content", content)]
