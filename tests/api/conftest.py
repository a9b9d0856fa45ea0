"""The real app, asked without a network in between; and two workspaces to tell apart."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx2
import pytest

from engine.access import Role, Scope
from engine.api.app import build
from engine.api.dialect import Dialect
from engine.api.dialects import DIALECTS
from engine.config import load_settings
from engine.runtime.engine import Engine
from engine.runtime.workspaces import Workspaces
from engine.testing import Clock, Recorder, travel

START = "2026-01-01T00:00:00Z"


class Api:
    """The service on a store of its own, under a clock that stands still until :meth:`move`.

    ``api.key`` is an owner's key of the settings' workspace, ``api.other_key`` one of another workspace. Requests carry
    the first as Bearer unless they say otherwise: ``api.post("/flokit/v1/events", {...}, key=None)``.
    """

    def __init__(
        self,
        folder: Path,
        rules: str = "",
        other_rules: str = "",
        dialects: Iterable[Dialect] = DIALECTS,
        daemon: Callable[[], bool] | None = None,
        address: str = "192.0.2.1",
        **settings: Any,
    ) -> None:
        given: dict[str, Any] = {"store": f"sqlite:///{folder / 'lapse.db'}", **settings}
        for name, text in (("rules", rules), ("other", other_rules)):
            (folder / name).mkdir()
            (folder / name / "some.rules").write_text(text)
        given["rules"] = folder / "rules"
        given["workspaces"] = {"other": {"rules": str(folder / "other")}}
        self._folder = folder
        self.clock = Clock(START)
        self._recorder = Recorder()
        self.workspaces = Workspaces.open(settings=load_settings(**given), clock=self.clock, fallback=self._recorder)
        self.app = build(self.workspaces, dialects=dialects, daemon=daemon)
        self.engine: Engine = self.workspaces.default
        self.other: Engine = self.workspaces.create("other")
        self.key = self.make_key(role=Role.OWNER)
        self.other_key = self.make_key(role=Role.OWNER, engine=self.other)
        self._portal_manager = anyio.from_thread.start_blocking_portal()
        self.portal = self._portal_manager.__enter__()
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1234))
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://lapse.test")

    def close(self) -> None:
        self.portal.call(self._client.aclose)
        self._portal_manager.__exit__(None, None, None)
        self.app.state.service.close()
        self.workspaces.close()

    def make_key(self, *scopes: Scope, role: Role | None = None, engine: Engine | None = None, **more: Any) -> str:
        """The text of a new key."""
        workspace = (engine or self.engine).workspace
        return self.app.state.service.keyring.create(workspace, self.clock.now(), role=role, scopes=scopes, **more)[1]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """A request; ``body`` is bytes, or anything that JSON has."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key or self.key}")
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()

        async def request() -> httpx2.Response:
            return await self._client.request(method, path, content=content, headers=sent)

        return self.portal.call(request)

    def at_once(self, method: str, path: str, body: bytes, times: int, **headers: str) -> list[httpx2.Response]:
        """As many equal requests, all under way at the same time; the answers in the order of the requests."""
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}", **headers}

        async def requests() -> list[httpx2.Response]:
            asked = (self._client.request(method, path, content=body, headers=sent) for _ in range(times))
            return await asyncio.gather(*asked)

        return self.portal.call(requests)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.ask("POST", path, body, **more)

    def load(self, rules: str) -> None:
        """Make rules live in the settings' workspace."""
        (self._folder / "rules" / "some.rules").write_text(rules)
        found = self.engine.reload()
        assert found.ok, found.findings

    def move(self, by: str) -> None:
        """Let time pass: what falls due in the settings' workspace is decided and sent."""
        later = Clock(self.clock.now())
        later.move(by)
        travel(self.engine, self.clock, later.now())

    @property
    def actions(self) -> list[Any]:
        """The actions that left, in order."""
        return self._recorder.sent


def basic(key: str) -> dict[str, str]:
    """The header of a key as Basic."""
    return {"Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"}


@pytest.fixture
def make_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Api]]:
    """``make_api(rules, **settings)``: the service with rules and settings of its own."""
    monkeypatch.chdir(tmp_path)
    made: list[Api] = []

    def make(rules: str = "", **settings: Any) -> Api:
        folder = tmp_path / f"api{len(made)}"
        folder.mkdir()
        made.append(Api(folder, rules, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """The service without rules, with the settings as they are."""
    return make_api()
