"""Reading a request's body: never more than the cap, inflated or not, and never longer than the client is given."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from engine.api.dialect import Refused

_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_CLOSE: Final = {"Connection": "close"}


async def body_of(request: Request, cap: int, seconds: float) -> bytes:
    """The body, inflated, of at most ``cap`` bytes.

    Raises Refused: 413 beyond the cap, before more is read; 415 for an encoding other than gzip and deflate; 400 for
    one that is broken; 408 when it has not come after ``seconds``.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > cap:
        raise too_large(cap)
    inflate = _inflater(request.headers, cap)
    try:
        async with asyncio.timeout(seconds):
            return await _read(request.receive, inflate, cap)
    except TimeoutError:
        raise Refused(408, "timeout", f"the body did not come within {seconds:g} seconds", headers=_CLOSE) from None


async def chunks_of(request: Request, seconds: float) -> AsyncIterator[bytes]:
    """The body as it comes, however large it is; each chunk has ``seconds``.

    Raises Refused: 415 for any encoding, which could not be taken up again in the middle; 408 when nothing more comes.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be left out here", headers=_CLOSE)
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(408, "timeout", f"nothing came for {seconds:g} seconds", headers=_CLOSE) from None
        yield chunk


def too_large(cap: int) -> Refused:
    return Refused(413, "too_large", f"the body is larger than {cap} bytes; send less at a time", headers=_CLOSE)


async def _read(receive: Receive, inflate: Inflater | None, cap: int) -> bytes:
    parts: list[bytes] = []
    size = came = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        came += len(chunk)
        part = chunk if inflate is None else inflate.add(chunk, cap - size)
        size += len(part)
        if max(size, came) > cap:
            raise too_large(cap)
        parts.append(part)
    if inflate is not None and came:
        inflate.end()
    return b"".join(parts)


def _inflater(headers: Headers, cap: int) -> Inflater | None:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding not in _WINDOWS:
        raise Refused(415, "unsupported_encoding", "Content-Encoding must be gzip, deflate or left out")
    return Inflater(encoding, cap)


class Inflater:
    """Inflates what comes in pieces; gives no more than it is allowed, however small the pieces were packed."""

    def __init__(self, encoding: str, cap: int) -> None:
        self._encoding = encoding
        self._cap = cap
        self._begun = False
        self._open = zlib.decompressobj(_WINDOWS[encoding])

    def add(self, data: bytes, room: int) -> bytes:
        """What ``data`` inflates to. Raises Refused: 413 when that is more than ``room``, 400 when it is broken."""
        parts: list[bytes] = []
        while data:
            part = self._inflated(data, room + 1)
            room -= len(part)
            if room < 0 or self._open.unconsumed_tail:
                raise too_large(self._cap)
            parts.append(part)
            data = self._open.unused_data
            if data:  # another member follows
                self._open = zlib.decompressobj(_WINDOWS[self._encoding])
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
