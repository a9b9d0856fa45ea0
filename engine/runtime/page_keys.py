"""What keys that may stand in web pages cannot say: whoever reads the page has the key.

Such a key takes events in, says who a new or anonymous person is, links an anonymous id and withdraws consent. It does
not make one person of two who are known, set an attribute that anything else has set, or give consent. What it tries is
refused (an item as a whole) or withheld (attributes, while the rest of their item stands), kept in quarantine and
counted. The rules hold for every door alike; they are asked in the transaction that stores the batch.

An attribute that a page set first, or as a visitor, loses to what anything else sets: see ``Change.page``. What a
visitor's attributes lose when the visitor turns out to be somebody is told in the same way: see :mod:`.provenance`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from engine.model import ValidEvent, ValidIdentify
from engine.receipt import NEEDS_SERVER_KEY, Rejection
from engine.runtime.admission import all_but, refusal
from engine.runtime.identity import Identity, keys_of
from engine.runtime.intake import LIMITED, Arrival, Partly, Taken, named_by
from engine.runtime.provenance import Standing
from engine.store import Connection, counters, events
from engine.store.rows import ChangeRow
from engine.strict_json import canonical

GIVES: Final = "resubscribed"
"""The event that gives consent."""

_ADVICE: Final = "a key with the scope event:create alone, which may stand in web pages, cannot; use a server's key"
_REASONS: Final = {
    "event": f"this gives consent: {_ADVICE}",
    "previous_id": f"previous_id and user_id are two people who are known, and this makes them one: {_ADVICE}",
    "contact_id": f"contact_id and user_id are not known as one person, and this makes them one: {_ADVICE}",
    "anonymous_id": f"anonymous_id is that of somebody else who is known, and this makes them one: {_ADVICE}",
}


def take(
    connection: Connection,
    workspace: int,
    arrivals: Sequence[Arrival],
    taking: Callable[[Sequence[Arrival]], Sequence[Taken]],
) -> Sequence[Taken]:
    """Have taken by ``taking`` what keys may say; return what became of each arrival, refused ones too."""
    if not any(one.page for one in arrivals):
        return taking(arrivals)
    identity = _identity(connection, workspace, arrivals)
    limited, withheld = _limited(connection, arrivals, identity)
    refused = _refused(arrivals, identity)
    taken = list(all_but(refused, limited, taking))
    for place, names in withheld.items():
        what = taken[place]
        if isinstance(what, bytes):
            taken[place] = Partly(what, names)
    tried = len(refused) + sum(isinstance(what, Partly) for what in taken)
    if tried:
        counters.count(connection, workspace, {(counters.NO_RULE, LIMITED): tried})
    return taken


def _identity(connection: Connection, workspace: int, arrivals: Sequence[Arrival]) -> Identity:
    """The people of the batch as they are before it; of nobody where no page's item says who somebody is."""
    speaking = any(one.page and _says_who(one) for one in arrivals)
    return Identity.of(connection, workspace, {named_by(one.item) for one in arrivals} if speaking else set())


def _says_who(one: Arrival) -> bool:
    return len(keys_of(named_by(one.item))) > 1 or (isinstance(one.item, ValidIdentify) and bool(one.item.traits))


def _refused(arrivals: Sequence[Arrival], identity: Identity) -> dict[int, Rejection]:
    """What is refused as a whole, each item judged by who is who after those before it."""
    refused: dict[int, Rejection] = {}
    for place, one in enumerate(arrivals):
        field = _cannot(one, identity) if one.page else None
        if field is not None:
            refused[place] = refusal(NEEDS_SERVER_KEY, _REASONS[field], field)
        else:
            identity.owners([named_by(one.item)])
    return refused


def _cannot(one: Arrival, identity: Identity) -> str | None:
    """The field by which an item says what a page's key cannot say."""
    if isinstance(one.item, ValidEvent) and one.item.name == GIVES:
        return "event"
    return identity.joining(named_by(one.item))


def _limited(
    connection: Connection, arrivals: Sequence[Arrival], identity: Identity
) -> tuple[list[Arrival], dict[int, tuple[str, ...]]]:
    """The arrivals without the traits that are not a page's to set, and the names of these by place."""
    limited, withheld = list(arrivals), dict[int, tuple[str, ...]]()
    for place, standing in _standings(connection, arrivals, identity).items():
        one, item = arrivals[place], arrivals[place].item
        assert isinstance(item, ValidIdentify)
        kept = {name: value for name, value in item.traits.items() if standing.changes(name, value)}
        if len(kept) < len(item.traits):
            text = canonical(kept).decode()
            limited[place] = replace(one, item=replace(item, traits=kept, traits_json=text, _digest=item.digest))
            withheld[place] = tuple(name for name, value in item.traits.items() if standing.withholds(name, value))
    return limited, {place: names for place, names in withheld.items() if names}


def _standings(connection: Connection, arrivals: Sequence[Arrival], identity: Identity) -> dict[int, Standing]:
    """By place of a page's item with traits, what stands of all whom it names: they may become one. One statement."""
    people = {
        place: {identity.people[key].row for key in keys_of(named_by(one.item)) if key in identity.people}
        for place, one in enumerate(arrivals)
        if one.page and isinstance(one.item, ValidIdentify) and one.item.traits
    }
    rows: dict[int, list[ChangeRow]] = defaultdict(list)
    for change in events.changes(connection, set(chain.from_iterable(people.values()))) if people else ():
        rows[change.person_id].append(change)
    return {place: Standing.of(chain.from_iterable(rows[row] for row in known)) for place, known in people.items()}
