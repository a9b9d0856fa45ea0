"""A real service on a real port, with its daemon, for the clients that people have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.access import Scope
from engine.api.app import build
from engine.api.server import listening, server
from engine.clock import DAY, WallClock
from engine.config import load_settings
from engine.daemon import Daemon
from engine.delivery.channels import Outgoing
from engine.runtime.keyring import Keyring
from engine.runtime.workspaces import Workspaces
from engine.testing import Recorder


class Adjustable(WallClock):
    """The machine's clock, some time ago."""

    ago = DAY

    def now(self) -> int:
        return super().now() - self.ago


class Service:
    """The service, its rules live since yesterday, under a key that may only ingest."""

    def __init__(self, folder: Path, rules: str, **settings: Any) -> None:
        (folder / "some.rules").write_text(rules)
        clock = Adjustable()
        chosen = load_settings(store=f"sqlite:///{folder / 'lapse.db'}", rules=folder / "some.rules", **settings)
        self._outbox = Recorder()
        self._workspaces = Workspaces.open(settings=chosen, clock=clock, fallback=self._outbox)
        self.engine = self._workspaces.default
        clock.ago = 0
        self.key = Keyring(self._workspaces.desk).create(
            self.engine.workspace, clock.now(), scopes=(Scope.EVENT_CREATE,)
        )[1]
        self._daemon = Daemon(self._workspaces)
        self._daemon.start()
        self._socket = listening("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = server(build(self._workspaces), chosen.api)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    @property
    def actions(self) -> list[Outgoing]:
        """The actions that left, in order."""
        return self._outbox.sent

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._daemon.stop()
        self._workspaces.close()


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    """``serve(rules, **settings)``: a service of one's own."""
    monkeypatch.chdir(tmp_path)
    made: list[Service] = []

    def make(rules: str, **settings: Any) -> Service:
        made.append(Service(tmp_path, rules, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()
