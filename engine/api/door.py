"""One path of one dialect: who comes in, and what goes out.

In this order: the method, the key, its scopes, the rate limit, and only then the body. Whatever happens, the answer is
JSON in the dialect's own shape, with the request's id.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json
from starlette.datastructures import Headers, QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from engine.access import INGEST, Key
from engine.api import spellings
from engine.api.bodies import BodyLimits, body_of, check_transfer, chunks_of
from engine.api.credentials import key_of_body, key_of_headers, unauthorized
from engine.api.dialect import LARGE_BYTES, Answer, Call, Dialect, Refused, Route
from engine.api.logs import fault, log
from engine.api.memory import RequestMemory
from engine.api.service import Service
from engine.durations import in_micros
from engine.errors import StoreError

_GONE: Final = 499
"""The status the log has of a client that left; nobody receives it."""

_NO_QUERY: Final = QueryParams()

_SHARED: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "retry-after, x-request-id",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count",
    "Access-Control-Max-Age": "86400",
}


@dataclass(slots=True)
class Visit:
    """A request, and what is known of it so far."""

    request: Request
    id: str
    memory: RequestMemory
    key: Key | None = None
    raw: bytes | None = None
    parsed: list[Any] = field(default_factory=list)
    """The body as JSON, where it was read for its key."""
    headers: dict[str, str] = field(default_factory=dict)
    """What the answer will carry, whatever it is."""


class Door:
    """An ASGI app for the routes of one path, by method."""

    def __init__(self, service: Service, dialect: Dialect, path: str, routes: Mapping[str, Route]) -> None:
        """``path`` is what logs and metrics call it. Without routes, it is the door of paths that lead nowhere."""
        self._service = service
        self._dialect = dialect
        self._routes = routes
        self._tracked = dialect.tracked and bool(routes)
        self._path = path
        self._seconds = in_micros(service.settings.api.body_seconds) / 1_000_000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        visit = Visit(Request(scope, receive), f"req_{os.urandom(12).hex()}", self._service.request_memory())
        try:
            answer = await self._answer(visit)
        finally:
            visit.memory.release()
        await self._send(answer, visit.id, send)
        self._note(visit, answer.status, time.perf_counter() - begun)

    async def _answer(self, visit: Visit) -> Answer:
        """The answer, whatever happens."""
        try:
            return await self._admitted(visit)
        except Refused as refused:
            return self._refusal(visit, refused)
        except ClientDisconnect:
            return Answer(_GONE)
        except StoreError as error:
            log.error("store", request_id=visit.id, **fault(error))
            return self._refusal(
                visit, Refused(503, "unavailable", "the store cannot be used just now", headers={"Retry-After": "1"})
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer without it
            log.error("fault", request_id=visit.id, **fault(error))
            return self._refusal(visit, Refused(500, "internal", "something went wrong here; it has been logged"))

    def _refusal(self, visit: Visit, refused: Refused) -> Answer:
        shaped = self._dialect.refuse(refused, visit.id)
        return Answer(shaped.status, shaped.body, {**visit.headers, **refused.headers, **shaped.headers})

    async def _admitted(self, visit: Visit) -> Answer:
        request = visit.request
        if self._tracked and request.method == "OPTIONS":
            return Answer(204, None, _PREFLIGHT)
        check_transfer(request.headers)
        route = self._route(request.method)
        key = visit.key = await self._key(visit, route)
        self._allow(key, route, request.headers)
        visit.headers = self._service.rates.count(self._dialect.name, route, key.workspace)
        raw = b"" if route.streams else await self._body(visit, route)
        answer = await route.handler(self._call(visit, key, raw))
        return Answer(answer.status, answer.body, {**visit.headers, **answer.headers})

    def _route(self, method: str) -> Route:
        if not self._routes:
            raise Refused(404, "not_found", "there is no such route")
        if method not in self._routes:
            allow = ", ".join(sorted(self._routes))
            raise Refused(405, "method_not_allowed", f"this route takes {allow}", headers={"Allow": allow})
        return self._routes[method]

    # ----------------------------------------------------------------------------------------------- who

    async def _key(self, visit: Visit, route: Route) -> Key:
        text = key_of_headers(visit.request.headers, basic=self._dialect.tracked)
        if text is None:
            text = await self._key_in_body(visit, route)
        service = self._service
        if service.keyring.knows(text, service.now()):
            key = service.recognise(text)
        else:
            key = await service.in_thread(service.recognise, text)
        if key is None:
            raise unauthorized()
        return key

    async def _key_in_body(self, visit: Visit, route: Route) -> str:
        """Only where trackers call: nobody is known yet, so an address may do so only so often."""
        if not self._dialect.tracked:
            raise unauthorized()
        self._service.rates.count_keyless(self._service.callers.of(visit.request))
        raw = await self._body(visit, route)
        parse = partial(visit.memory.parse, raw)
        try:
            visit.parsed.append(await self._service.in_thread(parse) if len(raw) > LARGE_BYTES else parse())
        except Refused as refused:
            raise (unauthorized() if refused.code == "malformed" else refused) from None
        return key_of_body(visit.parsed[0])

    def _allow(self, key: Key, route: Route, headers: Headers) -> None:
        missing = route.scopes - key.scopes
        if missing:
            named = ", ".join(sorted(missing))
            raise Refused(403, "forbidden", f"the key lacks the scope {named}")
        if self._dialect.tracked and "origin" in headers and key.scopes != INGEST:
            advice = "anybody can read a key used in a browser; use one with the scope event:create alone"
            raise Refused(403, "forbidden", advice)

    # ---------------------------------------------------------------------------------------------- what

    async def _body(self, visit: Visit, route: Route) -> bytes:
        """The body; of somebody not known yet, never more than a single event's may have."""
        if visit.raw is None:
            settings = self._service.settings
            events = route.events if route.events is not None and visit.key is not None else 0
            many = events * settings.limits.event_bytes
            most = max(settings.api.body_bytes, many)
            limits = BodyLimits(most, self._seconds, visit.memory, self._service.threads)
            visit.raw = await body_of(visit.request, limits)
        return visit.raw

    def _call(self, visit: Visit, key: Key, raw: bytes) -> Call:
        service, request = self._service, visit.request
        engine = service.workspaces.engine(key.workspace)
        return Call(
            engine=engine,
            workspace=service.workspaces.row(key.workspace),
            key=key,
            request_id=visit.id,
            dialect=self._dialect.name,
            path=request.scope["path_params"],
            query=QueryParams(query) if (query := request.scope["query_string"]) else _NO_QUERY,
            headers=request.headers,
            raw=raw,
            chunks=partial(chunks_of, request, self._seconds, service.settings.api.upload_rate),
            now=service.now(),
            keyring=service.keyring,
            threads=service.threads,
            waking=service.waking,
            counted=partial(service.metrics.ingested, self._dialect.name),
            memory=visit.memory,
            parsed=visit.parsed,
        )

    # ------------------------------------------------------------------------------------------ what for

    async def _send(self, answer: Answer, id: str, send: Send) -> None:
        body = b"" if answer.body is None else to_json(answer.body)
        headers = {"X-Request-Id": id, **(_SHARED if self._tracked else {}), **answer.headers}
        if body:
            headers |= {"Content-Type": "application/json"}
        if answer.status != HTTPStatus.NO_CONTENT:
            headers |= {"Content-Length": str(len(body))}
        sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    def _note(self, visit: Visit, status: int, seconds: float) -> None:
        method = visit.request.method if visit.request.method in self._routes else "other"
        self._service.metrics.requested(self._dialect.name, method, self._path, status, seconds)
        log.info(
            "request",
            request_id=visit.id,
            dialect=self._dialect.name,
            method=method,
            route=self._path,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            bytes=len(visit.raw or b""),
            workspace=visit.key.workspace if visit.key is not None else None,
            key=spellings.key(visit.key.id) if visit.key is not None else None,
            **self._service.caller_for_log(visit.request),
        )
