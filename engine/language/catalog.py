"""What is known of a workspace: its events and their fields, the attributes of people, the bound actions.

An empty catalog knows nothing, and the checks that lean on it stay silent. So does a part that is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "number", "boolean", "date", "list", "object", "any"]
"""What a field holds, as far as it is declared."""

Fields = Mapping[str, Kind]
"""Fields by name; those inside an object stand under their dotted path."""


def _no_events() -> Mapping[str, Fields]:
    return MappingProxyType({})


def _no_fields() -> Fields:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Catalog:
    """Names with their kinds. An event whose fields are not declared maps to an empty ``Fields``."""

    events: Mapping[str, Fields] = field(default_factory=_no_events)
    attributes: Fields = field(default_factory=_no_fields)
    actions: frozenset[str] = frozenset()
    learnt: bool = False
    """Whether events and attributes are what has been seen, and not what is declared: they may refuse no rule."""

    def field_kind(self, event: str | None, parts: tuple[str, ...]) -> Kind | None:
        """What an event's field holds; ``None`` when the event does not declare it."""
        return kind_at(self.events.get(event or "", {}), parts)

    def attribute_kind(self, parts: tuple[str, ...]) -> Kind | None:
        """What a person's attribute holds; ``None`` when it is not known."""
        return kind_at(self.attributes, parts)


def kind_at(fields: Fields, parts: tuple[str, ...]) -> Kind | None:
    """The kind under a dotted path; below an object, a list, or ``any``, everything may stand."""
    path = ".".join(parts)
    if path in fields:
        return fields[path]
    for length in range(len(parts) - 1, 0, -1):
        if fields.get(".".join(parts[:length])) in ("object", "list", "any"):
            return "any"
    return None
