"""``lapse serve``, ``lapse keys``, ``lapse workspaces``: as processes, over a real socket."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.cli.conftest import PATIENCE, Ran, Served, wait_for

RULES = 'Rule: cart\nTrigger: cart_updated\nAction: send_email "cart"\n'
Started = Callable[..., "subprocess.Popen[bytes]"]
Serving = Callable[..., Served]


@pytest.fixture
def lapse_key(lapse: Callable[..., Ran]) -> str:
    made = lapse("keys", "create", "--role", "owner", "--format", "json")
    return str(made.json["key"])


def test_events_in_actions_out_and_a_clean_stop(
    place: Path, started: Started, serving: Serving, lapse_key: str
) -> None:
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    served = serving(started("serve", "--port", "0"), lapse_key)
    assert served.client.get("/ready").json() == {"status": "ready", "store": "ok", "daemon": "ok", "set_aside": 0}
    answer = served.client.post("/native/v1/events", json={"event": "cart_updated", "user_id": "ann"})
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert served.client.post("/native/v1/events", json={}, headers={"Authorization": ""}).status_code == 401
    wait_for(lambda: served.client.get("/v1/deliveries").json()["deliveries"][:1])
    assert 'lapse_ingested_total{dialect="native",outcome="accepted"} 1.0' in served.client.get("/metrics").text
    assert served.stop() == 0
    assert served.log[-1]["message"] == "stopped"
    requests = [entry for entry in served.log if entry["message"] == "request"]
    assert requests[0]["route"] == "/v1/events"
    assert lapse_key not in (place / "log").read_text()


def own_address() -> str:
    """An address of this machine that is not the loopback's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but the loopback's")
        return str(probe.getsockname()[0])


def answers(host: str, port: object) -> bool:
    try:
        return httpx2.get(f"http://{host}:{port}/health").status_code == 200
    except httpx2.TransportError:
        return False


def test_without_a_key_only_this_machine_is_answered_and_with_one_everybody(
    started: Started, serving: Serving, process: Callable[..., Ran]
) -> None:
    served = serving(started("serve", "--host", "0.0.0.0", "--port", "0", "--no-daemon"))
    assert served.client.post("/v1/events", json={}).status_code == 401
    assert any("no key yet" in str(entry["message"]) for entry in served.log)
    host = own_address()
    assert not answers(host, served.port)
    assert process("keys", "create", "--role", "owner").code == 0
    wait_for(lambda: answers(host, served.port))
    assert served.stop() == 0


def test_with_a_key_it_listens_where_it_is_told(
    place: Path, started: Started, serving: Serving, lapse_key: str
) -> None:
    served = serving(started("serve", "--host", "0.0.0.0", "--port", "0", "--no-daemon"), lapse_key)
    assert served.host == "0.0.0.0"
    assert served.stop() == 0


def test_a_daemon_elsewhere(
    place: Path, started: Started, serving: Serving, lapse_key: str, process: Callable[..., Ran]
) -> None:
    (place / "rules").mkdir()
    served = serving(started("serve", "--port", "0"), lapse_key)
    refused = process("serve", "--port", "0")
    assert refused.code == 2
    assert "runs the daemon" in refused.err
    taken = process("serve", "--no-daemon", "--port", served.port)
    assert taken.code == 2
    assert "cannot listen" in taken.err
    assert process("serve", "--no-daemon", "--rules", "rules").code == 2
    assert served.stop() == 0


def test_requests_under_way_are_answered_before_it_stops(
    place: Path, started: Started, serving: Serving, lapse_key: str
) -> None:
    served = serving(started("serve", "--port", "0", "--no-daemon"), lapse_key)
    body = json.dumps({"event": "cart_updated", "user_id": "ann"}).encode()
    with socket.create_connection((served.host, served.port), PATIENCE) as half:
        half.sendall(head(lapse_key, len(body)))
        wait_for(lambda: b"100 Continue" in half.recv(1000))
        stopping = threading.Thread(target=served.stop)
        stopping.start()
        half.sendall(body)
        assert b"200 OK" in half.recv(1000)
        stopping.join(PATIENCE)
    assert served.process.returncode == 0


def head(key: str, length: int, *more: str) -> bytes:
    lines = ["POST /v1/events HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", f"Content-Length: {length}"]
    return "\r\n".join([*lines, "Expect: 100-continue", *more, "", ""]).encode()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side hangs up."""
    parts = []
    while part := connection.recv(1000):
        parts.append(part)
    return b"".join(parts)


def endures(connection: socket.socket, data: bytes, times: int) -> bool:
    """Whether the other side takes all of it."""
    try:
        for _ in range(times):
            connection.sendall(data)
    except OSError:
        return False
    return True


def test_slow_clients_are_let_go(place: Path, started: Started, serving: Serving, lapse_key: str) -> None:
    (place / "lapse.toml").write_text('[api]\nbody_seconds = "1 second"\n')
    served = serving(started("serve", "--port", "0", "--no-daemon"), lapse_key)
    address = (served.host, served.port)
    with socket.create_connection(address, PATIENCE) as body, socket.create_connection(address, PATIENCE) as silent:
        with socket.create_connection(address, PATIENCE) as endless:
            body.sendall(head(lapse_key, 100) + b'{"event"')
            assert b"100 Continue" in body.recv(1000)
            assert b"408" in everything(body)
            silent.sendall(b"POST /v1/events HT")
            endless.sendall(b"GET / HTTP/1.1\r\n")
            assert not endures(endless, b"x-filler: " + b"y" * 1000 + b"\r\n", 10_000)
        assert everything(silent) == b""
    assert served.client.get("/health").status_code == 200
    assert served.stop() == 0


def test_nobody_is_asked_for_a_body_before_they_are_known(
    place: Path, started: Started, serving: Serving, lapse_key: str
) -> None:
    served = serving(started("serve", "--port", "0", "--no-daemon"), lapse_key)
    for key, length, status in (("nonsense", 100, b"401"), (lapse_key, 1_000_001, b"413")):
        with socket.create_connection((served.host, served.port), PATIENCE) as asking:
            asking.sendall(head(key, length))
            answer = asking.recv(1000)
            assert status in answer
            assert b"100 Continue" not in answer
    assert served.stop() == 0


def test_keys(lapse: Callable[..., Ran]) -> None:
    made = lapse("keys", "create", "--role", "agent", "--name", "shop", "--expires", "90 days")
    assert re.fullmatch(r"lapse_[0-9a-z]{26}_[A-Za-z0-9]{40}\n", made.out)
    assert "cannot be shown again" in made.err
    lapse("keys", "create", "--scope", "events:write", "--scope", "metrics")
    first, second = lapse("keys", "list", "--format", "json").json["keys"]
    assert (first["name"], first["role"], first["scopes"]) == ("shop", "agent", [])
    assert second["scopes"] == ["event:create", "metrics"]
    secret = made.out.strip().rpartition("_")[2]
    assert secret not in lapse("keys", "list").out
    assert lapse("keys", "revoke", first["id"]).code == 0
    assert lapse("keys", "revoke", first["id"]).code == 2
    assert "revoked" in lapse("keys", "list").out


@pytest.mark.parametrize(
    "words",
    [
        ["create"],
        ["create", "--role", "king"],
        ["create", "--scope", "event:destroy"],
        ["create", "--role", "owner", "--workspace", "nowhere"],
        ["create", "--role", "owner", "--expires", "soon"],
        ["create", "--role", "owner", "--expires", "2020-01-01T00:00:00Z"],
        ["revoke", "nonsense"],
        ["list", "--workspace", "nowhere"],
    ],
)
def test_keys_that_cannot_be(lapse: Callable[..., Ran], words: list[str]) -> None:
    assert lapse("keys", *words).code == 2


def test_workspaces(lapse: Callable[..., Ran]) -> None:
    assert lapse("workspaces", "create", "acme").code == 0
    assert lapse("workspaces", "create", "acme").code == 2
    assert [one["name"] for one in lapse("workspaces", "list", "--format", "json").json["workspaces"]] == [
        "default",
        "acme",
    ]
    assert "acme" in lapse("workspaces", "list").out
    lapse("keys", "create", "--role", "owner", "--workspace", "acme")
    assert lapse("keys", "list", "--format", "json").json == {"keys": []}
    assert len(lapse("keys", "list", "--workspace", "acme", "--format", "json").json["keys"]) == 1
