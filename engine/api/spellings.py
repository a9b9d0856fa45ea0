"""Ids as the dialects spell them. An object has one ULID; every spelling of it is read everywhere.

event        evt_01HV8ZB8C3V5N6M7P8Q9R0S1T2      native, FlowNally
             evt_01hv8zb8c3v5n6m7p8q9r0s1t2      FloKit
             evt_018ed1f5a1836ecb43e0f9...       Flameup: 32 hex digits of the same bits
event type   evt-type_01HV8...
person       con_01HV8...                        FlowNally
             018ed1f5-a183-...                   Flameup: a UUID of the same bits
workspace    ws_01HV8...  tn_01HV8...
key          key_01HV8...
import       imp_01HV8...
refused item qua_01HV8...
"""

from __future__ import annotations

import re
import uuid
from enum import Enum
from functools import lru_cache
from typing import Final

from ulid import ULID


class Kind(Enum):
    """What an id is of, with the prefixes it may have."""

    EVENT = ("evt_",)
    EVENT_TYPE = ("evt-type_",)
    PERSON = ("con_",)
    WORKSPACE = ("ws_", "tn_")
    KEY = ("key_",)
    IMPORT = ("imp_",)
    QUARANTINED = ("qua_",)


_ULID: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", re.IGNORECASE | re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def read(text: str, kind: Kind) -> bytes | None:
    """The 16 bytes that ``text`` spells, with a prefix of its kind or without any; None for anything else."""
    prefix = next((one for one in kind.value if text[: len(one)].lower() == one), "")
    bare = text[len(prefix) :]
    if _ULID.fullmatch(bare):
        return ULID.from_str(bare.upper()).bytes
    return uuid.UUID(bare).bytes if _HEX.fullmatch(bare) else None


def event(id: bytes) -> str:
    """``evt_`` and the ULID in capitals."""
    return f"evt_{ULID(id)}"


def event_lower(id: bytes) -> str:
    """``evt_`` and the ULID in small letters."""
    return f"evt_{ULID(id)}".lower()


def event_hex(id: bytes) -> str:
    """``evt_`` and 32 hex digits."""
    return f"evt_{id.hex()}"


def event_type(id: bytes) -> str:
    return f"evt-type_{ULID(id)}"


def contact(id: bytes) -> str:
    """A person as FlowNally names one: ``con_`` and the ULID."""
    return f"con_{ULID(id)}"


def person(id: bytes) -> str:
    """A person as a UUID."""
    return str(uuid.UUID(bytes=id))


def workspace(id: bytes) -> str:
    """``ws_`` and the ULID."""
    return f"ws_{ULID(id)}"


def tenant(id: bytes) -> str:
    """The same workspace as FlowNally names it: ``tn_`` and the ULID."""
    return f"tn_{ULID(id)}"


@lru_cache
def key(id: bytes) -> str:
    """``key_`` and the ULID; of the few that are in use it is known, for every request's log has it."""
    return f"key_{ULID(id)}"


def upload(id: bytes) -> str:
    """An import as the native API names it."""
    return f"imp_{ULID(id)}"


def quarantined(id: bytes) -> str:
    """What was refused and is kept: ``qua_`` and the ULID."""
    return f"qua_{ULID(id)}"


def of_receipt(id: str) -> bytes:
    """The bytes of an id as an :class:`~engine.receipt.Accepted` or :class:`~engine.receipt.Duplicate` carries it."""
    return ULID.from_str(id.removeprefix("evt_")).bytes
