"""What events say of consent, written beside them as changes of an attribute: so attributes are known without events.

Such a change is a JSON list, of the event's name and the names it says it of. No client's traits are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic_core import from_json, to_json

from engine.journeys import consent
from engine.journeys.consent import Said
from engine.store.rows import ChangeRow, EventRow


def heard(rows: Sequence[EventRow], new_ids: Callable[[int], Sequence[bytes]]) -> list[ChangeRow]:
    """The changes that events of a batch are by themselves; ``new_ids`` makes as many public ids as are asked for."""
    found = [(row, said) for row in rows if (said := _said(row)) is not None]
    return [
        ChangeRow(
            0, id, row.person_id, row.at, row.received_at, row.source, row.historical, 1, row.cause,
            to_json(said).decode(),
        )
        for (row, said), id in zip(found, new_ids(len(found)), strict=True)
    ]  # fmt: skip


def _said(row: EventRow) -> Said | None:
    return consent.said(row.name, from_json(row.properties)) if row.name in consent.EVENTS else None


def is_heard(row: ChangeRow) -> bool:
    """Whether a change is what an event said: the event itself stands beside it."""
    return row.properties.startswith("[")


def said_of(row: ChangeRow) -> Said | None:
    """What the event said that a change comes from; nothing for one that came by itself."""
    if not is_heard(row):
        return None
    event, names = from_json(row.properties)
    return Said(event, tuple(names))
