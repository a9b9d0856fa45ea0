"""What events say of consent, written beside them as changes of an attribute: so attributes are known without events.

Such a change is a JSON list, of the event's name and the names it says it of. No client's traits are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic_core import from_json, to_json

from engine.journeys import consent
from engine.journeys.consent import Said
from engine.store.rows import ChangeRow, NewEvent


def heard(
    rows: Sequence[NewEvent], names: Mapping[int, str], new_ids: Callable[[int], Sequence[bytes]]
) -> list[ChangeRow]:
    """The changes that events of a batch are by themselves; ``names`` are those of their types, and ``new_ids`` makes
    as many public ids as are asked for."""
    speaking = {type_id: name for type_id, name in names.items() if name in consent.EVENTS}
    found = [
        (row, said)
        for row in rows
        if row.type_id in speaking
        and (said := consent.said(speaking[row.type_id], from_json(row.properties))) is not None
    ]
    return [
        ChangeRow(
            0, id, row.person_id, row.at, row.received_at, row.source, row.historical, 1, row.cause,
            to_json(said).decode(),
        )
        for (row, said), id in zip(found, new_ids(len(found)), strict=True)
    ]  # fmt: skip


def is_heard(row: ChangeRow) -> bool:
    """Whether a change is what an event said: the event itself stands beside it."""
    return row.properties.startswith("[")


def said_of(row: ChangeRow) -> Said | None:
    """What the event said that a change comes from; nothing for one that came by itself."""
    if not is_heard(row):
        return None
    event, names = from_json(row.properties)
    return Said(event, tuple(names))
