"""Consent: what people said about being written to, and what follows from it.

``person.unsubscribed`` is true, or a list of names of channels and topics, with marketing for a topic. The events
``unsubscribed`` and ``resubscribed`` change it by what it was before, so their order is that of their own times. In
doubt it is a no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from engine.language.program import MARKETING, TRANSACTIONAL, UNSUBSCRIBED

ATTRIBUTE: Final = "unsubscribed"
EVENTS: Final = frozenset((UNSUBSCRIBED, "resubscribed"))
"""The names of the events that change what a person said."""


class Said(NamedTuple):
    """What such an event says, of some channels and topics or, without ``names``, of everything."""

    event: str
    names: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        return self.event == UNSUBSCRIBED

    def applied(self, before: Any) -> Any:
        """The attribute after it: true, a list of names, or nothing where the person may be written to.

        Who said no to everything takes that back as a whole or not at all.
        """
        refused = _refused(before)
        if not self.names:
            return True if self.refuses else None
        if refused is None:
            return True if self.refuses else before
        return sorted(refused.union(self.names) if self.refuses else refused.difference(self.names)) or None


def widened(before: Any, value: Any) -> Any:
    """Return the attribute after a page has set it to ``value``: a page adds to what a person refuses, no more."""
    refused = _refused(value)
    if refused is not None and not refused:
        return before
    return Said(UNSUBSCRIBED, tuple(sorted(refused or ()))).applied(before)


def gives(before: Any, value: Any) -> bool:
    """Return whether somebody whose attribute is ``before`` would refuse less with ``value``."""
    refused, then = _refused(before), _refused(value)
    return then is not None and (refused is None or not refused <= then)


def said(event: str, fields: Mapping[str, Any]) -> Said | None:
    """What one of ``EVENTS`` says. One that takes back what cannot be read says nothing."""
    given = [fields[key] for key in ("channel", "topic") if fields.get(key) is not None]
    names = tuple(sorted({name for one in given if (name := _name(one)) is not None}))
    return None if given and not names and event != UNSUBSCRIBED else Said(event, names)


def ends(fields: Mapping[str, Any], purpose: str | None) -> bool:
    """Whether an ``unsubscribed`` with these fields ends the journeys of rules of a purpose."""
    return purpose != TRANSACTIONAL and _name(fields.get("topic")) in (None, purpose or MARKETING)


def refuses(unsubscribed: Any, purpose: str | None, channel_names: Iterable[str]) -> bool:
    """Whether a person whose attribute is ``unsubscribed`` refuses an action of a rule with a ``purpose``.

    ``channel_names`` are all that its channel is called: its own name and its kind.
    """
    if purpose == TRANSACTIONAL:
        return False
    refused = _refused(unsubscribed)
    return refused is None or not refused.isdisjoint((purpose or MARKETING, *channel_names))


def _refused(unsubscribed: Any) -> frozenset[str] | None:
    """The names an attribute holds, however it was set; nothing: it is a no to everything."""
    if unsubscribed is True or unsubscribed == "true":
        return None
    names = unsubscribed if isinstance(unsubscribed, list) else [unsubscribed]
    return frozenset(name for name in names if isinstance(name, str))


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
