"""From an action that names a template to the message that goes out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from engine.config import Settings
from engine.delivery.channels import Message, Outgoing, SendError
from engine.delivery_settings import EmailSettings, TemplateSettings
from engine.language import Reading
from engine.templates.checking import Looked, look_over
from engine.templates.faults import TemplateError

if TYPE_CHECKING:
    from engine.templates.rendering import Rendered, Renderer


class Templates:
    """The templates of the settings. An edited file counts from the next message on. Safe to use from any thread."""

    def __init__(self, settings: TemplateSettings) -> None:
        self._settings = settings

    def message(self, action: Outgoing) -> Message | None:
        """What the action's template makes of it; None where it names none, or none of that name is there.

        Raises a permanent SendError, with the file and the line, for a template that cannot be rendered.
        """
        try:
            made = self.rendered(action)
        except TemplateError as error:
            raise SendError(str(error), permanent=True) from error
        return None if made is None else Message(made.subject, made.text, made.html)

    def rendered(self, action: Outgoing) -> Rendered | None:
        """The same with all there is to know of it. Raises TemplateError."""
        from engine.templates.rendering import Facts

        facts = Facts(action.variables, action.moment, action.unsubscribe_url)
        return None if action.template is None else self._renderer.render(action.template, facts)

    @cached_property
    def _renderer(self) -> Renderer:
        from engine.templates.rendering import Renderer

        return Renderer(self._settings)


def mail_channel(settings: Settings, action: str) -> EmailSettings | None:
    """The channel that an action goes out by as mail; None for one that goes any other way."""
    channel = settings.channels.get(settings.actions.channel_of(action) or "")
    return channel if isinstance(channel, EmailSettings) else None


def looked_over(
    settings: Settings, readings: Iterable[Reading], *, only_used: bool = False, functions: Collection[str] = ()
) -> Looked:
    """Everything wrong or doubtful in the templates of the settings, and where rules name what is not there.

    ``functions`` are the actions that functions carry out, whatever the settings bind.
    """

    def mails(action: str) -> bool:
        return action not in functions and mail_channel(settings, action) is not None

    return look_over(settings.templates, readings, mails, only_used=only_used)
