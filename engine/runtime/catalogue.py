"""What is known of names: from the store's event types, events and attributes, and from schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.config import Settings
from engine.language.catalog import Catalog, Kind
from engine.store import samples

DEPTH: Final = 4
"""Objects inside each other whose fields are listed."""

_KINDS: Final[Mapping[str, Kind]] = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
}

Fields = dict[str, Kind]


def learnt(settings: Settings) -> Catalog | None:
    """Return what the store of the settings knows; None where there is none, or nothing in it. Creates no store."""
    with samples.looking(settings.store) as connection:
        workspace = None if connection is None else samples.workspace_named(connection, settings.workspace)
        if connection is None or workspace is None:
            return None
        types = samples.event_types_of(connection, workspace)
        events = samples.event_samples(connection, workspace)
        changes = samples.attribute_samples(connection, workspace)
    fields: dict[str, Fields] = {name: _declared(schema) for name, schema in types}
    schemas = {name for name, schema in types if schema is not None}
    for name, text in events:
        if name not in schemas:
            _note(fields.setdefault(name, {}), json.loads(text))
    attributes: Fields = {}
    for text in changes:
        change = json.loads(text)
        if isinstance(change, dict):
            _note(attributes, change)
    if not fields and not attributes:
        return None
    return Catalog(events=fields, attributes=attributes, learnt=True)


def joined(catalogs: Iterable[Catalog | None]) -> Catalog | None:
    """Return what several catalogs know together; events, attributes and actions stand in one of them each."""
    known = [catalog for catalog in catalogs if catalog is not None]
    if not known:
        return None
    return Catalog(
        events={name: fields for catalog in known for name, fields in catalog.events.items()},
        attributes={name: kind for catalog in known for name, kind in catalog.attributes.items()},
        actions=frozenset().union(*(catalog.actions for catalog in known)),
        learnt=any(catalog.learnt for catalog in known),
    )


def _note(fields: Fields, values: Mapping[str, Any], prefix: str = "", depth: int = DEPTH) -> None:
    """Add the kinds of some values; a field that was of another kind before may be of any."""
    for name, value in values.items():
        kind = _kind_of(value)
        if kind is None:
            continue
        path = f"{prefix}{name}"
        if kind == "object" and depth > 1:
            fields.setdefault(path, "object")
            _note(fields, value, f"{path}.", depth - 1)
        else:
            fields[path] = kind if fields.get(path, kind) == kind else "any"


def _kind_of(value: Any) -> Kind | None:
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"


def _declared(schema: str | None) -> Fields:
    """Return the fields that a schema declares; those inside objects by their dotted paths."""
    fields: Fields = {}

    def note(part: Any, prefix: str, depth: int) -> None:
        properties = part.get("properties") if isinstance(part, dict) else None
        for name, declared in properties.items() if isinstance(properties, dict) else ():
            kind = declared.get("type") if isinstance(declared, dict) else None
            fields[f"{prefix}{name}"] = _KINDS.get(kind, "any") if isinstance(kind, str) else "any"
            if depth > 1:
                note(declared, f"{prefix}{name}.", depth - 1)

    if schema is not None:
        note(json.loads(schema), "", DEPTH)
    return fields
