"""``lapse types``: the event types of a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.console import Format, fail, line, of, out, print_json, table
from engine.cli.keys import WorkspaceOption
from engine.cli.opening import opened_in, settings_of
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at
from engine.errors import RefusedError
from engine.runtime.engine import Engine
from engine.runtime.types import EventType, Types
from engine.store.store import missing_file
from engine.strict_json import parse_json

PAGE = 500

IN_MEMORY = "sqlite://"

types = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@types.callback()
def list_types(
    context: typer.Context, workspace: WorkspaceOption = None, store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:  # fmt: skip
    """Show the event types of a workspace; make and delete them.

    \b
    lapse types
    lapse types --format json
    lapse types create order.paid --schema order.json --description "Customer paid for an order."
    lapse types delete order.paid

    Names that come in without a type make one by themselves.
    """
    if context.invoked_subcommand is not None:
        return
    with opened_in(store, workspace) as engine:
        found = list(_every(engine.types))
    if format is Format.JSON:
        print_json({"types": [one.plain() for one in found]})
        return
    made = table("Event", "Description", "Schema", "Kind", "Created (UTC)", "Better named")
    for one in found:
        made.add_row(
            one.name,
            one.description or "",
            _told(one.schema),
            "predefined" if one.predefined else "custom",
            at(one.created_at),
            one.suggested_name or "",
        )
    out().print(made)


@types.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The event's name, as it is sent.")],
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE", help="A file with the JSON Schema of its properties."),
    ] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it means.")] = None,
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Make an event type. With a schema, events that are not what it takes are refused from now on.

    \b
    lapse types create order.paid --schema order.json
    """
    given = None if schema is None else _read(schema)
    if missing_file(settings_of(store, new=True).store) is not None:
        with opened_in(IN_MEMORY, None, new=True) as trial:  # what is refused makes no store
            _create(trial, name, given, description)
    with opened_in(store, workspace, new=True) as engine:
        made = _create(engine, name, given, description)
    line(out(), f"the event type '{made.name}' is there: {made.id}")


def _create(engine: Engine, name: str, schema: Any, description: str | None) -> EventType:
    try:
        return engine.types.create(name, schema=schema, description=description)
    except RefusedError as error:
        raise fail(error.reason) from None


@types.command()
def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name or its id.")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Delete an event type of which no event is stored.

    \b
    lapse types delete order.paid
    """
    with opened_in(store, workspace) as engine:
        engine.types.delete(name)
    line(out(), f"the event type '{name}' is gone")


def _every(kept: Types) -> Iterator[EventType]:
    page = kept.list(limit=PAGE)
    yield from page.types
    while page.after is not None:
        page = kept.list(after=page.after, limit=PAGE)
        yield from page.types


def _read(path: Path) -> Any:
    """A JSON file; whether it is a schema is not for here to say."""
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise fail(f"'{path}' cannot be read: {error.strerror}") from None
    except RefusedError as error:
        raise fail(f"'{path}': {error.reason}") from None


def _told(schema: dict[str, Any] | None) -> str:
    """The fields a schema names, required ones first."""
    if schema is None:
        return ""
    required = schema.get("required", [])
    named = [*required, *(name for name in schema.get("properties", {}) if name not in required)]
    return ", ".join(named) if len(named) <= 6 else of(len(named), "field")
