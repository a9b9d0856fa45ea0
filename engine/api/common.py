"""What belongs to no dialect: health, readiness, metrics and the description; and the service's housekeeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.api.dialect import Dialect
from engine.api.service import Service

FLUSH_SECONDS: Final = 60
"""How often it is written down when keys were last used."""


def routes(_service: Service, _spoken: Mapping[str, Dialect]) -> list[BaseRoute]:
    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [Route("/health", health)]


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
        await asyncio.to_thread(service.keyring.flush)
