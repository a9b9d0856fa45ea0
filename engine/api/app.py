"""The app: every dialect under its prefix, one of them at ``/`` too, and beside them what belongs to none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from engine.api import common, openapi
from engine.api.dialect import Dialect, Route
from engine.api.dialects import DIALECTS
from engine.api.door import Door
from engine.api.routing import Paths
from engine.api.service import Service, Well
from engine.config import Settings
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

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=life)
    app.state.service = service
    app.include_router(common.router(service, openapi.document(spoken["native"])))
    app.router.default = Doors.of(service, spoken)
    return app


@dataclass(frozen=True)
class Doors:
    """An ASGI app for whatever is a dialect's."""

    paths: Paths
    closed: dict[str, Door]
    """By dialect, the door of paths that lead nowhere."""
    root: str

    @classmethod
    def of(cls, service: Service, spoken: dict[str, Dialect]) -> Doors:
        root, paths = service.settings.api.root, Paths()
        for dialect in spoken.values():
            for path, routes in _by_path(dialect).items():
                door = Door(service, dialect, path, routes)
                paths.add(f"/{dialect.name}{path}", door)
                if dialect.name == root:
                    paths.add(path, door)
        return cls(paths, {name: Door(service, one, "unknown", {}) for name, one in spoken.items()}, root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        found = self.paths.find(scope)
        if found is None:
            prefix = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else ""
            found = self.closed.get(prefix, self.closed[self.root]), {}
        door, scope["path_params"] = found
        await door(scope, receive, send)


def _by_path(dialect: Dialect) -> dict[str, dict[str, Route]]:
    paths: dict[str, dict[str, Route]] = {}
    for route in dialect.routes:
        paths.setdefault(route.path, {})[route.method] = route
    return paths
