"""Where pages of a list go on: behind a row, whatever comes in or goes meanwhile.

Rows are numbered over all workspaces, and their numbers would tell one how much the others store. So a cursor is the
place, hidden under the workspace's secret for this one list.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol

from engine.errors import ConfigError
from engine.runtime.masking import Mask
from engine.store import Connection
from engine.strict_json import shown

Of = Literal["events", "arrivals", "journeys", "deliveries", "quarantine", "addresses"]
"""The list that a cursor is of."""

LAST: Final = 2**63 - 1
"""Behind this lie all rows."""

_PLACE: Final = struct.Struct(">qq")
"""With a tag they are 30 bytes, which base 32 writes without padding."""


class Place(NamedTuple):
    """A moment and a row; lists that go by rows alone have no moment."""

    at: int
    row: int


class Numbered(Protocol):
    """A row with its number."""

    @property
    def id(self) -> int: ...


def behind(connection: Connection, workspace: int, of: Of, after: str | None) -> Place:
    """The place behind which a page begins. Raises ConfigError for an ``after`` that no page of this list gave."""
    if after is None:
        return Place(LAST, LAST)
    packed = _mask(connection, workspace, of).show(_bytes(after))
    if packed is not None:
        return Place(*_PLACE.unpack(packed))
    raise ConfigError(f"'{shown(after)}' is no cursor; pass on what the page before gave, unchanged")


def cursor(connection: Connection, workspace: int, of: Of, place: tuple[int, int]) -> str:
    """What a page behind a place is asked with."""
    return base64.b32encode(_mask(connection, workspace, of).hide(_PLACE.pack(*place))).decode()


def following(connection: Connection, workspace: int, of: Of, found: Sequence[Numbered], limit: int) -> str | None:
    """What the next page is asked with, where more than ``limit`` rows were found; else None."""
    return cursor(connection, workspace, of, (0, found[limit - 1].id)) if len(found) > limit else None


def _bytes(text: str) -> bytes:
    try:
        return base64.b32decode(text)
    except ValueError:
        return b""


def _mask(connection: Connection, workspace: int, of: Of) -> Mask:
    return Mask(connection, workspace, f"cursor {of}")
