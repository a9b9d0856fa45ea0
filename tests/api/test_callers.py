"""Who calls: the connection's address, or what trusted proxies say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from engine.api.address import Callers, UntilKey
from engine.config import Serve, load_settings
from engine.errors import ConfigError
from tests.api.conftest import Api
from tests.api.echo import ECHO

PROXIES = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"]


def caller(peer: str, *headers: tuple[str, str], **settings: Any) -> str:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "client": (peer, 1234), "headers": raw}
    return Callers(Serve.model_validate({"trusted_proxies": PROXIES, **settings})).of(Request(scope))


XFF = "X-Forwarded-For"


@pytest.mark.parametrize(("peer", "said", "found"), [
    ("198.51.100.7", [], "198.51.100.7"),
    ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
    ("192.0.2.1", [], "192.0.2.1"),
    ("192.0.2.1", ["203.0.113.9"], "203.0.113.9"),
    ("192.0.2.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
    ("192.0.2.1", ["1.1.1.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
    ("192.0.2.1", ["1.1.1.1", "203.0.113.9,10.1.2.3"], "203.0.113.9"),
    ("192.0.2.1", ["10.0.0.9, 10.1.2.3"], "10.0.0.9"),
    ("192.0.2.1", ["1.1.1.1, unknown, 10.1.2.3"], "10.1.2.3"),
    ("192.0.2.1", ["1.1.1.1, "], "192.0.2.1"),
    ("192.0.2.1", ["203.0.113.9:4711"], "203.0.113.9"),
    ("192.0.2.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
    ("192.0.2.1", ["2001:db8::9"], "2001:db8::9"),
    ("::ffff:192.0.2.1", ["203.0.113.9"], "203.0.113.9"),
    ("fd00::1", ["203.0.113.9, ::ffff:10.1.1.1"], "203.0.113.9"),
    ("192.0.2.1", ["x" * 10_000], "192.0.2.1"),
])  # fmt: skip
def test_the_rightmost_address_that_is_no_trusted_proxy_s(peer: str, said: list[str], found: str) -> None:
    assert caller(peer, *((XFF, value) for value in said)) == found


@pytest.mark.parametrize(("said", "found"), [
    ("for=203.0.113.9", "203.0.113.9"),
    ('for="[2001:db8::9]:4711";proto=https, for=10.0.0.1', "2001:db8::9"),
    ("proto=http;by=10.0.0.1;for=203.0.113.9", "203.0.113.9"),
    ("for=1.1.1.1, for=_hidden, for=10.0.0.1", "10.0.0.1"),
    ("by=203.0.113.9", "192.0.2.1"),
])  # fmt: skip
def test_forwarded_where_the_settings_say_so(said: str, found: str) -> None:
    both = (("Forwarded", said), (XFF, "6.6.6.6"))
    assert caller("192.0.2.1", *both, forwarded_header="Forwarded") == found
    assert caller("192.0.2.1", *both) == "6.6.6.6"


def test_nobody_is_trusted_unless_named() -> None:
    assert caller("192.0.2.1", (XFF, "203.0.113.9"), trusted_proxies=[]) == "192.0.2.1"
    with pytest.raises(ConfigError, match="trusted_proxies"):
        load_settings(serve={"trusted_proxies": ["10.0.0.0/99"]})


def keyless(api: Api, address: str) -> int:
    return api.post("/tracked/echo", {}, key=None, headers={XFF: address}).status_code


def test_made_up_addresses_pass_no_limit(make_api: Callable[..., Api]) -> None:
    """As nginx sends them: what the client said, and behind it who it is."""
    limited = {"api": {"keyless_rate": "1/minute"}, "dialects": ECHO}
    proxied = make_api(**limited, serve={"trusted_proxies": ["192.0.2.1"]})
    assert [keyless(proxied, f"6.6.6.{place}, 203.0.113.9") for place in range(3)] == [401, 429, 429]
    assert keyless(proxied, "203.0.113.10") == 401
    direct = make_api(**limited)
    assert [keyless(direct, f"6.6.6.{place}") for place in range(2)] == [401, 429]


def test_the_unsubscribe_page_counts_by_caller_too(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"keyless_rate": "1/minute"}, serve={"trusted_proxies": ["192.0.2.1"]})
    asked = [
        api.get("/unsubscribe/nothing", key=None, headers={XFF: who}).status_code
        for who in ("203.0.113.9", "203.0.113.10")
    ]
    assert asked == [404, 404]
    assert api.get("/unsubscribe/nothing", key=None, headers={XFF: "7.7.7.7, 203.0.113.9"}).status_code == 429


def test_until_there_is_a_key_this_machine_alone_is_let_in() -> None:
    now, keys, looked = [0.0], [False], []

    def has_key() -> bool:
        looked.append(now[0])
        return keys[0]

    admits = UntilKey(has_key, lambda: now[0])
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert admits(host)
    assert not admits("192.0.2.1")
    keys[0] = True
    assert not admits("192.0.2.1")
    assert looked == [0.0]
    now[0] = 1.0
    assert admits("192.0.2.1")
    keys[0] = False
    now[0] = 9.0
    assert admits("192.0.2.1")
    assert looked == [0.0, 1.0]
