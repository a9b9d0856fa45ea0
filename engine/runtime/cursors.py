"""Where pages of a list go on: behind a row, whatever comes in or goes meanwhile.

Rows are numbered over all workspaces, and their numbers would tell one how much the others store. So a cursor is the
place encrypted under the workspace's secret, with a tag that holds for this one list: the tag is made from the place,
and the mask that hides the place from the tag.
"""

from __future__ import annotations

import base64
import hmac
import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, Protocol

from engine.errors import ConfigError
from engine.store import Connection, secrets
from engine.strict_json import shown

Of = Literal["events", "arrivals", "journeys", "deliveries", "quarantine"]
"""The list that a cursor is of."""

LAST: Final = 2**63 - 1
"""Behind this lie all rows."""

_PLACE: Final = struct.Struct(">qq")
_TAG: Final = 14
"""Bytes of a tag: with a place they are 30, which base 32 writes without padding."""


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
    sealed = _bytes(after)
    if len(sealed) == _TAG + _PLACE.size:
        key = _key(connection, workspace, of)
        tag, packed = sealed[:_TAG], _masked(key, sealed[:_TAG], sealed[_TAG:])
        if hmac.compare_digest(tag, _tag(key, packed)):
            return Place(*_PLACE.unpack(packed))
    raise ConfigError(f"'{shown(after)}' is no cursor; pass on what the page before gave, unchanged")


def cursor(connection: Connection, workspace: int, of: Of, place: tuple[int, int]) -> str:
    """What a page behind a place is asked with."""
    key, packed = _key(connection, workspace, of), _PLACE.pack(*place)
    tag = _tag(key, packed)
    return base64.b32encode(tag + _masked(key, tag, packed)).decode()


def following(connection: Connection, workspace: int, of: Of, found: Sequence[Numbered], limit: int) -> str | None:
    """What the next page is asked with, where more than ``limit`` rows were found; else None."""
    return cursor(connection, workspace, of, (0, found[limit - 1].id)) if len(found) > limit else None


def _bytes(text: str) -> bytes:
    try:
        return base64.b32decode(text)
    except ValueError:
        return b""


def _key(connection: Connection, workspace: int, of: Of) -> bytes:
    return blake2b(of.encode(), key=secrets.secret(connection, workspace), digest_size=32, person=b"cursor").digest()


def _tag(key: bytes, packed: bytes) -> bytes:
    return blake2b(packed, key=key, digest_size=_TAG, person=b"tag").digest()


def _masked(key: bytes, tag: bytes, packed: bytes) -> bytes:
    """What hides a place, and shows it again."""
    mask = blake2b(tag, key=key, digest_size=_PLACE.size, person=b"mask").digest()
    return bytes(one ^ other for one, other in zip(packed, mask, strict=True))
