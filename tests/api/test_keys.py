"""Keys: what is kept of them, who is recognised, how they end; over HTTP and in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.access import Role, Scope
from engine.clock import MINUTE, SECOND
from engine.runtime import keyring as keyrings
from engine.runtime.keyring import Keyring
from tests.api.conftest import Api

EVENT = {"event": "signed_up", "user_id": "ann"}


def status(api: Api, key: str) -> int:
    return api.post("/v1/events", EVENT, key=key).status_code


def test_a_key_is_made_listed_and_revoked(api: Api) -> None:
    made = api.post("/v1/keys", {"role": "agent", "scopes": ["metrics"], "name": "shop"})
    assert made.status_code == 201
    key = made.json()
    assert status(api, key["key"]) == 200
    listed = api.get("/v1/keys").json()["keys"][-1]
    assert "key" not in listed
    assert listed == {name: value for name, value in key.items() if name != "key"}
    assert api.ask("DELETE", f"/v1/keys/{key['id'].lower()}").status_code == 204
    assert status(api, key["key"]) == 401
    assert api.ask("DELETE", f"/v1/keys/{key['id']}").status_code == 404
    assert api.get("/v1/keys").json()["keys"][-1]["revoked_at"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "king"}, "role"),
        ({"role": ["owner"]}, "role"),
        ({"scopes": "event:create"}, "scopes"),
        ({"scopes": [1]}, "scopes"),
        ({"scopes": ["event:destroy"]}, "scopes"),
        ({"role": "agent", "name": 1}, "name"),
        ({"role": "agent", "name": "x" * 201}, "name"),
        ({"role": "agent", "expires_at": "soon"}, "expires_at"),
        ({"role": "agent", "expires_at": 5}, "expires_at"),
        ({"role": "agent", "expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"role": "agent", "workspace": "other"}, "workspace"),
    ],
)
def test_keys_that_cannot_be(api: Api, body: dict[str, object], field: str) -> None:
    answer = api.post("/v1/keys", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_a_key_gives_no_more_than_it_has(api: Api) -> None:
    maker = api.make_key(Scope.KEY_CREATE, Scope.EVENT_CREATE)
    assert api.post("/v1/keys", {"scopes": ["event:create"]}, key=maker).status_code == 201
    assert api.post("/v1/keys", {"scopes": ["event:list"]}, key=maker).status_code == 403
    assert api.post("/v1/keys", {"role": "owner"}, key=maker).status_code == 403


def test_a_key_expires_at_its_moment(api: Api) -> None:
    key = api.make_key(role=Role.AGENT, expires_at=api.clock.now() + SECOND)
    api.clock.set(api.clock.now() + SECOND - 1)
    assert status(api, key) == 200
    api.clock.set(api.clock.now() + 1)
    assert status(api, key) == 401


def test_a_key_that_another_process_revoked_is_refused_within_a_second(api: Api) -> None:
    key = api.make_key(role=Role.AGENT)
    assert status(api, key) == 200
    elsewhere = Keyring(api.workspaces.desk)
    id = elsewhere.of_workspace(api.engine.workspace)[-1].public_id
    assert not elsewhere.revoke(api.other.workspace, id, api.clock.now())
    assert elsewhere.revoke(api.engine.workspace, id, api.clock.now())
    api.clock.set(api.clock.now() + keyrings.FRESH)
    assert status(api, key) == 401


def test_a_key_that_was_asked_for_before_it_was_made_is_good_at_once(api: Api) -> None:
    """Text that is no key yet is remembered as such; only for a moment."""
    key = api.make_key(role=Role.AGENT)
    other = key[:6] + "0" * 26 + key[32:]
    assert status(api, other) == 401
    assert status(api, key) == 200


def test_secrets_are_nowhere_in_the_store(api: Api) -> None:
    assert status(api, api.key) == 200
    secret = api.key.rpartition("_")[2].encode()
    path = api.workspaces.store.path
    assert path is not None
    for file in (path, Path(f"{path}-wal")):
        assert secret not in file.read_bytes()


def test_last_use_is_written_now_and_then_not_with_each_request(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = api.app.state.service.keyring
    writes: list[object] = []
    run = api.workspaces.desk.writer.run
    monkeypatch.setattr(api.workspaces.desk.writer, "run", lambda function: (writes.append(function), run(function))[1])
    for _ in range(20):
        assert api.get("/v1/keys").json()["keys"][0]["last_used_at"] is None
    assert writes == []
    ring.flush()
    ring.flush()
    assert len(writes) == 1
    assert api.get("/v1/keys").json()["keys"][0]["last_used_at"] == "2026-01-01T00:00:00Z"
    api.clock.set(api.clock.now() + keyrings.NOTED_EVERY - 1)
    api.get("/v1/keys")
    ring.flush()
    assert len(writes) == 1
    api.clock.set(api.clock.now() + MINUTE)
    api.get("/v1/keys")
    ring.flush()
    assert len(writes) == 2


def test_the_store_is_asked_once_a_second_at_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[bytes] = []
    by_public_id = keyrings.keys.by_public_id
    monkeypatch.setattr(
        keyrings.keys, "by_public_id", lambda connection, id: (reads.append(id), by_public_id(connection, id))[1]
    )
    for _ in range(10):
        status(api, api.key)
    assert len(reads) == 1


def test_remembered_keys_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "REMEMBERED", 10)
    ring = Keyring(api.workspaces.desk)
    for number in range(100):
        assert ring.recognise(f"lapse_{number:026d}_{'a' * 40}", api.clock.now()) is None
    assert len(ring._seen) <= 10
