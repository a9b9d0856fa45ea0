"""The configurations of proxies as the page of the service prints them, run before ``lapse serve``."""

from __future__ import annotations

import re
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.cli.conftest import PATIENCE, Ran, Served, wait_for
from tests.docs.pages import ROOT, blocks
from tests.proofs.test_delivery_processes import free_port

pytestmark = pytest.mark.long
PAGE = ROOT / "docs" / "service.md"
CALLER = "127.0.0.7"
"""Where a client calls from: another address of this machine than the proxy's."""
NGINX = """\
daemon off; pid {place}/pid; error_log {place}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    server {{ listen 127.0.0.1:{port}; {block} }}
}}
"""
CADDY = "{{\n    admin off\n}}\n{block}"


def command(kind: str, place: Path, port: int, behind: int) -> list[str | Path]:
    """What runs a proxy on ``port`` before the service ``behind`` it, by the page's own block."""
    (block,) = blocks(PAGE, {"nginx": "nginx", "caddy": "caddyfile"}[kind])
    text = block.text.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    file = place / f"{kind}.conf"
    if kind == "nginx":
        file.write_text(NGINX.format(place=place, port=port, block=text))
        return ["nginx", "-c", file, "-p", place]
    file.write_text(CADDY.format(block=text.replace("events.example.com", f"http://127.0.0.1:{port}")))
    return ["caddy", "run", "--config", file, "--adapter", "caddyfile"]


class Proxied:
    """A service behind a proxy, and how it is reached."""

    def __init__(self, place: Path, port: int, key: str) -> None:
        self.place, self.port, self.key = place, port, key

    def callers(self) -> list[str]:
        return re.findall(r'"client": "([^"]*)"', (self.place / "log").read_text())


@pytest.fixture(params=["nginx", "caddy"])
def proxied(
    request: pytest.FixtureRequest,
    place: Path,
    lapse: Callable[..., Ran],
    started: Callable[..., subprocess.Popen[bytes]],
    serving: Callable[..., Served],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Proxied]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    monkeypatch.setenv("HOME", str(place))
    (place / "rules").mkdir()
    (place / "rules" / "r.rules").write_text("Rule: r\nTrigger: a\nAction: hello\n")
    (place / "lapse.toml").write_text(
        'store = "sqlite:///lapse.db"\nlog_ids = true\n[serve]\ntrusted_proxies = ["127.0.0.1"]\n'
        '[api]\nkeyless_rate = "5/minute"\n'
    )
    key = lapse("keys", "create", "--role", "owner", "--format", "json").json["key"]
    served = serving(started("serve", "--port", "0"), key)
    port = free_port()
    with subprocess.Popen(command(request.param, place, port, served.port), stderr=subprocess.DEVNULL) as proxy:
        try:
            wait_for(lambda: listens(port))
            yield Proxied(place, port, key)
        finally:
            proxy.terminate()


def listens(port: int) -> bool:
    with closing(socket.socket()) as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_callers_are_told_apart_whatever_they_claim(proxied: Proxied) -> None:
    answers = []
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{proxied.port}",
        transport=httpx2.HTTPTransport(local_address=CALLER),
        timeout=PATIENCE,
    ) as client:
        for number in range(7):
            message = {"type": "track", "event": "a", "userId": "u", "writeKey": f"made up {number}"}
            made_up = {"X-Forwarded-For": f"10.0.0.{number}"}
            answers.append(client.post("/segment/v1/track", json=message, headers=made_up).status_code)
        item = {"event": "a", "user_id": "u"}
        bearer = {"Authorization": f"Bearer {proxied.key}"}
        assert client.post("/v1/events", json=item, headers=bearer).status_code == 200
    assert answers == [401] * 5 + [429] * 2
    assert set(proxied.callers()) == {CALLER}


@pytest.mark.parametrize("proxied", ["nginx"], indirect=True)
def test_of_an_upload_that_is_cut_what_came_is_kept(proxied: Proxied) -> None:
    bearer = {"Authorization": f"Bearer {proxied.key}"}
    url = f"http://127.0.0.1:{proxied.port}/native/v1"
    assert httpx2.get(f"{url}/events", headers=bearer, timeout=PATIENCE).json()["events"] == []
    rows = b"a,u,2026-01-01T00:00:00Z\n" * 1_000
    with socket.create_connection(("127.0.0.1", proxied.port)) as one:
        one.sendall(
            b"POST /native/v1/imports HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
            + f"Authorization: Bearer {proxied.key}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        for part in (b"event,user_id,timestamp\n", *[rows] * 10):
            one.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            time.sleep(0.2)  # until the proxy has handed it on

    def received() -> int:
        with closing(sqlite3.connect("file:lapse.db?mode=ro", uri=True)) as store:
            return int(store.execute("SELECT coalesce(max(received), 0) FROM imports").fetchone()[0])

    wait_for(received)
    assert httpx2.get(f"{url}/events", headers=bearer, timeout=PATIENCE).json()["events"]
