"""Actions for those who look: page by page, or one with all that is known of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import default as by_the_book
from typing import Any

from engine.clock import iso, iso_or_none
from engine.errors import ConfigError, did_you_mean
from engine.runtime import cursors
from engine.store import Connection, listing, people, rules
from engine.store.listing import STATES, Wanted
from engine.store.outbox import READY
from engine.store.rows import OutboxRow
from engine.strict_json import shown


@dataclass(frozen=True)
class Asked:
    """Which actions: of a person (any id), of a rule, in some states, that a channel took up, of a name; None: any.

    ``after`` is what the page before gave.
    """

    person: str | None = None
    rule: str | None = None
    states: tuple[str, ...] | None = None
    channel: str | None = None
    action: str | None = None
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True)
class Delivery:
    """An action that left, is to leave, or was kept from leaving. Moments are microseconds UTC.

    ``moment`` is when its step was reached, ``next_attempt_at`` when it may next be sent, ``left_at`` when it was sent
    first, ``redriven_at`` when it was last taken up again by hand. ``reason`` says why it is in its ``state``,
    ``error`` what went wrong at the last attempt. ``channel`` is the one that took it up.
    """

    key: str
    rule: str
    person: str
    action: str
    template: str | None
    channel: str | None
    recipient: str | None
    state: str
    reason: str | None
    attempts: int
    error: str | None
    moment: int
    next_attempt_at: int | None
    left_at: int | None
    redriven_at: int | None

    def plain(self) -> dict[str, Any]:
        moments = ("moment", "next_attempt_at", "left_at", "redriven_at")
        return {**self.__dict__, **{name: iso_or_none(getattr(self, name)) for name in moments}}


@dataclass(frozen=True)
class DeliveryPage:
    """Actions, newest first. ``after`` is what to ask the next page with; None: there is none."""

    items: tuple[Delivery, ...] = ()
    after: str | None = None

    def plain(self) -> dict[str, Any]:
        return {"deliveries": [one.plain() for one in self.items], "after": self.after}


@dataclass(frozen=True)
class WholeDelivery:
    """All that is known of an action. ``sealed`` is a look at what it is sent as, once that is made."""

    delivery: Delivery
    step: str
    purpose: str
    tags: tuple[str, ...]
    caused_by: tuple[str, ...]
    created_at: int
    variables: Mapping[str, Any]
    sealed: Mapping[str, Any] | None

    def plain(self) -> dict[str, Any]:
        own = {name: value for name, value in self.__dict__.items() if name != "delivery"}
        lists = {"tags": list(self.tags), "caused_by": list(self.caused_by)}
        return {**self.delivery.plain(), **own, **lists, "created_at": iso(self.created_at)}


def page(connection: Connection, workspace: int, asked: Asked) -> DeliveryPage:
    """A page of actions; an empty one for a person or rule that is not there.

    Raises ConfigError for an ``after`` that no page gave, and for a state that is none.
    """
    check_states(asked.states or ())
    named = {name: row.id for name, row in rules.every(connection, workspace).items()}
    wanted = _wanted(connection, workspace, asked, named)
    before = cursors.behind(connection, workspace, "deliveries", asked.after).row
    if wanted is None:
        return DeliveryPage()
    rows = listing.action_page(connection, workspace, named.values(), wanted, before, asked.limit + 1)
    found = rows[: asked.limit]
    called = people.names(connection, {row.person_id for row in found})
    names = {row: name for name, row in named.items()}
    items = tuple(_delivery(row, names[row.rule], called[row.person_id]) for row in found)
    return DeliveryPage(items, cursors.following(connection, workspace, "deliveries", rows, asked.limit))


def one(connection: Connection, workspace: int, key: str) -> WholeDelivery | None:
    """The action of a key; nothing where there is none."""
    row = listing.by_key(connection, workspace, key)
    if row is None:
        return None
    names = {one.id: name for name, one in rules.every(connection, workspace).items()}
    called = people.names(connection, {row.person_id})
    return WholeDelivery(
        delivery=_delivery(row, names[row.rule], called[row.person_id]),
        step=row.step,
        purpose=row.purpose,
        tags=tuple(json.loads(row.tags)),
        caused_by=tuple(json.loads(row.causes)),
        created_at=row.created_at,
        variables=json.loads(row.variables),
        sealed=None if row.body is None else sealed(row.body),
    )


def check_states(states: Iterable[str], known: Iterable[str] = STATES) -> None:
    """Raises ConfigError for a state that is none of the ``known``."""
    allowed = list(known)
    for state in states:
        if state not in allowed:
            advice = did_you_mean(state, allowed, f"states are {', '.join(allowed)}")
            raise ConfigError(f"'{shown(state)}' is no state of an action here; {advice}")


def sealed(body: bytes) -> dict[str, Any]:
    """A look at the bytes an action is sent as: JSON whole, of a mail its subject and to whom it goes."""
    try:
        content = json.loads(body)
    except ValueError:
        mail = BytesParser(policy=by_the_book).parsebytes(body, headersonly=True)
        subject, to = (None if mail[name] is None else str(mail[name]) for name in ("subject", "to"))
        return {"bytes": len(body), "type": "email", "subject": subject, "to": to, "content": None}
    return {"bytes": len(body), "type": "json", "subject": None, "to": None, "content": content}


def _wanted(connection: Connection, workspace: int, asked: Asked, named: Mapping[str, int]) -> Wanted | None:
    """What the store is asked with; None where nothing can be found."""
    person = None if asked.person is None else people.find(connection, workspace, asked.person)
    if asked.person is not None and person is None:
        return None
    if asked.rule is not None and asked.rule not in named:
        return None
    chosen = None if asked.rule is None else (named[asked.rule],)
    return Wanted(person, chosen, asked.states, asked.channel, asked.action)


def _delivery(row: OutboxRow, rule: str, person: str) -> Delivery:
    return Delivery(
        key=row.key,
        rule=rule,
        person=person,
        action=row.name,
        template=row.template,
        channel=row.channel,
        recipient=row.recipient,
        state=row.status,
        reason=row.reason,
        attempts=row.attempts,
        error=row.error,
        moment=row.moment,
        next_attempt_at=row.due_at if row.status in READY and row.status != "sending" else None,
        left_at=row.left_at,
        redriven_at=row.redriven_at,
    )
