"""The event types of a workspace: made, shown, changed and removed, with what each of that demands."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final

from ulid import ULID

from engine.clock import Clock, iso
from engine.config import Settings
from engine.errors import Incompatible, Predefined, RefusedError, TypeExists, TypeInUse, UnknownType
from engine.language.naming import event_names
from engine.model import checked_name
from engine.runtime.desk import Desk
from engine.runtime.intake import public_ids
from engine.runtime.live import Live, LiveRule
from engine.schemas.compatibility import Breaks, Compatible, Unknown, compare
from engine.schemas.compiled import Schema, compile_schema, schema_text
from engine.schemas.naming import suggested_name
from engine.schemas.predefined import DOOR_SCHEMAS, PREDEFINED
from engine.store import Connection, types
from engine.store.types import StoredEvent, TypeRow
from engine.strict_json import checked_text, kind

PAGE: Final = 1_000
"""Stored events that a new schema looks at in one go."""

PREFIX: Final = "evt-type_"
"""What the id of an event type begins with."""


class _Left(Enum):
    AS_IT_IS = "as it is"


AS_IT_IS: Final = _Left.AS_IT_IS
"""What of a type is not to be changed."""


@dataclass(frozen=True, slots=True)
class EventType:
    """An event type. ``id`` is ``evt-type_`` and a ULID; moments are microseconds UTC."""

    id: str
    public_id: bytes
    name: str
    description: str | None
    schema: dict[str, Any] | None
    """The JSON Schema of its events' properties; None where every event is taken."""
    predefined: bool
    created_at: int
    updated_at: int

    @property
    def suggested_name(self) -> str | None:
        """A name by the convention, where its own is not by it: a warning, no more."""
        return None if self.predefined else suggested_name(self.name)

    def plain(self) -> dict[str, Any]:
        """As data for JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "schema": self.schema,
            "predefined": self.predefined,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "suggested_name": self.suggested_name,
        }


@dataclass(frozen=True, slots=True)
class TypePage:
    """Types in the order in which they were made. ``after`` is what to ask the next page with; None: there is none."""

    types: tuple[EventType, ...]
    after: str | None
    total: int
    """How many types the workspace has."""


@dataclass(frozen=True, slots=True)
class ChangedType:
    """A type as it is now, and what could not be made sure of when its schema was changed."""

    type: EventType
    warnings: tuple[str, ...] = ()


class Types:
    """The event types of one workspace. Safe to use from any thread.

    A type is named by its id, in any case and with or without its prefix, or by its name. Names that are met without
    a type become custom types, unless the settings refuse them.
    """

    def __init__(
        self, desk: Desk, workspace: int, clock: Clock, settings: Settings, live: Callable[[Connection], Live]
    ) -> None:
        self._desk = desk
        self._workspace = workspace
        self._clock = clock
        self._limits = settings.limits
        self._settings = settings.types
        self._live = live
        self._doors: dict[str, Mapping[str, Schema]] = {}
        with desk.store.read() as connection:
            is_whole = self._is_whole(connection)
        if not is_whole:
            desk.writer.run(self._predefine)

    def list(self, *, after: str | None = None, limit: int = 100) -> TypePage:
        """A page of types. ``after`` is that of the page before. Raises UnknownType for one that is none."""
        behind = b"" if after is None else _public_id(after)
        if behind is None:
            raise UnknownType(f"'{after}' is no place in the list; pass on what the page before gave, unchanged")
        with self._desk.store.read() as connection:
            rows = types.page(connection, self._workspace, behind, limit + 1)
            total = types.total(connection, self._workspace)
        shown = tuple(map(_shown, rows[:limit]))
        return TypePage(shown, shown[-1].id if len(rows) > limit and shown else None, total)

    def get(self, wanted: str) -> EventType:
        """The type of an id or a name. Raises UnknownType."""
        with self._desk.store.read() as connection:
            return _shown(self._row(connection, wanted))

    def create(self, name: str, *, schema: dict[str, Any] | None = None, description: str | None = None) -> EventType:
        """Make a custom type. Every event of its name then has to be what ``schema`` takes.

        Raises TypeExists, BadSchema, and RefusedError for a name or description that cannot be one.
        """
        checked, told = checked_name(name, self._limits), self._description(description)
        text = None if schema is None else schema_text(compile_schema(schema, self._settings))

        def add(connection: Connection) -> TypeRow:
            self._refuse_taken(connection, checked)
            now = self._clock.now()
            row = TypeRow(0, public_ids(1, now)[0], checked, told, text, 0, now)
            return types.insert(connection, self._workspace, [row])[0]

        return _shown(self._desk.writer.run(add))

    def update(
        self,
        wanted: str,
        *,
        name: str | _Left = AS_IT_IS,
        description: str | _Left | None = AS_IT_IS,
        schema: dict[str, Any] | _Left | None = AS_IT_IS,
    ) -> ChangedType:
        """Change what is given of a type; its id stays, and events stored under its old name show the new one.

        A schema has to take what was taken before: see :class:`engine.schemas.settings.TypeSettings`. Without one,
        every event is taken.

        Raises UnknownType, TypeExists, Predefined (it keeps its name), TypeInUse (live rules name it), BadSchema,
        Incompatible, and RefusedError for a name or description that cannot be one.
        """
        change = _Change(
            name if isinstance(name, _Left) else checked_name(name, self._limits),
            description if isinstance(description, _Left) else self._description(description),
            None if schema is None or isinstance(schema, _Left) else compile_schema(schema, self._settings),
            schema is not AS_IT_IS,
        )
        while True:
            with self._desk.store.read() as connection:
                before = self._row(connection, wanted)
            review = _Review(before, change.schema, self._settings.changes) if change.schema else None
            scanned = self._scan(before, review.schema) if review and review.scans else None
            write = partial(self._write, before=before, change=change, review=review, scanned=scanned)
            if (written := self._desk.writer.run(write)) is not None:
                return ChangedType(_shown(written), review.warnings if review else ())

    def delete(self, wanted: str) -> None:
        """Remove a custom type of which no event is stored. Raises UnknownType, Predefined, TypeInUse."""

        def remove(connection: Connection) -> None:
            row = self._row(connection, wanted)
            if row.predefined:
                raise Predefined(f"'{row.name}' is predefined and stays")
            if types.has_events(connection, self._workspace, row.id):
                raise TypeInUse(f"events of '{row.name}' are stored, so it stays")
            types.delete(connection, self._workspace, row.id)

        self._desk.writer.run(remove)

    def door_schemas(self, door: str) -> Mapping[str, Schema]:
        """What one door alone demands of events, by their names: ``door_schemas("flokit")["subscription_started"]``.

        Their ``problem(properties)`` says what breaks them. Empty where the door demands nothing of its own.
        """
        if not self._doors:
            for (one, name), schema in DOOR_SCHEMAS.items():
                compiled = compile_schema(dict(schema), self._settings)
                self._doors[one] = {**self._doors.get(one, {}), name: compiled}
        return self._doors.get(door, {})

    # ----------------------------------------------------------------------------------------- inside

    def _scan(self, row: TypeRow, schema: Schema) -> tuple[int, bytes]:
        """Hold every stored event of a type against a schema, page by page, while others write.

        Gives the event that was the newest before: what comes after it is still to be looked at.
        """
        with self._desk.store.read() as connection:
            newest = types.newest_event(connection)
        after: StoredEvent | None = None
        while True:
            with self._desk.store.read() as connection:
                page = types.events_of(connection, self._workspace, row.id, after, PAGE)
            _refuse_broken(page, schema)
            if len(page) < PAGE:
                return newest
            after = page[-1]

    def _write(
        self,
        connection: Connection,
        before: TypeRow,
        change: _Change,
        review: _Review | None,
        scanned: tuple[int, bytes] | None,
    ) -> TypeRow | None:
        """Change a type; None when what was looked at before is no longer so, and everything is to be done again."""
        row = types.by_public_id(connection, self._workspace, before.public_id)
        if row is None:
            raise UnknownType("there is no such event type any more")
        if review is not None and row.schema != before.schema:
            return None
        if review is not None and scanned is not None:
            if not types.is_there(connection, scanned):
                return None
            self._scan_rest(connection, row, review.schema, scanned[0])
        new = change.of(row, self._clock.now())
        if new.name != row.name:
            self._refuse_rename(connection, row, new.name)
        types.update(connection, self._workspace, [new])
        return new

    def _scan_rest(self, connection: Connection, row: TypeRow, schema: Schema, behind: int) -> None:
        """What arrived while :meth:`_scan` was at work."""
        while page := types.events_after(connection, row.id, behind, PAGE):
            _refuse_broken(page, schema)
            behind = page[-1].id

    def _refuse_rename(self, connection: Connection, row: TypeRow, name: str) -> None:
        if row.predefined:
            raise Predefined(f"'{row.name}' is predefined and keeps its name")
        self._refuse_taken(connection, name)
        live = self._live(connection)
        naming = tuple(sorted({rule.id for rule in live.rules.values() if row.name in _names_of(rule)}))
        if naming:
            rules = ", ".join(f"'{one}'" for one in naming)
            raise TypeInUse(f"'{row.name}' is named by live rules ({rules}); change them first", naming)

    def _row(self, connection: Connection, wanted: str) -> TypeRow:
        """By id, else by name: what has the form of an id may still be a name."""
        public_id = _public_id(wanted)
        found = None if public_id is None else types.by_public_id(connection, self._workspace, public_id)
        found = found or types.by_name(connection, self._workspace, wanted)
        if found is None:
            raise UnknownType("there is no such event type")
        return found

    def _description(self, text: str | None) -> str | None:
        if text is None:
            return None
        if not isinstance(text, str):
            raise RefusedError("description_not_text", f"description is {kind(text)}; it is text", "description")
        longest = self._settings.description_length
        if len(text) > longest:
            reason = f"description has {len(text)} characters; at most {longest} are taken"
            raise RefusedError("description_too_long", reason, "description")
        return checked_text(text, ("description",))

    def _refuse_taken(self, connection: Connection, name: str) -> None:
        if types.by_name(connection, self._workspace, name) is not None:
            raise TypeExists(f"there is an event type '{name}' already; change that one, or take another name")

    def _is_whole(self, connection: Connection) -> bool:
        """Whether the workspace has the predefined types."""
        found = (types.by_name(connection, self._workspace, name) for name in PREDEFINED)
        return all(row is not None and row.predefined for row in found)

    def _predefine(self, connection: Connection) -> None:
        """Every workspace has the predefined types; one that came before them, or met their names, gets them now."""
        known = {name: types.by_name(connection, self._workspace, name) for name in PREDEFINED}
        met = [row for row in known.values() if row is not None and not row.predefined]
        described = [row._replace(predefined=1, description=row.description or PREDEFINED[row.name]) for row in met]
        if described:
            types.update(connection, self._workspace, described)
        missing = [name for name, row in known.items() if row is None]
        if missing:
            now = self._clock.now()
            ids = sorted(public_ids(len(missing), now))
            rows = [TypeRow(0, id, name, PREDEFINED[name], None, 1, now) for id, name in zip(ids, missing, strict=True)]
            types.insert(connection, self._workspace, rows)


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be changed of a type, found to be sound."""

    name: str | _Left
    description: str | _Left | None
    schema: Schema | None
    changes_schema: bool

    def of(self, row: TypeRow, now: int) -> TypeRow:
        """The type with the change."""
        text = None if self.schema is None else schema_text(self.schema)
        return row._replace(
            name=row.name if isinstance(self.name, _Left) else self.name,
            description=row.description if isinstance(self.description, _Left) else self.description,
            schema=text if self.changes_schema else row.schema,
            updated_at=now,
        )


class _Review:
    """What the comparison with the old schema says of a new one."""

    def __init__(self, before: TypeRow, schema: Schema, demanded: str) -> None:
        """Raises Incompatible for what is demanded to be compatible and is not."""
        self.schema = schema
        self.scans = True
        """Whether the stored events have to be looked at."""
        self.warnings: tuple[str, ...] = ()
        old = json.loads(before.schema) if before.schema else {}
        match compare(old, schema.plain):
            case Compatible():
                self.scans = False
            case Breaks() if not old:
                pass  # without a schema nothing was promised but the events that are stored
            case Breaks(reason=reason, example=example) if demanded == "schema":
                raise Incompatible(f"the new schema refuses what the old one took: {reason}", example)
            case Breaks(reason=reason):
                self.warnings = (f"the new schema refuses what the old one took: {reason}",)
            case Unknown(reason=reason):
                told = "it could not be made sure that the new schema takes all that the old one took"
                self.warnings = (f"{told}: {reason}",)


def _refuse_broken(page: Sequence[StoredEvent], schema: Schema) -> None:
    """Raises Incompatible that names the first stored event the schema does not take."""
    for event in page:
        properties = json.loads(event.properties)
        if (problem := schema.problem(properties)) is not None:
            id = f"evt_{ULID(event.public_id)}"
            raise Incompatible(f"the stored event {id} breaks the new schema: {problem.reason}", properties, id)


def _names_of(rule: LiveRule) -> set[str]:
    """Every event that a live rule names, also in versions on which journeys are still under way."""
    return {name for program in rule.life.versions.values() for name, _ in event_names(program.rule)}


def _shown(row: TypeRow) -> EventType:
    return EventType(
        id=f"{PREFIX}{ULID(row.public_id)}",
        public_id=row.public_id,
        name=row.name,
        description=row.description,
        schema=None if row.schema is None else json.loads(row.schema),
        predefined=bool(row.predefined),
        created_at=row.created_at,
        updated_at=row.created_at if row.updated_at is None else row.updated_at,
    )


def _public_id(text: str) -> bytes | None:
    """The bytes of an id, in any case, with or without its prefix; None where it is none."""
    try:
        return ULID.from_str(text.upper().removeprefix(PREFIX.upper())).bytes
    except ValueError:
        return None
