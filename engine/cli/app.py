"""The verbs put together, and what becomes of errors."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from engine.cli.addresses import addresses
from engine.cli.check import check
from engine.cli.console import fail
from engine.cli.deliveries import deliveries
from engine.cli.doctor import doctor
from engine.cli.erase import erase
from engine.cli.events import events
from engine.cli.ingest import ingest
from engine.cli.keys import keys
from engine.cli.pause import pause, resume
from engine.cli.person import person
from engine.cli.preview import preview
from engine.cli.quarantine import quarantine
from engine.cli.redrive import redrive
from engine.cli.replay import replay
from engine.cli.rules import rules
from engine.cli.run import run
from engine.cli.serve import serve
from engine.cli.test import rule_tests
from engine.cli.types import types
from engine.cli.workspaces import workspaces
from engine.errors import LapseError

VERBS: dict[str, Callable[..., None]] = {
    "run": run,
    "serve": serve,
    "replay": replay,
    "check": check,
    "test": rule_tests,
    "preview": preview,
    "ingest": ingest,
    "rules": rules,
    "pause": pause,
    "resume": resume,
    "person": person,
    "erase": erase,
    "events": events,
    "deliveries": deliveries,
    "redrive": redrive,
    "doctor": doctor,
}
"""In the order of the help page."""

GROUPS: dict[str, typer.Typer] = {
    "addresses": addresses,
    "types": types,
    "quarantine": quarantine,
    "keys": keys,
    "workspaces": workspaces,
}
"""Nouns with verbs of their own; they come last."""


class Verbs(TyperGroup):
    """Ends with a plain sentence where a verb meets an error that is meant for people."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except LapseError as error:
            raise fail(str(error)) from None

    def list_commands(self, _ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(self.commands)


app = typer.Typer(
    name="lapse",
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lapse {version()}")
        raise typer.Exit


def version() -> str:
    """The installed version of Lapse."""
    try:
        return metadata.version("lapse")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@app.callback()
def lapse(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """A rules engine for customer journeys: for what people do, and for what they don't.

    \b
    lapse check                          look rules over for mistakes
    lapse replay log.jsonl --rules rules what would rules have done to a log?
    lapse run                            decide and act by the clock until stopped
    lapse serve                          the same, and take events in over HTTP
    lapse ingest events.jsonl            take a file of events in
    lapse rules                          what is live, and what has it done?

    Settings come from options, else from the environment (LAPSE_STORE, LAPSE_RULES, ...), else
    from lapse.toml in the working directory. Exit codes: 0 all is well, 1 problems were found,
    2 it could not be done.
    """


for name, verb in VERBS.items():
    app.command(name)(verb)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """The entry point."""
    app()
