"""What belongs to no dialect: health, readiness, metrics and the description; and the service's housekeeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine import access
from engine.api import openapi
from engine.api.credentials import key_of_headers, unauthorized
from engine.api.dialect import Refused
from engine.api.logs import fault, log
from engine.api.service import Service
from engine.store import probe

PATHS: Final = frozenset({"/health", "/ready", "/metrics", "/openapi.json"})

METRICS: Final = "/metrics"

FLUSH_SECONDS: Final = 60
"""How often it is written down when keys were last used."""

PROBE_SECONDS: Final = 5
"""How long a write may take before the service calls itself unready."""


class Readiness(BaseModel):
    """Whether requests can be carried out, and whether what is due will be decided."""

    status: Literal["ready", "degraded", "unready"]
    store: Literal["ok", "unwritable"]
    daemon: Literal["ok", "unwell", "elsewhere", "none"]
    set_aside: int


ROUTES: Final = APIRouter()
"""``/health``, ``/ready``, ``/metrics`` and ``/openapi.json`` of the app's ``state``: they hold on to no service."""


@ROUTES.get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@ROUTES.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """The store can be written, and the daemon beside the service is well; degraded while rules fail for somebody."""
    found = await _readiness(request.app.state.service, request.app.state.probing)
    return JSONResponse(found.model_dump(), 503 if found.status == "unready" else 200)


@ROUTES.get("/metrics")
async def metrics(request: Request) -> Response:
    """For Prometheus: with a key of the scope ``metrics``, or at the port that is for nothing else."""
    service: Service = request.app.state.service
    try:
        await _may_measure(service, request)
    except Refused as refused:
        error = {"code": refused.code, "message": refused.message}
        return JSONResponse({"error": error}, refused.status, refused.headers)
    text = await service.in_thread(generate_latest, service.metrics.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@ROUTES.get("/openapi.json")
async def described(request: Request) -> JSONResponse:
    """The native API."""
    state = request.app.state
    settings = state.service.settings
    figures = (settings.limits, settings.types.description_length)
    return JSONResponse(await state.service.in_thread(openapi.document, state.native, *figures))


async def _readiness(service: Service, probing: Probing) -> Readiness:
    writable = await probing.writable()
    if service.daemon is not None:
        daemon: Literal["ok", "unwell", "elsewhere", "none"] = "ok" if service.daemon() else "unwell"
    else:
        daemon = "elsewhere" if service.workspaces.store.holder() is not None else "none"
    well = writable and daemon != "unwell"
    aside = await service.in_thread(service.workspaces.set_aside) if well else 0
    return Readiness(
        status="unready" if not well else "degraded" if aside else "ready",
        store="ok" if writable else "unwritable",
        daemon=daemon,
        set_aside=aside,
    )


class Probing:
    """Writes to the store as much as an ingest may; those who ask meanwhile wait for the same write."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: asyncio.Future[None] | None = None

    async def writable(self) -> bool:
        if self._running is None or self._running.done():
            self._running = asyncio.ensure_future(self._service.in_thread(self._write))
        try:
            await asyncio.wait_for(asyncio.shield(self._running), PROBE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the store was not written
            log.error("store", **fault(error))
            return False
        return True

    def _write(self) -> None:
        service = self._service
        service.workspaces.desk.writer.run(
            lambda connection: probe.write(connection, service.settings.limits.event_bytes)
        )


async def _may_measure(service: Service, request: Request) -> None:
    """Raises Refused for anybody who has not the key for it, but at the port of its own."""
    if service.is_for_metrics(request.scope):
        return
    text = key_of_headers(request.headers, basic=False)
    if text is None:
        raise unauthorized()
    key = await service.in_thread(service.recognise, text)
    if key is None:
        raise unauthorized()
    if access.Scope.METRICS not in key.scopes:
        raise Refused(403, "forbidden", "the key lacks the scope metrics")


@asynccontextmanager
async def kept(service: Service) -> AsyncIterator[None]:
    """Look after the service while the app runs, and close it at its end."""
    flushing = asyncio.create_task(_flush(service))
    try:
        yield
    finally:
        flushing.cancel()
        with suppress(asyncio.CancelledError):
            await flushing
        await asyncio.to_thread(service.close)


async def _flush(service: Service) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        try:
            await asyncio.to_thread(service.keyring.flush)
        except Exception as error:  # noqa: BLE001 - it is tried again, and nobody is refused for it
            log.error("keys", **fault(error))
