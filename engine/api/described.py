"""What OpenAPI is told of a route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query, or a header, with its JSON Schema."""

    name: str
    meaning: str
    schema: dict[str, Any]
    required: bool = False


@dataclass(frozen=True)
class Described:
    """A route in words and types. Types are whatever pydantic gives a JSON Schema for."""

    summary: str
    answer: Any
    """The type of a good answer's body; None for one without."""
    status: int = 200
    body: Any = None
    """The type of the request's body, or its JSON Schema as a dict."""
    media: tuple[str, ...] = ()
    """The media types of a request's body that is no JSON of a type, but a file."""
    needs_media: bool = False
    """Whether such a body cannot be left out, because its Content-Type says what the file holds."""
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    refusals: tuple[int, ...] = ()
    """Statuses of refusals beside those that every route has."""
