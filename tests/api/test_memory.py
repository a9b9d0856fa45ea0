"""What a request may take of the service's memory: values are counted before they are parsed, bodies as they come."""

from __future__ import annotations

import asyncio
import base64
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from engine.access import Scope
from engine.api import memory
from engine.api.memory import MemoryBudget, RequestMemory
from tests.api.conftest import Api
from tests.api.echo import ECHO

VALUES = 1_000


@pytest.fixture
def echo(make_api: Callable[..., Api]) -> Api:
    return make_api(dialects=ECHO, api={"body_values": VALUES})


def test_a_body_may_hold_just_so_many_values(echo: Api) -> None:
    assert echo.post("/echo/json", b"[" + b"1," * (VALUES - 2) + b"1]").status_code == 200
    answer = echo.post("/echo/json", b"[" + b"1," * (VALUES - 1) + b"1]")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert "more than 1000 values" in answer.json()["message"]


def test_what_looks_like_values_in_texts_does_not_count(echo: Api) -> None:
    text = '",[{\\' * 20_000
    assert echo.post("/echo/json", [text]).json() == {"json": [text]}


@pytest.mark.parametrize("dialect", ["echo", "tracked"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_a_bomb_is_refused_and_never_parsed(
    make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, dialect: str, encoding: str
) -> None:
    api = make_api(dialects=ECHO)
    monkeypatch.setattr(memory, "parse_json", lambda raw: pytest.fail(f"parsed {len(raw)} bytes"))
    bomb = b"[" + b"[]," * 300_000 + b"[]]"
    sent = gzip.compress(bomb, mtime=0) if encoding == "gzip" else bomb
    if encoding == "deflate":
        sent = zlib.compress(bomb)
    answer = api.post(f"/{dialect}/json", sent, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    keyless = api.post("/tracked/json", sent, key=None, headers={"Content-Encoding": encoding})
    assert keyless.status_code == 401


def test_values_packed_in_base64_count_too(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"body_values": VALUES})
    packed = base64.b64encode(b"[" + b"[]," * 300 + b"[]]").decode()
    event = {"id": "1", "source": "s", "type": "t", "specversion": "1.0", "subject": "ann",
             "datacontenttype": "application/json", "data_base64": packed}  # fmt: skip
    events = [{**event, "id": str(place)} for place in range(3)]
    answer = api.post("/v1/events", events, headers={"Content-Type": "application/cloudevents-batch+json"})
    assert [one["status"] for one in answer.json()["outcomes"]] == ["accepted", "rejected", "rejected"]


# ------------------------------------------------------------------------------------------------ all together


def under_way(echo: Api, first: bytes, second: bytes) -> tuple[httpx2.Response, httpx2.Response]:
    """Two requests: the second is sent while half of the first has come."""

    async def requests() -> tuple[httpx2.Response, httpx2.Response]:
        half, rest = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield first
            half.set()
            await rest.wait()
            yield b" "

        headers = {"Authorization": f"Bearer {echo.key}"}
        slow = asyncio.ensure_future(echo._client.request("POST", "/echo/json", content=slowly(), headers=headers))
        await half.wait()
        quick = await echo._client.request("POST", "/echo/json", content=second, headers=headers)
        rest.set()
        return await slow, quick

    return echo.portal.call(requests)


def test_beyond_what_all_may_take_a_request_is_told_to_come_again(make_api: Callable[..., Api]) -> None:
    echo = make_api(dialects=ECHO, api={"body_memory": 1024 * 1024})
    slow, quick = under_way(echo, b'"' + b"x" * 200_000 + b'"', b'"' + b"x" * 300_000 + b'"')
    assert (quick.status_code, quick.json()["code"]) == (503, "busy")
    assert int(quick.headers["retry-after"]) >= 1
    assert slow.status_code == 200
    assert echo.app.state.service.memory.used == 0
    slow, quick = under_way(echo, b'"' + b"x" * 200_000 + b'"', b'"x"')
    assert (slow.status_code, quick.status_code) == (200, 200)


def test_a_request_that_is_alone_is_let_in_however_large(make_api: Callable[..., Api]) -> None:
    echo = make_api(dialects=ECHO, api={"body_memory": 1024 * 1024})
    assert echo.post("/echo/json", b'"' + b"x" * 900_000 + b'"').status_code == 200
    assert echo.app.state.service.memory.used == 0


def test_an_upload_counts_as_well(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"body_memory": 1024 * 1024})
    service = api.app.state.service
    service.memory.take(1, 0)
    answer = api.post("/v1/imports", b"{}\n", headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
    service.memory.give_back(1)
    assert api.post("/v1/imports", b"{}\n", headers={"Content-Type": "application/x-ndjson"}).status_code == 201


@pytest.mark.parametrize("text", [
    b"[[]],", b"{},", b"[0],", b'{"a":0},', b'{"a":{}},', b'"ab",', b"1.5,", b"123456789,", '"é😀",'.encode(),
    b'{"a":0,"b":0,"c":0,"d":0,"e":0,"f":1},', b'"' + b"x" * 300 + b'",', ('"😀' + "x" * 999 + '",').encode(),
])  # fmt: skip
def test_what_is_counted_is_what_is_taken(text: bytes) -> None:
    raw = b"[" + text * (400_000 // len(text)) + b"0]"
    request = RequestMemory(MemoryBudget(1 << 40), 1_000_000)
    request.hold(len(raw))
    tracemalloc.start()
    try:
        value: Any = request.parse(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert value
    assert len(raw) + peak <= request.held <= memory.MOST * len(raw)


def test_who_sends_a_bomb_need_not_be_known(api: Api) -> None:
    """A key of a page is enough: its bomb is refused by its size in values alone."""
    key = api.make_key(Scope.EVENT_CREATE)
    bomb = gzip.compress(b'{"batch":[' + b"[]," * 10_000_000 + b"[]]}", 9, mtime=0)
    answer = api.post("/segment/v1/batch", bomb, key=key, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
