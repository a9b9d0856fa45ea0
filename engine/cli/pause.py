"""``lapse pause`` and ``lapse resume``: a rule stands still for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.console import line, out
from engine.cli.opening import opened
from engine.cli.options import StoreOption

RuleArgument = Annotated[str, typer.Argument(metavar="RULE", help="The rule's id, as 'lapse rules' shows it.")]


def pause(rule: RuleArgument, store: StoreOption = None) -> None:
    """Pause a rule: it starts and sends nothing until it is resumed.

    \b
    lapse pause abandoned-cart

    Its journeys stay as they are, and triggers count for nothing. Every process on the store holds to
    it, also after a restart.
    """
    with opened(store) as engine:
        changed = engine.pause(rule)
    line(out(), f"{rule} is paused" if changed else f"{rule} was paused already")


def resume(rule: RuleArgument, store: StoreOption = None) -> None:
    """Let a paused rule go on.

    \b
    lapse resume abandoned-cart

    What fell due meanwhile is decided as after downtime: an action that is too late by now is not sent.
    """
    with opened(store) as engine:
        changed = engine.resume(rule)
    line(out(), f"{rule} goes on" if changed else f"{rule} was not paused")
