"""Which URLs are posted to: each form is tried with a resolver and a network that note what they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.delivery.channels import SendError
from engine.delivery.client import client_of
from engine.delivery.guard import Guard
from engine.delivery_settings import WebhookSettings
from engine.errors import ConfigError
from tests.delivery.url_forms import ADDRESSES, MALFORMED, NAMES, PUBLIC

SETTINGS = WebhookSettings(type="webhook", url="https://example.com/")


class Notes(httpcore2.NetworkBackend):
    """A network on which nobody answers, and a resolver; both note what they are asked for."""

    def __init__(self) -> None:
        self.resolved: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return NAMES.get(host, ["93.184.215.14"])

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        self.connected.append((host, port))
        raise httpcore2.ConnectError("nobody is there")


def post(url: str, notes: Notes, *allow: str) -> Exception:
    """What becomes of a post to a URL that the settings have not looked at."""
    settings = SETTINGS.model_copy(update={"url": url, "allow": allow})
    try:
        client = client_of(settings, resolve=notes.resolve, network=notes)
        client.post({}, b"{}")
    except (ConfigError, SendError) as error:
        return error
    raise AssertionError("nobody was there to answer")


def test_there_are_enough_of_them() -> None:
    refused = {*ADDRESSES, *NAMES, *MALFORMED}
    assert len(refused) == len(ADDRESSES) + len(NAMES) + len(MALFORMED)
    assert len(refused) >= 300


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ADDRESSES)
def test_an_internal_address_is_refused_before_anything_is_sent(scheme: str, host: str) -> None:
    notes = Notes()
    error = post(f"{scheme}://{host}:8080/hook", notes)
    assert isinstance(error, ConfigError)
    assert "'allow'" in str(error)
    assert notes.connected == notes.resolved == []


@pytest.mark.parametrize("spell", [str, str.upper, "{}.".format], ids=["plain", "upper", "dot"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_an_internal_address_is_looked_up_and_not_connected_to(name: str, spell) -> None:
    notes = Notes()
    error = post(f"http://{spell(name)}/hook", notes)
    assert isinstance(error, SendError)
    assert error.permanent
    assert not error.unknown
    assert "'allow'" in str(error)
    assert notes.connected == []
    assert notes.resolved == [name]


@pytest.mark.parametrize("url", MALFORMED)
def test_what_can_be_read_in_two_ways_is_not_read(url: str) -> None:
    notes = Notes()
    error = post(url, notes)
    assert isinstance(error, ConfigError)
    assert notes.connected == notes.resolved == []


@pytest.mark.parametrize("url", MALFORMED)
def test_the_settings_raise_the_same_for_it(url: str) -> None:
    """Whatever the settings let through is still refused when the channel is made, in words."""
    with pytest.raises((ValidationError, ConfigError)):
        client_of(WebhookSettings(type="webhook", url=url))


@pytest.mark.parametrize("url", PUBLIC)
def test_public_ones_are_connected_to(url: str) -> None:
    notes = Notes()
    error = post(url, notes)
    assert isinstance(error, SendError)
    assert not error.permanent
    assert notes.connected == [PUBLIC[url]]


def test_a_refusal_does_not_show_the_url() -> None:
    for url in ("http://127.0.0.1/s3cret", "http://user:s3cret@example.com/", "http://example.com/s3cret #"):
        assert "s3cret" not in str(post(url, Notes()))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://a@example.com/", "no user name or password"),
        ("http://example.com/#top", "no '#'"),
        ("http://bücher.example/", "'xn--' way"),
        ("http://example.com:70000/", "1 to 65535"),
        ("http://1.2.3.400/", "looks like an address"),
        ("http://a..b/", "no name of a host"),
        ("ftp://example.com/", "begins with 'https://'"),
    ],
)
def test_a_refusal_says_why(url: str, words: str) -> None:
    assert words in str(post(url, Notes()))


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://localhost:8080/", "localhost"),
        ("http://LOCALHOST./", "localhost"),
        ("http://localhost/", "LocalHost."),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.1/", "127.0.0.1"),
        ("http://127.0.0.1/", "0x7f.1"),
        ("http://127.0.0.1/", "127.0.0.0/8"),
        ("http://foo.localhost/", "127.0.0.1"),
        ("http://intranet/", "10.0.0.0/8"),
        ("http://intranet/", "intranet"),
        ("http://[::1]/", "::1"),
        ("http://[::1]/", "[::1]"),
        ("http://[fd00::5]/", "fd00::/8"),
        ("http://[::ffff:10.0.0.1]/", "10.0.0.0/8"),
        ("http://[64:ff9b::10.0.0.1]/", "10.0.0.1"),
        ("http://[64:ff9b::10.0.0.1]/", "64:ff9b::/96"),
        ("http://[64:ff9b:1::10.0.0.1]/", "64:ff9b:1::/48"),
        ("http://mapped.example/", "127.0.0.1"),
        ("http://zone.example/", "fe80::/10"),
        ("http://metadata.google.internal/", "metadata.google.internal"),
    ],
)
def test_what_is_named_is_let_through(url: str, allow: str) -> None:
    notes = Notes()
    assert "nobody is there" in str(post(url, notes, "other.example", allow))
    assert len(notes.connected) >= 1


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://localhost/", "127.0.0.1"),  # it is at ::1 too
        ("http://foo.localhost/", "localhost"),
        ("http://127.0.0.1/", "localhost"),
        ("http://127.0.0.2/", "127.0.0.1"),
        ("http://first-public.example/", "10.0.0.0/8"),
        ("http://[::1]/", "127.0.0.0/8"),
        ("http://[2002:a00:1::]/", "10.0.0.0/8"),
        ("http://169.254.169.254/", "10.0.0.0/8"),
    ],
)
def test_nothing_else_is_let_through(url: str, allow: str) -> None:
    notes = Notes()
    assert "'allow'" in str(post(url, notes, allow))
    assert notes.connected == []


@pytest.mark.parametrize(
    "entry",
    ["", " ", "*", "*.example.com", "http://localhost", "localhost:80", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "/8",
     "::1]:80", "fe80::1%lo", "a b", "bücher.example", "1.2.3.4.5", "user@host", "10.0.0.1-10.0.0.9"],
)  # fmt: skip
def test_what_cannot_be_allowed_is_said(entry: str) -> None:
    with pytest.raises(ConfigError, match="is no host, address or network"):
        Guard([entry])


@given(st.ip_addresses())
def test_never_more_lenient_than_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    if Guard([]).objection("x.example", [str(address)]) is None:
        assert address.is_global
        assert not address.is_multicast
