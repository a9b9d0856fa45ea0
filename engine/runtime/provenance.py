"""Who set an attribute: a page, whose key anybody can read, or anything else; and what a page's values lose by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.journeys import consent
from engine.journeys.calendar import LAST
from engine.journeys.timeline import Timeline
from engine.runtime.loading import change_of
from engine.store import Connection, events
from engine.store.rows import ChangeRow


@dataclass(frozen=True)
class Standing:
    """The attributes of somebody as they stand, and the names of those that anything but a page has set."""

    attributes: dict[str, Any]
    served: frozenset[str]

    @classmethod
    def of(cls, rows: Iterable[ChangeRow]) -> Standing:
        changes = [change_of(row) for row in rows]
        served = frozenset(name for change in changes if not change.page for name in change.values)
        return cls(dict(Timeline((), changes).attributes(LAST)), served)

    def withholds(self, name: str, value: Any) -> bool:
        """Return whether the attribute is not a page's to set to this value."""
        if name == consent.ATTRIBUTE:
            return consent.gives(self.attributes.get(name), value)
        return name in self.served and self.attributes.get(name) != value

    def changes(self, name: str, value: Any) -> bool:
        """Return whether a page sets the attribute; to say what a server said changes nothing."""
        return not self.withholds(name, value) and (name == consent.ATTRIBUTE or name not in self.served)

    def losing_to(self, other: Standing) -> dict[str, Any]:
        """Return what pages alone have set here, and something else has set otherwise there."""
        return {
            name: value
            for name, value in self.attributes.items()
            if name not in self.served and name != consent.ATTRIBUTE and other.withholds(name, value)
        }


@dataclass(frozen=True)
class Outvoted:
    """What pages set of somebody, and lost when two people became one. ``source`` is the door of the last of it."""

    person: int
    traits: dict[str, Any]
    source: str


def outvoted(connection: Connection, merged: Sequence[tuple[int, int]]) -> list[Outvoted]:
    """Return what pages' values lose as people become one, in pairs of winner and loser. At most one statement."""
    rows: dict[int, list[ChangeRow]] = defaultdict(list)
    for change in events.changes(connection, {one for pair in merged for one in pair}) if merged else ():
        rows[change.person_id].append(change)
    found = []
    for winner, loser in merged:
        pages = [row for row in (*rows[winner], *rows[loser]) if row.page]
        if pages:
            mine, other = Standing.of(rows[winner]), Standing.of(rows[loser])
            traits = {**mine.losing_to(other), **other.losing_to(mine)}
            if traits:
                found.append(Outvoted(winner, traits, max(pages, key=lambda row: row.id).source))
        rows[winner] += rows.pop(loser, [])
    return found
