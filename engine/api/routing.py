"""Which door a path leads to.

Paths are taken apart before they are decoded, so that a slash inside an id (``%2F``) stays in its id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Scope

_ANY: Final = "{}"


@dataclass
class Paths:
    """Doors by their path, segment by segment. A name comes before a parameter."""

    door: ASGIApp | None = None
    names: tuple[str, ...] = ()
    below: dict[str, Paths] = field(default_factory=dict)
    plain: dict[bytes, ASGIApp] = field(default_factory=dict)
    """Doors of whole paths without parameters, as most requests name them."""

    def add(self, pattern: str, door: ASGIApp) -> None:
        """Let ``pattern``, such as ``/v1/people/{id}``, lead to ``door``."""
        here = self
        names = []
        for segment in pattern.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                segment = _ANY  # noqa: PLW2901
            here = here.below.setdefault(segment, Paths())
        here.door, here.names = door, tuple(names)
        if not names:
            self.plain[pattern.encode()] = door

    def find(self, scope: Scope) -> tuple[ASGIApp, dict[str, str]] | None:
        """The door of a request's path, and the path's parameters."""
        raw = scope.get("raw_path") or scope["path"].encode()
        if (door := self.plain.get(raw)) is not None:
            return door, {}
        segments = [unquote(one) for one in raw.decode("ascii", "replace").split("/")[1:]]
        return self._find(segments, 0, ())

    def _find(self, segments: list[str], place: int, values: tuple[str, ...]) -> tuple[ASGIApp, dict[str, str]] | None:
        if place == len(segments):
            return None if self.door is None else (self.door, dict(zip(self.names, values, strict=True)))
        segment = segments[place]
        named = self.below.get(segment) if segment != _ANY else None
        found = named._find(segments, place + 1, values) if named is not None else None
        any_one = self.below.get(_ANY)
        if found is None and any_one is not None and segment:
            found = any_one._find(segments, place + 1, (*values, segment))
        return found
