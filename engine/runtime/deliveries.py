"""Actions for those who look: page by page, or one with all that is known of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import default as by_the_book
from typing import Any, Literal

from engine.clock import iso, iso_or_none
from engine.errors import ConfigError, did_you_mean
from engine.runtime import cursors
from engine.runtime.completed import completed_actions
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


Named = Literal["rule", "action", "channel"]
"""What actions are asked for by, and may be asked for by a name that nobody has."""


class UnknownName(ConfigError):  # noqa: N818
    """Actions were asked for by a name that nothing has. ``field`` is what it was to be the name of."""

    def __init__(self, field: Named, text: str) -> None:
        super().__init__(text)
        self.field = field


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
    """A page of actions; an empty one for a person who is not there.

    Raises ConfigError for an ``after`` that no page gave and for a state that is none, and UnknownName for a rule that
    was never loaded.
    """
    check_states(asked.states or ())
    named = {name: row.id for name, row in rules.every(connection, workspace).items()}
    wanted = _wanted(connection, workspace, asked, named)
    before = cursors.behind(connection, workspace, "deliveries", asked.after).row
    if wanted is None:
        return DeliveryPage()
    rows = listing.action_page(connection, workspace, named.values(), wanted, before, asked.limit + 1)
    found = completed_actions(connection, workspace, rows[: asked.limit])
    called = people.names(connection, {row.person_id for row in found})
    names = {row: name for name, row in named.items()}
    items = tuple(_delivery(row, names[row.rule], called[row.person_id]) for row in found)
    return DeliveryPage(items, cursors.following(connection, workspace, "deliveries", rows, asked.limit))


def one(connection: Connection, workspace: int, key: str) -> WholeDelivery | None:
    """The action of a key; nothing where there is none."""
    row = listing.by_key(connection, workspace, key)
    if row is None:
        return None
    (row,) = completed_actions(connection, workspace, [row])
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


def rows_of(rule: str | None, named: Mapping[str, int]) -> tuple[int, ...] | None:
    """The row of a rule, among those ever loaded; None: of any. Raises UnknownName for a rule that is none of them."""
    if rule is None:
        return None
    if rule not in named:
        advice = did_you_mean(rule, named, "'lapse rules' shows those that are live")
        raise UnknownName("rule", f"there is no rule '{shown(rule)}'; {advice}")
    return (named[rule],)


def check_found_none(field: Named, name: str | None, known: Collection[str]) -> None:
    """Raises UnknownName where a name that nothing was found by is none of the ``known`` either.

    Whether the store has the name anywhere else is not looked for: no index has it.
    """
    if name is not None and name not in known:
        names = sorted(known)
        advice = did_you_mean(name, names, f"{field}s are {', '.join(names)}" if names else f"there are no {field}s")
        known_by = "the settings" if field == "channel" else "the settings and the live rules"
        raise UnknownName(field, f"nothing was found, and {known_by} know no {field} '{shown(name)}'; {advice}")


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
    chosen = rows_of(asked.rule, named)
    person = None if asked.person is None else people.find(connection, workspace, asked.person)
    if asked.person is not None and person is None:
        return None
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
