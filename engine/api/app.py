"""The app: every dialect under its prefix, one of them at ``/`` too, and what belongs to none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.api import common
from engine.api.dialect import Dialect, Route
from engine.api.dialects import DIALECTS
from engine.api.door import Door
from engine.api.service import Service
from engine.config import Settings
from engine.runtime.workspaces import Workspaces


def build(
    workspaces: Workspaces,
    settings: Settings | None = None,
    *,
    dialects: Iterable[Dialect] = DIALECTS,
) -> FastAPI:
    """The service on open workspaces, which whoever opened them closes. ``app.state.service`` is what it works with."""
    service = Service(workspaces, settings or workspaces.settings)
    spoken = {dialect.name: dialect for dialect in dialects}
    root = spoken[service.settings.api.root]

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        async with common.kept(service):
            yield

    app = FastAPI(title="Lapse", docs_url=None, redoc_url=None, openapi_url=None, lifespan=life)
    app.router.redirect_slashes = False
    app.state.service = service
    app.router.routes = [
        *common.routes(service, spoken),
        *(one for dialect in spoken.values() for one in _routes(service, dialect, f"/{dialect.name}")),
        *_routes(service, root, ""),
    ]
    app.router.default = _elsewhere(service, spoken, root)
    return app


def _routes(service: Service, dialect: Dialect, prefix: str) -> list[BaseRoute]:
    """A door for every path of a dialect."""
    paths: dict[str, dict[str, Route]] = {}
    for route in dialect.routes:
        paths.setdefault(route.path, {})[route.method] = route
    return [StarletteRoute(prefix + path, Door(service, dialect, methods)) for path, methods in paths.items()]


def _elsewhere(service: Service, spoken: Mapping[str, Dialect], root: Dialect) -> ASGIApp:
    """404 in the shape of the dialect whose prefix the path has, else of the one at ``/``."""
    doors = {name: Door(service, dialect, {}) for name, dialect in spoken.items()}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else ""
        await doors.get(name, doors[root.name])(scope, receive, send)

    return answer
