"""Signatures of webhooks, against the official verifier and the standard's own example."""

from __future__ import annotations

import base64
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from engine.delivery.signing import read_key, signatures
from engine.errors import ConfigError


def test_the_example_of_the_verifiers_own_tests() -> None:
    key = read_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert signatures([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}') == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(
    key=st.binary(min_size=24, max_size=80),
    id=st.from_regex(r"[0-9A-Za-z_-]{1,64}", fullmatch=True),
    timestamp=st.integers(0, 4_000_000_000),
    body=st.text().map(str.encode),
)
def test_whatever_is_signed_is_what_the_verifier_would_sign(key: bytes, id: str, timestamp: int, body: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    at = datetime.datetime.fromtimestamp(timestamp, datetime.UTC)
    assert signatures([read_key(secret)], id, timestamp, body) == Webhook(secret).sign(id, at, body.decode())


def test_two_keys_give_two_signatures_and_a_space() -> None:
    first, second = b"a" * 24, b"b" * 24
    one, other = (signatures([key], "act_1", 1, b"{}") for key in (first, second))
    assert signatures([first, second], "act_1", 1, b"{}") == f"{one} {other}"


@pytest.mark.parametrize("padding", ["", "=", "=="])
def test_padding_may_be_missing(padding: str) -> None:
    assert read_key("whsec_" + base64.b64encode(b"x" * 25).decode().rstrip("=") + padding) == b"x" * 25


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "begins with 'whsec_'"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with 'whsec_'"),
        ("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with 'whsec_'"),
        ("whsec_", "has 0"),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), "has 23"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-", "base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", "base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA", "base64"),
        ("whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "base64"),
        ("whsec_MfKQ9r8=GKYqrTwjUPD8ILPZIo2LaLaS", "base64"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSż", "base64"),
    ],
)
def test_what_is_no_secret_is_said_and_not_shown(secret: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_key(secret)
    assert not secret or secret not in str(caught.value)


def test_the_shortest_secret() -> None:
    assert len(read_key("whsec_" + base64.b64encode(b"x" * 24).decode())) == 24
