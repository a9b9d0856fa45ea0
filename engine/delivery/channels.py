"""Where an action goes: the channel contract, and the two channels that need nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.clock import iso

_log = logging.getLogger("lapse.actions")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One action on its way out.

    ``key`` is the same at every attempt: a receiver that remembers it acts once. ``moment`` is when the step
    was reached, microseconds UTC; ``attempt`` counts from 1.
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
        what = self.action if self.template is None else f'{self.action} "{self.template}"'
        return f"{what} for {self.person} by {self.rule} ({self.key})"


class SendError(Exception):
    """A send that failed; ``permanent`` when trying again cannot help, ``retry_after`` seconds if the receiver said."""

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """Carries actions out. ``send`` returns when the receiver has taken it and raises when it has not."""

    def send(self, action: Outgoing) -> None: ...


class LogChannel:
    """Writes one line for each action to the ``lapse.actions`` logger."""

    def send(self, action: Outgoing) -> None:
        _log.info("%s", action, extra={"fields": action.summary()})


class PythonChannel:
    """Calls a function of the embedding program. What it raises counts as a failed attempt."""

    def __init__(self, function: Callable[[Outgoing], object]) -> None:
        self._function = function

    def send(self, action: Outgoing) -> None:
        try:
            self._function(action)
        except SendError:
            raise
        except Exception as error:
            raise SendError(f"{type(error).__name__}: {error}") from error
