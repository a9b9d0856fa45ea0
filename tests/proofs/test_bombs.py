"""Bodies made to be expensive are refused for what they cost to read: work and memory follow their size, no more."""

from __future__ import annotations

import gc
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.api.bodies import BodyLimits, Inflater
from engine.api.dialect import Refused
from engine.api.memory import MemoryBudget, RequestMemory
from engine.config import Limits
from engine.errors import RefusedError
from engine.model import validate
from engine.receipt import Rejection
from engine.strict_json import parse_json
from tests.api.conftest import Api
from tests.corpus.odd_inputs import NOW

HEAD = b'{"event": "e", "user_id": "u", "properties": {"x": '
BOMBS: dict[str, Callable[[int], bytes]] = {
    "a tower of lists": lambda size: b"[" * size,
    "a tower of objects": lambda size: b'{"x":' * (size // 5),
    "towers side by side": lambda size: HEAD + b"[" + b",".join([b"[" * 300 + b"]" * 300] * (size // 600)) + b"]}}",
    "digits": lambda size: HEAD + b"9" * size + b"}}",
    "a fraction": lambda size: HEAD + b"0." + b"9" * size + b"}}",
    "an exponent": lambda size: HEAD + b"1e" + b"9" * size + b"}}",
    "many long numbers": lambda size: HEAD + b"[" + b",".join([b"9" * 5_000] * (size // 5_000)) + b"]}}",
    "many small values": lambda size: HEAD + b"[" + b",".join([b"[]"] * (size // 3)) + b"]}}",
    "many keys": lambda size: b'{"properties":{' + b",".join(b'"%d":1' % one for one in range(size // 9)) + b"}}",
    "one key again and again": lambda size: HEAD + b"{" + b",".join([b'"x":1'] * (size // 6)) + b"}}}",
    "escapes": lambda size: HEAD + b'"' + b"\\u0041" * (size // 6) + b'"}}',
    "halves of characters": lambda size: HEAD + b'"' + b"\\ud83d" * (size // 6) + b'"}}',
}
EVERY_BOMB = pytest.mark.parametrize("name", BOMBS)


def verdict(body: bytes) -> str:
    try:
        item = parse_json(body)
    except RefusedError as error:
        return error.code
    found = validate(item, 0, NOW, Limits(), False)
    return found.code if isinstance(found, Rejection) else "taken"


def steps(body: bytes) -> int:
    """How many lines of Python, and calls of what is built in, it takes to come to a verdict.

    The collector stands still meanwhile: what it finds of others would say its last words here.
    """
    count = 0

    def line(_frame: Any, _event: str, _argument: Any) -> Any:
        nonlocal count
        count += 1
        return line

    def call(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    gc.collect()
    gc.disable()
    sys.settrace(line)
    sys.setprofile(call)
    try:
        verdict(body)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
        gc.enable()
    return count


HARMLESS = ("a fraction", "one key again and again")
"""Large to send, and small once read."""


@EVERY_BOMB
def test_it_is_refused_at_every_size(api: Api, name: str) -> None:
    for size in (250_000, 900_000):
        answer = api.post("/v1/events", BOMBS[name](size))
        assert answer.status_code in ((200,) if name in HARMLESS else (400, 422)), answer.text
        assert len(answer.content) < 1_000


@EVERY_BOMB
def test_four_times_the_size_is_four_times_the_work_at_most(name: str) -> None:
    small, large = (steps(BOMBS[name](size)) for size in (50_000, 200_000))
    assert large <= 4.2 * small + 100


def test_long_numbers_are_never_worked_through() -> None:
    """To read digits takes the square of their number: the interpreter itself refuses to from 640 on, if told to."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert verdict(BOMBS["digits"](900_000)) == verdict(BOMBS["many long numbers"](900_000)) != "taken"
    finally:
        sys.set_int_max_str_digits(before)


def packed(size: int, times: int = 1) -> bytes:
    """Zeros, packed, and packed again."""
    data = bytes(size)
    for _ in range(times):
        packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
    return data


@pytest.mark.parametrize("piece", [1, 1_000, 1_000_000])
def test_a_small_packet_that_is_large_inside_is_opened_only_as_far_as_it_may(piece: int) -> None:
    cap, bomb = 100_000, packed(50_000_000)
    tracemalloc.start()
    with pytest.raises(Refused) as caught:
        opened(bomb, piece, cap)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.status == 413
    assert most < 5 * cap


def opened(data: bytes, piece: int, cap: int) -> None:
    """Inflate what comes in pieces."""
    with ThreadPoolExecutor() as threads:
        limits = BodyLimits(cap, 10.0, RequestMemory(MemoryBudget(100 * cap), cap), threads)
        inflate, came = Inflater("gzip", limits), 0
    for start in range(0, len(data), piece):
        came += len(inflate.add(data[start : start + piece], cap - came))
        assert came <= cap


def test_a_packet_in_a_packet_is_opened_once(api: Api) -> None:
    answer = api.post("/v1/events", packed(50_000_000, 2), headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")


def test_a_great_many_small_packets(api: Api) -> None:
    bomb = packed(0) * 49_000
    assert len(bomb) < 1_000_000
    assert api.post("/v1/events", bomb, headers={"Content-Encoding": "gzip"}).status_code == 400
    assert api.post("/v1/events", packed(100) * 30_000, headers={"Content-Encoding": "gzip"}).status_code == 413
