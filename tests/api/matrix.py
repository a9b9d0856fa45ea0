"""Rows of the matrix of routes, scopes and workspaces: one for each route of every dialect.

A row says by itself, without asking the code, which scopes a route needs and what it answers. ``prepare`` makes in the
first workspace whatever the path names, and gives the path's parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.api.conftest import Api

SECRET = "only-the-first-workspace-has-this"
"""A text to put into whatever a row prepares: no answer to another workspace's key may hold it."""


def nothing(_api: Api) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Row:
    """A route and what is expected of it."""

    method: str
    path: str
    """As the route has it, without the dialect's prefix."""
    scopes: frozenset[str]
    good: int = 200
    """The status for a key with just these scopes."""
    foreign: int | None = None
    """The status for another workspace's key; None where the path names nothing: then it is ``good``."""
    body: Any = None
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Api], Mapping[str, str]] = nothing


def row(method: str, path: str, *scopes: str, **more: Any) -> Row:
    return Row(method, path, frozenset(scopes), **more)
