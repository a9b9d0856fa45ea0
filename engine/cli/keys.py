"""``lapse keys``: who may use the HTTP service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from engine.access import SPELLINGS, Role, scopes_named
from engine.api import spellings
from engine.cli.console import Format, err, fail, line, out, print_json, table
from engine.cli.opening import opened_in
from engine.cli.options import FormatOption, StoreOption
from engine.cli.words import at
from engine.clock import WallClock, iso
from engine.durations import in_micros, parse_duration
from engine.errors import RefusedError
from engine.runtime.engine import Engine
from engine.runtime.keyring import Keyring
from engine.store.keys import KeyRow
from engine.timestamps import parse_timestamp

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

WorkspaceOption = Annotated[
    str | None,
    typer.Option("--workspace", metavar="NAME", help="The workspace; the settings' unless given.", show_default=False),
]


@keys.callback()
def _keys() -> None:
    """Make keys for the HTTP service, list them, revoke them.

    \b
    lapse keys create --role owner
    """


@keys.command()
def create(
    role: Annotated[Role | None, typer.Option("--role", help="What the key may do, as a bundle.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="A single thing it may do, several times.")
    ] = None,
    workspace: WorkspaceOption = None,
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="WHEN", help="A length such as '90 days', or a moment with its offset."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="A name to know it by.")] = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Make a key and print it, once.

    \b
    lapse keys create --role owner
    lapse keys create --role agent --workspace acme --expires "90 days"
    lapse keys create --scope event:create --name "the shop's pages"

    Owner: everything. Admin: everything but keys. Agent: events, event types and reading. A key
    that stands in web pages must have the scope event:create alone. The key cannot be shown again.
    """
    scopes = scopes_named(scope or ())
    if role is None and not scopes:
        known = ", ".join(sorted(SPELLINGS))
        raise fail(f"a key needs a --role ({', '.join(Role)}) or at least one --scope ({known})")
    ends = None if expires is None else _end(expires, WallClock().now())
    with _keyring(store, workspace, new=True) as (keyring, engine):
        now = engine.clock.now()
        row, text = keyring.create(engine.workspace, now, role=role, scopes=scopes, name=name, expires_at=ends)
    if format is Format.JSON:
        print_json({"key": text, **_plain(row)})
        return
    typer.echo(text)
    line(err(), (f"{spellings.key(row.public_id)}: keep the key, it cannot be shown again", "dim"))


@keys.command("list")
def list_keys(workspace: WorkspaceOption = None, store: StoreOption = None, format: FormatOption = Format.TEXT) -> None:
    """List a workspace's keys, without their secrets.

    \b
    lapse keys list
    lapse keys list --workspace acme --format json
    """
    with _keyring(store, workspace) as (keyring, engine):
        rows, now = keyring.of_workspace(engine.workspace), engine.clock.now()
    if format is Format.JSON:
        print_json({"keys": [_plain(one) for one in rows]})
        return
    made = table("Key", "Name", "May", "Created (UTC)", "Last used", "State")
    for one in rows:
        made.add_row(
            spellings.key(one.public_id),
            one.name or "",
            _may(one),
            at(one.created_at),
            at(one.last_used_at),
            _state(one, now),
        )
    out().print(made)


@keys.command()
def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as 'lapse keys list' shows it.")],
    workspace: WorkspaceOption = None,
    store: StoreOption = None,
) -> None:
    """Take a key out of use, for good and at once.

    \b
    lapse keys revoke key_01HV8ZB8C3V5N6M7P8Q9R0S1T2
    """
    public_id = spellings.read(id, spellings.Kind.KEY)
    with _keyring(store, workspace) as (keyring, engine):
        if public_id is None or not keyring.revoke(engine.workspace, public_id, engine.clock.now()):
            raise fail(f"no key in use has the id '{id}' in this workspace; 'lapse keys list' shows them")
    line(out(), f"{id} is revoked")


@contextmanager
def _keyring(store: str | None, workspace: str | None, *, new: bool = False) -> Iterator[tuple[Keyring, Engine]]:
    with opened_in(store, workspace, new=new) as engine:
        yield Keyring(engine.desk), engine


def _end(text: str, now: int) -> int:
    """A moment in the future, as a length from now or by itself."""
    try:
        ends = now + in_micros(parse_duration(text))
    except (ValueError, RefusedError):
        try:
            ends = parse_timestamp(text)
        except RefusedError as error:
            raise typer.BadParameter(error.reason, param_hint="--expires") from None
    if ends <= now:
        raise typer.BadParameter("that is over already", param_hint="--expires")
    return ends


def _plain(row: KeyRow) -> dict[str, Any]:
    moments = {
        name: None if (when := getattr(row, name)) is None else iso(when)
        for name in ("created_at", "expires_at", "revoked_at", "last_used_at")
    }
    return {
        "id": spellings.key(row.public_id),
        "name": row.name,
        "role": row.role,
        "scopes": json.loads(row.scopes),
        **moments,
    }


def _may(row: KeyRow) -> str:
    return ", ".join([*([row.role] if row.role else ()), *json.loads(row.scopes)])


def _state(row: KeyRow, now: int) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is None:
        return "in use"
    return "expired" if row.expires_at <= now else f"until {at(row.expires_at)}"
