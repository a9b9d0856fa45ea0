"""Scopes and the roles that grant them."""

from __future__ import annotations

import pytest

from engine.access import GRANTS, SPELLINGS, Role, Scope, granted, scopes_named
from engine.errors import ConfigError

KEYS = {"key:create", "key:list", "key:revoke"}
EVENTS_AND_TYPES = {name for name in map(str, Scope) if name.startswith(("event:", "event_type:"))}
READING = {name for name in map(str, Scope) if name.endswith((":read", ":list"))} - KEYS


def test_roles() -> None:
    assert GRANTS[Role.OWNER] == set(Scope)
    assert GRANTS[Role.ADMIN] == set(Scope) - KEYS
    assert GRANTS[Role.AGENT] == EVENTS_AND_TYPES | READING | {Scope.QUARANTINE_RETRY}


def test_flownally_s_ten_routes_allow_every_role() -> None:
    ten = {f"event_type:{verb}" for verb in ("list", "create", "read", "update", "delete")}
    for role in Role:
        assert ten | {"event:list", "event:create", "event:read"} <= GRANTS[role]


def test_two_spellings_of_one_set() -> None:
    assert scopes_named(["events:write"]) == {"event:create"}
    assert scopes_named(["events:read"]) == {"event:list", "event:read"}
    assert scopes_named(map(str, Scope)) == set(Scope)
    assert set(SPELLINGS) - set(map(str, Scope)) == {"events:write", "events:read"}
    with pytest.raises(ConfigError, match="events:rite"):
        scopes_named(["events:rite"])


def test_a_key_has_what_its_role_grants_and_its_scopes() -> None:
    assert granted(Role.AGENT, {Scope.METRICS}) == GRANTS[Role.AGENT] | {Scope.METRICS}
    assert granted(None, {Scope.METRICS}) == {Scope.METRICS}
