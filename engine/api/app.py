"""The app: every dialect under its prefix, one of them at ``/`` too, and beside them what belongs to none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api import common
from engine.api.dialect import Dialect, Route
from engine.api.dialects import DIALECTS
from engine.api.door import Door
from engine.api.routing import Paths
from engine.api.service import Service, Well
from engine.api.unsubscribe import Unsubscribe
from engine.config import Settings
from engine.runtime import unsubscribing
from engine.runtime.workspaces import Workspaces


def build(
    workspaces: Workspaces,
    settings: Settings | None = None,
    *,
    dialects: Iterable[Dialect] = DIALECTS,
    daemon: Well | None = None,
) -> FastAPI:
    """The service on open workspaces, which whoever opened them closes. ``app.state.service`` is what it works with.

    ``daemon`` says whether the daemon beside it is well; without one the service is ready without.
    """
    service = Service(workspaces, settings or workspaces.settings, daemon)
    spoken = {dialect.name: dialect for dialect in dialects}

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with common.kept(service):
            yield

    app = App(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=life)
    app.state.service = service
    app.state.probing = common.Probing(service)
    app.state.native = spoken["native"]
    app.include_router(common.ROUTES)
    app.open(service, spoken)
    return app


class App(FastAPI):
    """FastAPI for what belongs to no dialect, behind the doors of the dialects."""

    def open(self, service: Service, spoken: dict[str, Dialect]) -> None:
        """Let requests in."""
        self._doors = Doors(super().__call__, service, spoken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._doors(scope, receive, send)


class Doors:
    """Stands before the app and takes whatever is a dialect's: all but the paths that belong to none."""

    def __init__(self, app: ASGIApp, service: Service, spoken: dict[str, Dialect]) -> None:
        self._app = app
        self._service = service
        self._root = service.settings.api.root
        self._closed = {name: Door(service, one, "unknown", {}) for name, one in spoken.items()}
        self._paths = Paths()
        self._paths.add(unsubscribing.PATH, Unsubscribe(service))
        for dialect in spoken.values():
            for path, routes in _by_path(dialect).items():
                door = Door(service, dialect, path, routes)
                self._paths.add(f"/{dialect.name}{path}", door)
                if dialect.name == self._root:
                    self._paths.add(path, door)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._answered({**scope, "method": "GET"}, receive, partial(_without_body, send))
        else:
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in common.PATHS:
            alone = scope["type"] == "http" and scope["path"] != common.METRICS and self._service.is_for_metrics(scope)
            await (self._closed[self._root] if alone else self._app)(scope, receive, send)
            return
        if self._service.is_for_metrics(scope):
            await self._closed[self._root](scope, receive, send)
            return
        door, scope["path_params"] = self._paths.find(scope) or (self._nowhere(scope["path"]), {})
        await door(scope, receive, send)

    def _nowhere(self, path: str) -> Door:
        """The door of a path that leads nowhere: of the dialect whose prefix it has, else of the one at ``/``."""
        prefix = path.split("/", 2)[1] if path.startswith("/") else ""
        return self._closed.get(prefix, self._closed[self._root])


async def _without_body(send: Send, message: Message) -> None:
    """The answer to HEAD is that to GET, with the same head."""
    await send({**message, "body": b""} if message["type"] == "http.response.body" else message)


def _by_path(dialect: Dialect) -> dict[str, dict[str, Route]]:
    paths: dict[str, dict[str, Route]] = {}
    for route in dialect.routes:
        paths.setdefault(route.path, {})[route.method] = route
    return paths
