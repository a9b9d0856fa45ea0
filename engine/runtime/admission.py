"""What the types of a workspace let in, asked in the transaction that stores a batch: nothing slips past a change.

This is part of the one validator: every door's events come through here. Where no type has a schema, a batch pays for
one short read and an event for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.model import ValidEvent
from engine.receipt import Rejection
from engine.runtime.intake import Arrival, Taken
from engine.schemas.compiled import Schema, recompile
from engine.schemas.settings import TypeSettings
from engine.store import Connection, events, types

Taking = Callable[[Sequence[Arrival]], Sequence[Taken]]

_NEVER: Final = -1


class Admission:
    """The schemas of one workspace, compiled, as the last batch found them. For the writer's thread alone."""

    def __init__(self, workspace: int, settings: TypeSettings) -> None:
        self._workspace = workspace
        self._settings = settings
        self._changed = _NEVER
        self._schemas: dict[str, Schema] = {}
        self._compiled: dict[str, Schema] = {}
        self._names: set[str] | None = None

    def take(
        self,
        connection: Connection,
        arrivals: Sequence[Arrival],
        taking: Taking,
    ) -> Sequence[Taken]:
        """Have what may come in taken by ``taking``; gives what became of each arrival, refused ones too."""
        return all_but(self._refused(connection, arrivals), arrivals, taking)

    def _refused(self, connection: Connection, arrivals: Sequence[Arrival]) -> dict[int, Rejection]:
        self._follow(connection)
        refused: dict[int, Rejection] = {}
        if self._names is not None:
            refused |= self._unknown(connection, arrivals, self._names)
        if self._schemas:
            refused |= self._breaking(arrivals)
        return refused

    def _follow(self, connection: Connection) -> None:
        """Take up what another process, or this one, changed; a schema that stayed is not compiled again."""
        changed = types.changed(connection, self._workspace)
        if changed == self._changed:
            return
        texts = {row.name: row.schema or "" for row in types.with_schemas(connection, self._workspace)}
        self._compiled = {text: self._schema(text) for text in texts.values()}
        self._schemas = {name: self._compiled[text] for name, text in texts.items()}
        if self._settings.unknown == "refuse":
            self._names = set(types.names(connection, self._workspace))
        self._changed = changed

    def _schema(self, text: str) -> Schema:
        return self._compiled.get(text) or recompile(json.loads(text))

    def _breaking(self, arrivals: Sequence[Arrival]) -> dict[int, Rejection]:
        found = {}
        for place, one in enumerate(arrivals):
            if isinstance(one.item, ValidEvent) and (schema := self._schemas.get(one.item.name)):
                problem = schema.problem(one.item.properties)
                if problem is not None:
                    found[place] = refusal("breaks_schema", problem.reason, problem.field)
        return found

    def _unknown(self, connection: Connection, arrivals: Sequence[Arrival], known: set[str]) -> dict[int, Rejection]:
        """Events of names without a type. A name not known here is looked for: a rule may have tracked it since."""
        met = {one.item.name for one in arrivals if isinstance(one.item, ValidEvent)} - known
        if met:
            known |= events.known_types(connection, self._workspace, sorted(met)).keys()
        reason = "no event type has this name; make one first, or look whether it is misspelt"
        return {
            place: refusal("unknown_event", reason, "event")
            for place, one in enumerate(arrivals)
            if isinstance(one.item, ValidEvent) and one.item.name not in known
        }


def all_but(refused: Mapping[int, Rejection], arrivals: Sequence[Arrival], taking: Taking) -> Sequence[Taken]:
    """Have the arrivals taken that are not ``refused``; gives what became of each."""
    if not refused:
        return taking(arrivals)
    taken = iter(taking([one for place, one in enumerate(arrivals) if place not in refused]))
    return [refused[place] if place in refused else next(taken) for place in range(len(arrivals))]


def refusal(code: str, reason: str, field: str) -> Rejection:
    """An arrival of which nothing is stored."""
    return Rejection(0, code, reason, field)
