"""The verbs put together, and what becomes of errors."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from engine.cli.verbs import VERBS, Verb
from engine.errors import LapseError
from engine.extras import reinstall
from engine.version import VERSION

_VERBS: Final = {verb.name: verb for verb in VERBS}


class Verbs(TyperGroup):
    """Imports a verb when it is called, and ends with a plain sentence where it meets an error meant for people."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {verb.name: TyperCommand(verb.name, short_help=verb.summary) for verb in VERBS}

    def get_command(self, _ctx: typer.Context, name: str) -> Any:  # type: ignore[override]
        return None if name not in _VERBS else command(_VERBS[name])

    def format_commands(self, _ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        with formatter.section("Commands"):
            formatter.write_dl([(verb.name, verb.summary) for verb in VERBS])

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except LapseError as error:
            from engine.cli.console import fail

            raise fail(str(error)) from None
        except ModuleNotFoundError as error:
            from engine.cli.console import fail

            raise fail(reinstall(error)) from None


@cache
def command(verb: Verb) -> Any:
    """Return the command of a verb, or the group of commands of a noun, imported now."""
    target = getattr(import_module(f"engine.cli.{verb.module}"), verb.attribute)
    holder = typer.Typer(**_PLAIN)
    if isinstance(target, typer.Typer):
        holder.add_typer(target, name=verb.name)
    else:
        holder.command(verb.name)(target)
    made = typer.main.get_command(holder)
    return made.commands[verb.name] if isinstance(made, TyperGroup) else made


_PLAIN: Final[dict[str, Any]] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}

app = typer.Typer(
    name="lapse",
    cls=Verbs,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    **_PLAIN,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lapse {VERSION}")
        raise typer.Exit


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
