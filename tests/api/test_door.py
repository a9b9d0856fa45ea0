"""What stands before every handler: paths, keys, scopes, bodies, rates; and what no answer and no log may hold."""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from collections.abc import Callable

import pytest

from engine import config
from engine.access import Scope
from engine.api.dialects import DIALECTS
from engine.cli.logs import JsonLines
from engine.errors import ConfigError
from tests.api.conftest import Api, basic
from tests.api.echo import ECHO

EVENT = {"event": "signed_up", "user_id": "ann"}
ORIGIN = {"Origin": "https://shop.example"}


@pytest.fixture
def echo(make_api: Callable[..., Api]) -> Api:
    return make_api(dialects=ECHO)


# ------------------------------------------------------------------------------------------------ paths


def test_the_root_dialect_answers_at_the_root_too(api: Api) -> None:
    assert api.post("/native/v1/events", EVENT).status_code == 200
    assert api.post("/v1/events", EVENT).status_code == 200


def test_unknown_routes_and_methods_are_refused_in_the_dialect_s_shape(echo: Api) -> None:
    assert echo.get("/echo/nowhere").json()["code"] == "not_found"
    assert echo.get("/nowhere").json()["error"]["code"] == "not_found"
    for path in ("/echo/echo/", "/echo//echo", "/echo", "/ECHO/echo"):
        assert echo.post(path).status_code == 404
    answer = echo.ask("PUT", "/echo/echo")
    assert (answer.status_code, answer.headers["allow"], answer.json()["code"]) == (405, "POST", "method_not_allowed")


@pytest.mark.parametrize(
    ("sent", "read"), [("a%2Fb", "a/b"), ("a%20b", "a b"), ("%7B%7D", "{}"), ("ann%40x.de", "ann@x.de"), ("%25", "%")]
)
def test_an_id_in_a_path_may_hold_anything(echo: Api, sent: str, read: str) -> None:
    assert echo.get(f"/echo/people/{sent}/events").json()["path"] == {"id": read}


@pytest.mark.parametrize(("text", "status", "limit"), [
    ("", 200, 50), ("?limit=", 200, 50), ("?limit=1", 200, 1), ("?limit=500", 200, 500), ("?limit=501", 200, 500),
    ("?limit=0", 400, None), ("?limit=-1", 400, None), ("?limit=1.5", 400, None), ("?limit=x", 400, None),
    ("?limit=%D9%A3", 400, None), ("?limit=" + "9" * 5000, 400, None),
])  # fmt: skip
def test_whole_numbers_of_a_query(echo: Api, text: str, status: int, limit: int | None) -> None:
    answer = echo.get(f"/echo/whole{text}")
    assert (answer.status_code, answer.json().get("limit")) == (status, limit)


# ------------------------------------------------------------------------------------------------ keys


def test_without_a_key_nobody_comes_in(echo: Api) -> None:
    wrong = echo.key[:-1] + ("a" if echo.key[-1] != "a" else "b")
    for key in (None, "x", wrong, "", echo.key.upper()):
        answer = echo.ask(
            "POST", "/echo/echo", key=None, headers={} if key is None else {"Authorization": f"Bearer {key}"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_comes_as_bearer_and_only_to_trackers_as_basic(echo: Api) -> None:
    assert echo.post("/echo/echo", key=None, headers={"Authorization": f"bearer {echo.key}"}).status_code == 200
    assert echo.post("/echo/echo", key=None, headers=basic(echo.key)).status_code == 401
    assert echo.post("/tracked/echo", key=None, headers=basic(echo.key)).status_code == 200
    for header in ("Basic", "Basic ***", "Basic /w==", "Digest x"):
        assert echo.post("/tracked/echo", key=None, headers={"Authorization": header}).status_code == 401


def test_a_key_in_the_body_only_where_trackers_call(echo: Api) -> None:
    body = {"writeKey": echo.key}
    assert echo.post("/tracked/echo", body, key=None).json()["bytes"] == len(json.dumps(body))
    assert echo.post("/echo/echo", body, key=None).status_code == 401
    for other in ({}, {"writeKey": 1}, [], b"{", b""):
        assert echo.post("/tracked/echo", other, key=None).status_code == 401
    assert echo.post("/tracked/echo", body, key="nonsense").status_code == 401


def test_keys_in_bodies_are_limited_by_address_before_they_are_read(make_api: Callable[..., Api]) -> None:
    echo = make_api(dialects=ECHO, api={"keyless_rate": "2/minute"})
    for _ in range(2):
        assert echo.post("/tracked/echo", {}, key=None).status_code == 401
    answer = echo.post("/tracked/echo", {"writeKey": echo.key}, key=None)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert echo.post("/tracked/echo", {}).status_code == 200


def test_a_key_used_in_a_browser_can_only_ingest(echo: Api) -> None:
    ingest = echo.make_key(Scope.EVENT_CREATE)
    assert echo.post("/tracked/echo", key=ingest, headers=ORIGIN).status_code == 200
    assert echo.post("/tracked/echo", headers=ORIGIN).status_code == 403
    assert echo.get("/tracked/people/1/events", key=ingest, headers=ORIGIN).status_code == 403


def test_browsers_may_call_where_trackers_do_and_nowhere_else(echo: Api) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = echo.ask("OPTIONS", "/tracked/echo", key=None, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, x-retry-count"
    for key in (None, echo.make_key(Scope.EVENT_CREATE)):
        assert echo.post("/tracked/echo", {}, key=key, headers=ORIGIN).headers["access-control-allow-origin"] == "*"
    for path in ("/echo/echo", "/native/v1/events", "/health", "/tracked/nowhere"):
        answers = [echo.ask(method, path, headers=asked) for method in ("OPTIONS", "POST")]
        assert not any("access-control-allow-origin" in one.headers for one in answers), path
    assert echo.ask("OPTIONS", "/echo/echo", key=None).status_code == 405


# ------------------------------------------------------------------------------------------------ bodies

CAP = 1_000_000


@pytest.mark.parametrize(("path", "cap"), [("/echo/echo", CAP), ("/echo/batch", 100 * 32 * 1024)])
def test_a_body_may_have_just_so_many_bytes(echo: Api, path: str, cap: int) -> None:
    assert echo.post(path, b"x" * cap).json()["bytes"] == cap
    assert echo.post(path, b"x" * (cap + 1)).status_code == 413
    packed = zipped(b"x" * cap)
    assert echo.post(path, packed, headers={"Content-Encoding": "gzip"}).json()["bytes"] == cap
    bomb = zipped(b"x" * (cap + 1))
    assert echo.post(path, bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
    assert echo.post(path, b"x", headers={"Content-Length": str(cap + 1)}).status_code == 413


def zipped(data: bytes) -> bytes:
    """The same bytes at any time of day."""
    return gzip.compress(data, mtime=0)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", zipped(b"hello")),
        ("GZIP", zipped(b"hello")),
        ("gzip", zipped(b"hel") + zipped(b"lo")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", raw_deflate(b"hello")),
        ("identity", b"hello"),
    ],
    ids=["gzip", "capitals", "two members", "deflate", "bare deflate", "identity"],
)
def test_bodies_are_inflated(echo: Api, encoding: str, packed: bytes) -> None:
    assert echo.post("/echo/echo", packed, headers={"Content-Encoding": encoding}).json()["bytes"] == 5


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"hello", 400),
        ("gzip", zipped(b"hello")[:-1], 400),
        ("gzip", zipped(b"hello") + b"rest", 400),
        ("deflate", b"\xff\xff\xff", 400),
        ("br", b"hello", 415),
        ("gzip, gzip", zipped(zipped(b"hello")), 415),
    ],
    ids=["not packed", "cut", "with a rest", "no deflate", "brotli", "twice"],
)
def test_bodies_that_are_not_what_they_say(echo: Api, encoding: str, body: bytes, status: int) -> None:
    assert echo.post("/echo/echo", body, headers={"Content-Encoding": encoding}).status_code == status


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[NaN]", b'{"a":1}x', b"[" * 200_000, b'{"a":' * 150_000, b"\x00", b"[1,]"],
    ids=["nothing", "half", "not UTF-8", "NaN", "a rest", "a tower of lists", "a tower of objects", "NUL", "a comma"],
)
def test_bodies_that_are_no_json(echo: Api, body: bytes) -> None:
    answer = echo.post("/echo/json", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_number_bombs_are_read_as_what_the_engine_refuses(echo: Api) -> None:
    assert echo.post("/echo/json", b"[" + b"9" * 900_000 + b"]").json() == {"json": [2**63]}


def test_any_content_type_will_do(echo: Api) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert echo.post("/echo/json", b"[1]", headers={"Content-Type": kind}).json() == {"json": [1]}


# ------------------------------------------------------------------------------------------------ rates


def test_so_many_requests_a_workspace_and_no_more(echo: Api) -> None:
    for left in range(99, -1, -1):
        answer = echo.post("/echo/limited", {})
        assert answer.status_code == 200
        assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("100", str(left))
        assert answer.headers["x-ratelimit-reset"].isdecimal()
    answer = echo.post("/echo/limited", {}, key=echo.make_key(Scope.EVENT_CREATE))
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert echo.post("/echo/limited", {}, key=echo.other_key).status_code == 200
    assert echo.post("/tracked/limited", {}).status_code == 200
    assert "x-ratelimit-limit" not in echo.post("/echo/echo", {}).headers


def test_rates_are_settings(make_api: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"echo": "1/hour", "echo.limited": "none", "tracked.limited": "2/day"}
    monkeypatch.setattr(config, "RATE_NAMES", frozenset(rates))
    echo = make_api(dialects=ECHO, api={"rates": rates})
    assert [echo.post("/echo/echo", {}).status_code for _ in range(2)] == [200, 429]
    assert echo.post("/echo/batch", {}).status_code == 429
    assert [echo.post("/tracked/limited", {}).status_code for _ in range(3)] == [200, 200, 429]
    assert "x-ratelimit-limit" not in echo.post("/echo/limited", {}).headers


def test_the_limits_that_can_be_set_are_those_there_are() -> None:
    of_routes = {route.limit for dialect in DIALECTS for route in dialect.routes if route.limit is not None}
    assert {dialect.name for dialect in DIALECTS} | of_routes == config.RATE_NAMES


@pytest.mark.parametrize(("name", "advice"), [
    ("flokit.bach", "did you mean 'flokit.batch'?"), ("natve", "did you mean 'native'?"), ("x", "limits are flameup, "),
])  # fmt: skip
def test_a_limit_that_does_not_exist_is_an_error(name: str, advice: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(advice)):
        config.load_settings(api={"rates": {name: "1/minute"}})


def test_who_is_not_let_in_uses_up_nothing(echo: Api) -> None:
    for _ in range(3):
        assert echo.post("/echo/limited", {}, key="nonsense").status_code == 401
        assert echo.post("/echo/limited", {}, key=echo.make_key(Scope.EVENT_LIST)).status_code == 403
    assert echo.post("/echo/limited", {}).headers["x-ratelimit-remaining"] == "99"


# ------------------------------------------------------------------------------------------------ what stays inside


def test_a_fault_shows_nothing_of_itself(echo: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="lapse"):
        answer = echo.post("/echo/fail", {})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    lines = [JsonLines().format(record) for record in caplog.records]
    for text in (answer.text, *lines):
        assert "secret" not in text
        assert "/etc/passwd" not in text
    (fault,) = [entry for entry in map(json.loads, lines) if entry["message"] == "fault"]
    assert fault["error"] == "RuntimeError"
    assert "echo.py" in fault["where"][-1]
    assert fault["request_id"] == answer.json()["id"] == answer.headers["x-request-id"]


def test_the_log_knows_no_secrets_and_nobody(echo: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        echo.get("/echo/people/ann%40example.com/events?event=secret")
        echo.post("/native/v1/events", {"event": "x", "user_id": "ann@example.com", "properties": {"card": "4111"}})
        echo.post("/native/v1/events", {"event": "x", "user_id": "ann@example.com", "colour": "4111"})
        echo.post("/tracked/echo", {"writeKey": echo.key}, key=None)
        echo.get("/ann@example.com/4111/secret")
    lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith("lapse")]
    assert len(lines) >= 5
    for line in lines:
        assert not any(text in line for text in ("ann", "4111", "secret", echo.key, echo.key[-40:], "192.0.2.1")), line
    first = json.loads(lines[0])
    assert (first["route"], first["status"], first["dialect"]) == ("/people/{id}/events", 200, "echo")
    assert first["key"].startswith("key_")


def test_a_store_that_cannot_be_written_is_503(api: Api) -> None:
    assert api.post("/v1/events", EVENT).status_code == 200
    api.workspaces.desk.writer.close()
    answer = api.post("/v1/events", EVENT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
