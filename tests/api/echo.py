"""Dialects made for tests: one that answers with what it got, plainly and as trackers call it."""

from __future__ import annotations

from typing import Any

from engine.access import Scope
from engine.api import native
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, scopes


async def echo(call: Call) -> Answer:
    return Answer(200, {"bytes": len(call.raw), "path": dict(call.path), "workspace": call.workspace.name})


async def read(call: Call) -> Answer:
    return Answer(200, {"json": await call.json()})


async def fail(_call: Call) -> Answer:
    raise RuntimeError("SELECT secret FROM /etc/passwd")


async def whole(call: Call) -> Answer:
    return Answer(200, {"limit": call.whole("limit", 50, least=1, most=500)})


def refuse(refused: Refused, request_id: str) -> Answer:
    return Answer(refused.status, {"code": refused.code, "message": refused.message, "id": request_id})


def dialect(name: str, **more: Any) -> Dialect:
    create = scopes(Scope.EVENT_CREATE)
    routes = (
        Route("POST", "/echo", echo, create),
        Route("POST", "/json", read, create),
        Route("GET", "/people/{id}/events", echo, scopes(Scope.EVENT_LIST)),
        Route("POST", "/batch", echo, create, events=100),
        Route("POST", "/limited", echo, create, limit=f"{name}.limited", rate="100/minute"),
        Route("POST", "/fail", fail, create),
        Route("GET", "/whole", whole, scopes(Scope.EVENT_LIST)),
    )
    return Dialect(name, routes, refuse, **more)


ECHO = (native.DIALECT, dialect("echo"), dialect("tracked", tracked=True))
