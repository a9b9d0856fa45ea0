"""A person's end, and what still comes for them afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from ulid import ULID

from engine.runtime.admission import Taking, all_but, refusal
from engine.runtime.identity import Key, ids_of, keys_of
from engine.runtime.intake import Arrival, Intake, Taken, named_by, public_ids
from engine.store import Connection, erasing, imports, operations, people, quarantine
from engine.store.operations import OperationRow

_FIELDS: Final = {"user": "user_id", "anonymous": "anonymous_id", "contact": "contact_id"}
_PUBLIC_CONTACT: Final = re.compile(r"con_[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE | re.ASCII)


def erase(intake: Intake, who: str) -> OperationRow | None:
    """Remove all that is stored of the person with an id of any kind; nothing if nobody has the id.

    What rules did for them stays counted, as of now. Their ids are refused for as long as events may be late. Uploaded
    files may name them in what waits or was refused: of all of these the words go, whomever they name. From here on
    they are nobody; their rows go page by page.
    """
    connection, workspace = intake.connection, intake.workspace
    person = people.find(connection, workspace, who)
    if person is None:
        return None
    merged = erasing.merged(connection, person)
    own = people.public_ids(connection, [person])
    keys = set(people.identifiers(connection, person))
    known_as = {("contact", f"con_{ULID(id)}") for id in (*own.values(), *merged.values())}
    until = intake.now + intake.settings.max_event_age
    erasing.bury(connection, workspace, sorted({_digest(workspace, key) for key in keys | known_as}), until)
    refused = quarantined(connection, workspace, keys | known_as)
    (new_id,) = public_ids(1, intake.now)
    imports.forget_words(connection, workspace)
    counts = erasing.erase(connection, workspace, person, list(merged), intake.now, new_id)
    counts |= {"quarantined": quarantine.delete(connection, refused)}
    begun = operations.begin(connection, workspace, "erase", person, intake.now).counted(counts)
    operations.save(connection, begun)
    return begun


def quarantined(connection: Connection, workspace: int, keys: set[Key]) -> list[int]:
    """The rows of the items in quarantine that name any of the ids."""
    return [row for row, named in quarantine.named(connection, workspace) if not keys.isdisjoint(named)]


def take(intake: Intake, arrivals: Sequence[Arrival], taking: Taking) -> Sequence[Taken]:
    """Have ``taking`` take what is not for people who were erased; gives what became of each arrival."""
    if not erasing.any_buried(intake.connection, intake.workspace):
        return taking(arrivals)
    keys = (key for one in arrivals for key in keys_of(named_by(one.item)))
    buried = buried_among(intake.connection, intake.workspace, keys, intake.now)
    refused = {}
    for place, one in enumerate(arrivals):
        named = named_by(one.item)
        key = next((key for key in keys_of(named) if key in buried), None)
        if key is not None:
            field = _FIELDS[key[0]] if key in ids_of(named) else "previous_id"
            reason = f"the person with this {field} was erased; what comes for them is refused for a time"
            refused[place] = refusal("erased", reason, field)
    return all_but(refused, arrivals, taking)


def buried_among(connection: Connection, workspace: int, keys: Iterable[Key], now: int) -> set[Key]:
    """Those of the ids that people had who were erased not long ago. One statement."""
    digests = {key: _digest(workspace, key) for key in keys}
    found = erasing.buried(connection, workspace, sorted(set(digests.values())), now) if digests else set()
    return {key for key, digest in digests.items() if digest in found}


def _digest(workspace: int, key: Key) -> str:
    """What stands for an id whose person is not to be known any more. A contact's public id has one spelling here."""
    kind, value = key
    if kind == "contact" and _PUBLIC_CONTACT.fullmatch(value):
        value = f"con_{value[4:].upper()}"
    return hashlib.blake2b(f"{workspace}\0{kind}\0{value}".encode(), digest_size=16).hexdigest()
