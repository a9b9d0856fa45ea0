"""Reading a request's body: never more than the cap, inflated or not, and never longer than the client is given."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass
from time import monotonic
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from engine.api.dialect import Refused
from engine.api.memory import RequestMemory

_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_CLOSE: Final = {"Connection": "close"}

STEP: Final = 1 << 18
"""Bytes that are inflated in one go."""

QUICK: Final = 1024
"""Bytes that are inflated at once, to a megabyte at most; more is left to a thread."""


@dataclass(frozen=True)
class BodyLimits:
    """What a body may have: ``most`` bytes, inflated or not, within ``seconds``, out of the request's ``memory``.

    ``threads`` inflate it.
    """

    most: int
    seconds: float
    memory: RequestMemory
    threads: Executor


async def body_of(request: Request, limits: BodyLimits) -> bytes:
    """Return the body, inflated.

    Raises Refused: 413 beyond the limit, before more is read; 415 for an encoding other than gzip and deflate; 400 for
    one that is broken; 408 when it has not come in time; 503 where memory is short.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.most:
        raise too_large(limits.most)
    inflate = _inflater(request.headers, limits)
    try:
        async with asyncio.timeout(limits.seconds):
            return await _read(request.receive, inflate, limits)
    except TimeoutError:
        message = f"the body did not come within {limits.seconds:g} seconds"
        raise Refused(408, "timeout", message, headers=_CLOSE) from None


def check_transfer(headers: Headers) -> None:
    """Raises Refused (501) for a ``Transfer-Encoding`` other than chunked, which would be read as something else."""
    codings = ",".join(headers.getlist("transfer-encoding")).strip().lower()
    if codings not in ("", "chunked"):
        message = "Transfer-Encoding must be chunked or left out; pack the body with Content-Encoding"
        raise Refused(501, "not_implemented", message, headers=_CLOSE)


async def chunks_of(request: Request, seconds: float, rate: int) -> AsyncIterator[bytes]:
    """The body as it comes, however large it is; each chunk has ``seconds``.

    After as many seconds of waiting, all of it must have come with ``rate`` bytes a second. Raises Refused: 415 for any
    encoding, which could not be taken up again in the middle; 408 when nothing more comes, or too slowly.
    """
    waited, size = 0.0, 0
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be left out here", headers=_CLOSE)
    chunks = request.stream()
    while True:
        begun = monotonic()
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(408, "timeout", f"nothing came for {seconds:g} seconds", headers=_CLOSE) from None
        waited += monotonic() - begun
        size += len(chunk)
        yield chunk
        if size < rate * (waited - seconds):
            message = f"the upload came with less than {rate} bytes a second; go on where it is"
            raise Refused(408, "timeout", message, headers=_CLOSE)


def too_large(cap: int) -> Refused:
    return Refused(413, "too_large", f"the body is larger than {cap} bytes; send less at a time", headers=_CLOSE)


async def _read(receive: Receive, inflate: Inflater | None, limits: BodyLimits) -> bytes:
    parts: list[bytes] = []
    cap = limits.most
    size = came = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        came += len(chunk)
        if inflate is not None:
            part = await _inflated(inflate, chunk, cap - size, limits.threads)
        else:
            limits.memory.hold(len(chunk))
            part = chunk
        size += len(part)
        if max(size, came) > cap:
            raise too_large(cap)
        parts.append(part)
    if inflate is not None and came:
        inflate.end()
    return b"".join(parts)


async def _inflated(inflate: Inflater, chunk: bytes, room: int, threads: Executor) -> bytes:
    """What a chunk inflates to, worked out where it holds nobody up."""
    if len(chunk) <= QUICK:
        return inflate.add(chunk, room)
    return await asyncio.get_running_loop().run_in_executor(threads, inflate.add, chunk, room)


def _inflater(headers: Headers, limits: BodyLimits) -> Inflater | None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding not in _WINDOWS:
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip, deflate or left out")
    return Inflater(encoding, limits)


class Inflater:
    """Inflates what comes in pieces; gives no more than it is allowed, however small the pieces were packed."""

    def __init__(self, encoding: str, limits: BodyLimits) -> None:
        self._encoding = encoding
        self._limits = limits
        self._begun = False
        self._open = zlib.decompressobj(_WINDOWS[encoding])

    def add(self, data: bytes, room: int) -> bytes:
        """What ``data`` inflates to, a step at a time, each held in the request's memory.

        Raises Refused: 413 when it is more than ``room``, 400 when it is broken, 503 where memory is short.
        """
        parts: list[bytes] = []
        full = False
        while data or full:
            most = min(room + 1, STEP)
            part = self._inflated(data, most)
            full = len(part) == most
            room -= len(part)
            if room < 0:
                raise too_large(self._limits.most)
            self._limits.memory.hold(len(part))
            parts.append(part)
            data = self._open.unconsumed_tail or self._open.unused_data
            if self._open.unused_data:  # another member follows
                self._open = zlib.decompressobj(_WINDOWS[self._encoding])
                full = False
        return b"".join(parts)

    def _inflated(self, data: bytes, most: int) -> bytes:
        try:
            found = self._open.decompress(data, most)
        except zlib.error:
            if self._begun or self._encoding != "deflate":
                raise _broken() from None
            self._open = zlib.decompressobj(-zlib.MAX_WBITS)  # some send deflate without its envelope
            try:
                found = self._open.decompress(data, most)
            except zlib.error:
                raise _broken() from None
        self._begun = True
        return found

    def end(self) -> None:
        """Raises Refused (400) when something is missing."""
        if not self._open.eof:
            raise _broken()


def _broken() -> Refused:
    return Refused(400, "malformed", "the body is not what its Content-Encoding says")
