"""Who may do what: scopes, the roles that grant them, and what a key carries.

There is one set of scopes. Two of the vendors whose dialects Lapse speaks name some of them differently; every name
is read everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.errors import ConfigError


class Scope(StrEnum):
    """One thing a key may do."""

    EVENT_CREATE = "event:create"
    EVENT_LIST = "event:list"
    EVENT_READ = "event:read"
    EVENT_TYPE_CREATE = "event_type:create"
    EVENT_TYPE_LIST = "event_type:list"
    EVENT_TYPE_READ = "event_type:read"
    EVENT_TYPE_UPDATE = "event_type:update"
    EVENT_TYPE_DELETE = "event_type:delete"
    PERSON_READ = "person:read"
    PERSON_ERASE = "person:erase"
    RULE_READ = "rule:read"
    JOURNEY_READ = "journey:read"
    DELIVERY_READ = "delivery:read"
    DELIVERY_REDRIVE = "delivery:redrive"
    PAUSE_READ = "pause:read"
    PAUSE_CREATE = "pause:create"
    PAUSE_END = "pause:end"
    IMPORT_CREATE = "import:create"
    IMPORT_READ = "import:read"
    QUARANTINE_READ = "quarantine:read"
    QUARANTINE_RETRY = "quarantine:retry"
    QUARANTINE_DELETE = "quarantine:delete"
    METRICS = "metrics"
    KEY_CREATE = "key:create"
    KEY_LIST = "key:list"
    KEY_REVOKE = "key:revoke"


SPELLINGS: Final[Mapping[str, frozenset[Scope]]] = {
    **{scope.value: frozenset({scope}) for scope in Scope},
    "events:write": frozenset({Scope.EVENT_CREATE}),
    "events:read": frozenset({Scope.EVENT_LIST, Scope.EVENT_READ}),
}
"""Every name of a scope, and the scopes it stands for."""

INGEST: Final = frozenset({Scope.EVENT_CREATE})
"""All that a key used in browsers may have: anybody can read it there."""


class Role(StrEnum):
    """A bundle of scopes."""

    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"


_KEYS: Final = frozenset({Scope.KEY_CREATE, Scope.KEY_LIST, Scope.KEY_REVOKE})
_ADMIN_ONLY: Final = frozenset(
    {
        Scope.PERSON_ERASE,
        Scope.DELIVERY_REDRIVE,
        Scope.PAUSE_CREATE,
        Scope.PAUSE_END,
        Scope.IMPORT_CREATE,
        Scope.QUARANTINE_DELETE,
        Scope.METRICS,
    }
)

GRANTS: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.OWNER: frozenset(Scope),
    Role.ADMIN: frozenset(Scope) - _KEYS,
    Role.AGENT: frozenset(Scope) - _KEYS - _ADMIN_ONLY,
}
"""Owner: everything. Admin: all but keys. Agent: events, also those refused at first, their types, and reading."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was found good. ``id`` is its public part, 16 bytes; ``workspace`` the row it belongs to."""

    row: int
    workspace: int
    id: bytes
    scopes: frozenset[Scope]
    role: Role | None = None
    name: str | None = None


def scopes_named(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes that names in either spelling stand for. Raises ConfigError for a name that is none."""
    found: set[Scope] = set()
    for name in names:
        if name not in SPELLINGS:
            raise ConfigError(f"'{name}' is no scope; scopes are {', '.join(sorted(SPELLINGS))}")
        found |= SPELLINGS[name]
    return frozenset(found)


def granted(role: Role | None, scopes: Iterable[Scope]) -> frozenset[Scope]:
    """What a key may do that was given a role, scopes, or both."""
    return frozenset(scopes) | (GRANTS[role] if role is not None else frozenset())
