"""``lapse pause`` and ``lapse resume``: a rule, a channel, or all that leaves, stands still for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.console import Format, fail, line, out, print_json, table
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in, settings_of
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at
from engine.delivery_settings import known_channels
from engine.runtime.engine import Engine
from engine.runtime.switches import Switch, check_channel

RuleArgument = Annotated[
    str | None, typer.Argument(metavar="RULE", help="The rule's id, as 'lapse rules' shows it.", show_default=False)
]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", metavar="NAME", help="All that goes through a channel.", show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help="All that leaves.")]


def pause(
    rule: RuleArgument = None,
    channel: ChannelOption = None,
    every: AllOption = False,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Pause a rule, a channel, or all that leaves; or show what is paused.

    \b
    lapse pause abandoned-cart
    lapse pause --channel crm
    lapse pause --all
    lapse pause

    A paused rule starts nothing and lets nothing leave; its journeys stay as they are, and triggers
    count for nothing. What left already and failed is tried again all the same: pause its channel to
    stop that. While a channel, or everything, is paused, rules go on deciding, and what is to leave
    waits. Every process on the store holds to it, also after a restart.
    """
    if rule is None and channel is None and not every:
        with opened_in(store, workspace) as engine:
            _show(engine.pauses(), format)
        return
    what, new = _one(rule, channel, every), rule is None
    check_channel(channel, known_channels(settings_of(store, new=new).channels))
    with opened_in(store, workspace, new=new) as engine:
        changed = engine.pause_delivery(channel) if rule is None else engine.pause(rule)
    line(out(), f"{what} is paused" if changed else f"{what} was paused already")


def resume(
    rule: RuleArgument = None,
    channel: ChannelOption = None,
    every: AllOption = False,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Let a paused rule, a channel, or all that leaves, go on.

    \b
    lapse resume abandoned-cart
    lapse resume --channel crm
    lapse resume --all

    What fell due in a rule's pause is decided as after downtime, and what waits is asked again before it
    leaves: an action that is too late by now is not sent. Each pause ends by itself: with --all, channels
    and rules that were paused by name stay so. After 'lapse restore', --all ends the hold in every
    workspace, unless one is named.
    """
    what = _one(rule, channel, every)
    with opened_in(store, workspace) as engine:
        changed = _resumed(engine, rule, channel)
        if every and workspace is None:
            engine.end_restore()
        others = engine.pauses() if every else []
    line(out(), f"{what} goes on" if changed else f"{what} was not paused")
    for one in others:
        line(out(), f"still paused: {named(one)}")


def _resumed(engine: Engine, rule: str | None, channel: str | None) -> bool:
    return engine.resume_delivery(channel) if rule is None else engine.resume(rule)


def _one(rule: str | None, channel: str | None, every: bool) -> str:
    """What one thing was named. Raises Exit when there is none, or more."""
    if (rule is not None) + (channel is not None) + every != 1:
        raise fail("name a rule, a --channel, or say --all")
    if rule is not None:
        return rule
    return "all that leaves" if channel is None else f"channel {channel}"


def named(one: Switch) -> str:
    """What a switch is of, in words."""
    return "all that leaves" if one.kind == "all" else f"{one.kind} {one.name}"


def _show(pauses: list[Switch], format: Format) -> None:
    if format is Format.JSON:
        print_json({"pauses": [one.plain() for one in pauses]})
        return
    if not pauses:
        line(out(), "nothing is paused")
        return
    made = table("Paused", "Since (UTC)", "Why")
    for one in pauses:
        made.add_row(named(one), at(one.since), one.reason)
    out().print(made)
