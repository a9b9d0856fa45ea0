"""``lapse preview``: a message as it would go to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import ROUNDED
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from engine.cli.console import PROBLEMS, Format, err, fail, line, listing, out, print_json, warn
from engine.cli.opening import opened
from engine.cli.options import FormatOption, StoreOption
from engine.cli.person import nobody
from engine.cli.tamed import tamed
from engine.cli.words import at, shown, why
from engine.clock import iso
from engine.config import Settings
from engine.delivery.addresses import destination
from engine.delivery.channels import Message, Outgoing, SendError
from engine.delivery.email import checked
from engine.delivery.templates import Templates, mail_channel
from engine.delivery_settings import EmailSettings
from engine.errors import RefusedError
from engine.language.suggest import nearest
from engine.runtime.previewing import Previewed
from engine.strict_json import parse_json
from engine.templates.folder import Folder

if TYPE_CHECKING:
    from engine.templates.rendering import Rendered


def preview(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="The template, as rules name it.")],
    person: Annotated[
        str, typer.Option("--person", metavar="ID", help="A user id, else an anonymous id, else a contact.")
    ],
    rule: Annotated[
        str | None,
        typer.Option("--rule", metavar="RULE", help="The rule it is sent by; the first that names it unless given."),
    ] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=VALUE", help="An argument in place of the rule's. Several if need be."),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option("--trigger", metavar="JSON", help="The event in place of the person's last: '{\"total\": 80}'."),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="LANGUAGE", help="In place of the person's, such as 'pl'.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", "--output", metavar="FILE", help="Write the HTML to a file.")
    ] = None,
    store: StoreOption = None,
    format: FormatOption = Format.TEXT,
) -> None:
    """Show a message as it would go to a person.

    \b
    lapse preview welcome --person u123
    lapse preview welcome --person u123 --language pl --html welcome.html
    lapse preview winback_price --person u123 --with discount=30

    The rule is one that is live, the event its trigger's last of the person. Nothing is sent. Exits
    with 1 when nobody has this id, the template writes out what is unknown, or the message would
    not go: for want of an address, consent or a place under a cap, or because the address bounced.
    """
    given, fields = _arguments(arguments or ()), _fields(trigger)
    with opened(store) as engine:
        settings = engine.settings
        _refuse_missing(settings, template)
        found = engine.preview(template, person, rule=rule, fields=fields)
    if found is None:
        raise nobody(person)
    variables = {**found.variables, "with": {**found.variables["with"], **given}}
    if language is not None:
        variables["variant"] = language
    action = _action(settings, template, found, variables)
    made = Templates(settings.templates).rendered(action)
    assert made is not None
    if html is not None:
        _write(made, html)
    channel = _mail(settings, found)
    to = variables.get("to") if channel is None else destination(variables)
    kept = _kept(found, None if channel is None else action, made)
    told = _Told(found, made, to, None if channel is None else channel.sender, html, kept)
    if format is Format.JSON:
        print_json(told.plain())
    else:
        _print(out(), told)
    if made.missing:
        warn(f"unknown, and so empty: {listing(made.missing)}")
    if kept is not None:
        warn(f"it would not go: {kept}")
    if made.missing or kept is not None:
        raise typer.Exit(PROBLEMS)


@dataclass(frozen=True)
class _Told:
    """All there is to say of a message; ``kept`` is why it would not go."""

    found: Previewed
    made: Rendered
    to: Any
    sender: str | None
    file: Path | None
    kept: str | None

    def plain(self) -> dict[str, Any]:
        trigger = self.found.trigger
        return {
            "template": self.made.wording.name,
            "language": self.made.wording.language,
            "person": self.found.person,
            "rule": self.found.rule,
            "action": self.found.action,
            "trigger": None if trigger is None else {"event": trigger.name, "at": iso(trigger.at)},
            "from": self.sender,
            "to": self.to,
            "subject": self.made.subject,
            "text": self.made.text,
            "html": self.made.html,
            "unknown": list(self.made.missing),
            "kept": self.kept,
        }


def _arguments(pairs: Sequence[str]) -> dict[str, Any]:
    """``["discount=30"]`` as arguments: numbers, true and false as such, anything else as text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"'{pair}' is not NAME=VALUE", param_hint="--with")
        try:
            found[name] = parse_json(value)
        except RefusedError:
            found[name] = value
    return found


def _fields(text: str | None) -> Mapping[str, Any] | None:
    """The fields of an event, given as they are or as an event with ``properties``."""
    if text is None:
        return None
    try:
        found = parse_json(text)
    except RefusedError as error:
        raise typer.BadParameter(error.reason, param_hint="--trigger") from None
    if isinstance(found, dict) and isinstance(found.get("properties"), dict) and "event" in found:
        found = found["properties"]
    if not isinstance(found, dict):
        raise typer.BadParameter("it is no JSON object, such as '{\"total\": 80}'", param_hint="--trigger")
    return found


def _refuse_missing(settings: Settings, template: str) -> None:
    folder = Folder(settings.templates.folder)
    if not folder.wordings(template):
        near = nearest(template, folder.names())
        advice = f"did you mean '{near}'?" if near else "name one as rules do, without an ending"
        raise fail(f"there is no template '{template}' in '{folder.path}'; {advice}")


def _action(settings: Settings, template: str, found: Previewed, variables: dict[str, Any]) -> Outgoing:
    base = settings.delivery.public_url
    linked = base is not None and found.purpose != "transactional"
    return Outgoing(
        key="preview",
        rule=found.rule or "",
        person=found.person,
        step="preview",
        action=found.action or "",
        template=template,
        moment=found.moment,
        attempt=1,
        variables=variables,
        purpose=found.purpose,
        unsubscribe_url=f"{base}/unsubscribe/preview" if linked else None,
    )


def _mail(settings: Settings, found: Previewed) -> EmailSettings | None:
    """The channel it would go out by, where it is mail."""
    return mail_channel(settings, found.action) if found.action is not None else None


def _kept(found: Previewed, mail: Outgoing | None, made: Rendered) -> str | None:
    """Why it would not go: what the person and the settings say, else what sending says of a ``mail``."""
    if found.kept is not None:
        return why(found.kept)
    if mail is not None:
        try:
            checked(replace(mail, message=Message(made.subject, made.text, made.html)))
        except SendError as error:
            return str(error)
    return None


def _write(made: Rendered, file: Path) -> None:
    if made.html is None:
        raise fail(f"the template '{made.wording.name}' has no HTML to write")
    try:
        file.write_text(made.html, encoding="utf-8")
    except OSError as error:
        raise fail(f"'{file}' cannot be written: {error.strerror}") from None


def _print(console: Console, told: _Told) -> None:
    made, trigger = told.made, told.found.trigger
    for name, value in (("From", told.sender), ("To", told.to), ("Subject", made.subject)):
        if value is not None:
            line(console, (f"{name}: ", "dim"), (shown(value), "bold" if name == "Subject" else ""))
    body = made.text if made.text is not None else made.html
    title = "text" if made.text is not None else "HTML"
    console.print(Panel(Text(tamed((body or "").strip("\n"))), title=title, title_align="left", box=ROUNDED))
    if made.html is not None and made.text is not None and told.file is None:
        line(console, ("there is HTML too; --html FILE writes it to a file", "dim"))
    if told.file is not None:
        line(console, f"the HTML is in {told.file}")
    by = f"as by the rule '{told.found.rule}'" if told.found.rule else "no live rule names it"
    after = f", after {trigger.name or 'the event given'} at {at(trigger.at)} UTC" if trigger is not None else ""
    line(err(), (f"{by}{after}", "dim"))
