"""Where an action goes: the channel contract, and the two channels that need nothing else.

What goes over a wire is **sealed** first: made once from the frozen variables, outside any transaction, stored, and
sent as the same bytes at every attempt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from engine.clock import iso
from engine.pseudonyms import LogNames

_log = logging.getLogger("lapse.actions")


@dataclass(frozen=True, slots=True)
class Message:
    """What a template made of an action; a part is None where the template has none."""

    subject: str | None = None
    text: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an action is sent as, and to which address where the channel has addresses."""

    body: bytes
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One action on its way out.

    ``key`` is the same at every attempt: a receiver that remembers it acts once. ``moment`` is when the step
    was reached, microseconds UTC; ``attempt`` counts from 1. ``purpose`` is the rule's: ``marketing``,
    ``transactional`` or a topic. ``message`` is what its template made, while it is sealed and for functions;
    ``unsubscribe_url`` ends the person's subscription with one click, where the service is served.
    """

    key: str
    rule: str
    person: str
    step: str
    action: str
    template: str | None
    moment: int
    attempt: int
    variables: Mapping[str, Any]
    purpose: str = "marketing"
    unsubscribe_url: str | None = None
    message: Message | None = None
    sealed: Sealed | None = None
    log_names: LogNames = field(default_factory=LogNames)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The ``with`` arguments of the rule."""
        found: Mapping[str, Any] = self.variables.get("with", {})
        return found

    @property
    def to(self) -> Any:
        """What the rule's ``to`` named, if it had one."""
        return self.variables.get("to")

    def body(self) -> dict[str, Any]:
        """The action as plain data, the same at every attempt. ``person`` is the id, ``attributes`` what is known."""
        variables = dict(self.variables)
        attributes = variables.pop("person", {})
        return {**self.summary(), "attributes": attributes, **variables}

    def summary(self) -> dict[str, Any]:
        """What the action is, for whom and when, as plain data."""
        return {
            "key": self.key,
            "rule": self.rule,
            "person": self.person,
            "at": iso(self.moment),
            "action": self.action,
            "template": self.template,
            "step": self.step,
        }

    def __str__(self) -> str:
        return self._told(self.person)

    def log_line(self, error: object = None) -> str:
        """Return what the log has of it, and of an ``error`` that may quote whom it went to."""
        line = self._told(self.log_names.name(self.person))
        recipient = None if self.sealed is None else self.sealed.recipient
        return line if error is None else f"{line}: {self.log_names.text(str(error), self.person, recipient)}"

    def log_fields(self) -> dict[str, Any]:
        """Return :meth:`summary` as the log has it."""
        return {**self.summary(), "person": self.log_names.name(self.person)}

    def _told(self, person: str) -> str:
        what = self.action if self.template is None else f'{self.action} "{self.template}"'
        return f"{what} for {person} by {self.rule} ({self.key})"


class SendError(Exception):
    """A send that failed.

    ``permanent``: trying again cannot help. ``retry_after``: seconds, if the receiver said. ``unknown``: it may have
    arrived all the same, as when the connection broke before the answer. ``gone``: the receiver wants nothing more,
    of anybody. ``bounced``: the address takes no mail, of anybody.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        unknown: bool = False,
        gone: bool = False,
        bounced: bool = False,
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
        self.gone = gone
        self.bounced = bounced


class Channel(Protocol):
    """Carries actions out. ``send`` returns when the receiver has taken it, and raises SendError when it has not.

    It is called from several threads at once.
    """

    def send(self, action: Outgoing) -> None: ...


@runtime_checkable
class Sealing(Protocol):
    """A channel that sends the same bytes at every attempt: ``send`` finds them in ``action.sealed``."""

    def seal(self, action: Outgoing) -> Sealed | None:
        """What the action is to be sent as. Raises a permanent SendError where nothing can be made of it."""
        ...


@runtime_checkable
class Closing(Protocol):
    """A channel that holds connections."""

    def close(self) -> None: ...


class LogChannel:
    """Writes one line for each action to the ``lapse.actions`` logger."""

    def send(self, action: Outgoing) -> None:
        _log.info("%s", action.log_line(), extra={"fields": action.log_fields()})


class PythonChannel:
    """Calls a function of the embedding program. What it raises counts as a failed attempt."""

    def __init__(self, function: Callable[[Outgoing], object]) -> None:
        self._function = function

    def seal(self, action: Outgoing) -> Sealed | None:
        return None if action.message is None else Sealed(json.dumps(asdict(action.message)).encode())

    def send(self, action: Outgoing) -> None:
        message = None if action.sealed is None else Message(**json.loads(action.sealed.body))
        try:
            self._function(replace(action, message=message))
        except SendError:
            raise
        except Exception as error:
            raise SendError(f"{type(error).__name__}: {error}") from error
